"""Pictures for models: from files, folders and arrays, and the packaged ones."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

import kerascnn
from kerascnn.datasets import mnist as packaged_mnist
from kerascnn.errors import ImageError, UsageError
from kerascnn.images import (
    Picture,
    arrays,
    iter_picture_paths,
    iter_pictures,
    packaged,
    read_picture,
    read_pictures,
    reading,
    sample_pictures,
)
from kerascnn.images.arrays import read_array
from kerascnn.network.input_spec import InputSpec

RNG = np.random.default_rng(3)
COLOURS = RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8)
COLOUR = InputSpec((6, 8, 3), "symmetric", "a test")
GREY = InputSpec((6, 8, 1), "unit", "a test")


def put(path: Path, shade: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6), (shade, shade, shade)).save(path, "PNG")
    return path


def npy(array: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_a_picture_is_what_the_model_sees(tmp_path: Path) -> None:
    path = tmp_path / "a cat.png"
    Image.fromarray(COLOURS).save(path)
    found = read_picture(path, COLOUR)
    assert found.values.dtype == np.float32
    np.testing.assert_allclose(found.values, COLOURS / 127.5 - 1, atol=1e-6)
    assert (found.name, found.source, found.label) == ("a cat", str(path), None)
    assert found.original_size == (6, 8)
    caffe = InputSpec((3, 4, 3), "caffe", "a test")
    found = read_picture(path, caffe)
    assert found.values.shape == (3, 4, 3)
    assert found.original_size == (6, 8)
    # Blue first: red has the mean of 123.68.
    red = write(tmp_path / "red.png", b"")
    Image.new("RGB", (4, 3), "red").save(red)
    np.testing.assert_allclose(
        read_picture(red, caffe).values[0, 0], [-103.939, -116.779, 131.32], atol=1e-4
    )


def test_the_bytes_count_not_the_suffix(tmp_path: Path) -> None:
    assert read_picture(put(tmp_path / "picture.txt", 255), GREY).values.max() == 1
    with pytest.raises(ImageError, match="looks like text"):
        read_picture(write(tmp_path / "text.png", b"hello\n"), GREY)


def test_names_out_of_files_stay_on_one_line(tmp_path: Path) -> None:
    found = read_picture(put(tmp_path / "a\x1b[31m\nb.png"), GREY)
    assert found.name.isprintable()
    assert found.source.isprintable()
    with pytest.raises(ImageError) as caught:
        read_picture(write(tmp_path / "\x1b[2J.png", b"no"), GREY)
    assert str(caught.value).isprintable()


def test_names_that_are_no_utf8_can_be_written_down(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    try:
        path = put(tmp_path / name)
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")
    found = read_picture(path, GREY)
    (found.source + found.name).encode("utf-8")
    assert read_pictures([tmp_path], GREY)[0].source == found.source


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_refused_and_not_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="not an ordinary file"):
        read_picture(tmp_path / "pipe.png", GREY)
    put(tmp_path / "z.png")
    assert len(read_pictures([tmp_path], GREY)) == 1
    assert "1 file(s) skipped" in capsys.readouterr().err


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "secret.png")

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(ImageError, match=r"secret.png: Permission denied$"):
        read_picture(path, GREY)
    with pytest.raises(ImageError, match=r"holds no picture .* Permission denied"):
        read_pictures([tmp_path], GREY)
    monkeypatch.setattr(os, "scandir", denied)
    with pytest.raises(ImageError, match=r"can't read folder .*: Permission denied$"):
        read_pictures([tmp_path], GREY)


def test_notices_go_to_stderr_and_not_without_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = [Image.new("L", (8, 6), shade) for shade in (0, 99)]
    for index in range(8):
        frames[0].save(tmp_path / f"{index}.gif", save_all=True, append_images=frames[1:])
    read_picture(tmp_path / "0.gif", GREY)
    assert capsys.readouterr().err == (
        f"kerascnn: {tmp_path / '0.gif'} has several frames; the first is taken\n"
    )
    assert len(read_pictures([tmp_path], GREY)) == 8
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("several frames") == 3
    assert err.endswith("and 5 more notices of the same kinds\n")


# Folders


def test_folders_are_sorted_naturally(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["2.png", "10.png", "B1.png", "a2.png", "a10.png", "deep/1.png", "deep/er/3.png"]
    for name in reversed(names):
        put(tmp_path / name)
    put(tmp_path / ".hidden.png")
    put(tmp_path / ".cache/9.png")
    (tmp_path / "loop").symlink_to(tmp_path)
    wanted = ["2.png", "10.png", "a2.png", "a10.png", "B1.png", "deep/1.png", "deep/er/3.png"]
    assert list(iter_picture_paths([tmp_path])) == [tmp_path / name for name in wanted]
    found = read_pictures([tmp_path], GREY)
    assert [picture.source for picture in found] == [str(tmp_path / name) for name in wanted]
    assert capsys.readouterr().err == ""


def test_what_is_no_picture_in_a_folder_is_skipped_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path / "b.png", 51)
    (tmp_path / "a.txt").write_text("notes")
    (tmp_path / "empty.png").touch()
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")
    cut = put(tmp_path / "cut.png")
    cut.write_bytes(cut.read_bytes()[:45])
    assert len(read_pictures([tmp_path], GREY)) == 1
    assert capsys.readouterr().err == (
        f"kerascnn: {tmp_path}: 4 file(s) skipped; the first: {tmp_path / 'a.txt'} is not a "
        "picture we read (it looks like text); save it as PNG, JPEG, GIF, BMP, TIFF, WebP or PPM\n"
    )
    # Paths alone are told by their first bytes.
    assert list(iter_picture_paths([tmp_path])) == [tmp_path / "b.png", cut]
    assert "3 file(s) skipped" in capsys.readouterr().err


def test_a_folder_without_pictures_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"holds no picture that we read$"):
        read_pictures([tmp_path], GREY)
    (tmp_path / "a.txt").write_text("notes")
    with pytest.raises(ImageError, match=r"1 file\(s\) skipped, the first: .*a.txt is not a pict"):
        read_pictures([tmp_path], GREY)
    with pytest.raises(ImageError, match="holds no picture"):
        list(iter_picture_paths([tmp_path]))


def test_a_named_file_must_be_a_picture(tmp_path: Path) -> None:
    good, bad = put(tmp_path / "good.png"), write(tmp_path / "bad.png", b"GIF89a")
    with pytest.raises(ImageError, match=r"bad.png"):
        read_pictures([good, bad], GREY)
    with pytest.raises(ImageError, match=r"missing.png: No such file"):
        list(iter_picture_paths([tmp_path / "missing.png"]))
    with pytest.raises(ImageError, match="is a folder where a picture is meant"):
        read_picture(tmp_path, GREY)


def test_missing_files_are_found_before_anything_is_read(tmp_path: Path) -> None:
    good = put(tmp_path / "good.png")
    with pytest.raises(ImageError, match=r"missing.png: No such file"):
        next(iter_pictures([good, tmp_path / "missing.png"], GREY))


def test_pictures_come_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for index in range(20):
        put(tmp_path / f"{index}.png", index)
    read: list[Path] = []
    real = reading.read_bytes
    monkeypatch.setattr(reading, "read_bytes", lambda path: (read.append(path), real(path))[1])
    stream = iter_pictures([tmp_path], GREY)
    assert [next(stream).name for _ in range(3)] == ["0", "1", "2"]
    assert len(read) == 3
    stream.close()
    assert len(read_pictures([tmp_path], GREY, limit=5)) == 5
    assert len(read) == 8
    assert len(read_pictures([tmp_path], GREY, limit=50)) == 20


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_is_at_least_one(limit: int) -> None:
    with pytest.raises(UsageError, match=f"at least 1. Received: {limit}"):
        read_pictures([], GREY, limit=limit)
    with pytest.raises(UsageError, match=f"at least 1. Received: {limit}"):
        sample_pictures(COLOUR, limit)


def test_more_than_fits_into_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in range(4):
        put(tmp_path / f"{index}.png")
    monkeypatch.setattr(reading, "MAX_TOTAL_BYTES", 3 * 6 * 8 * 4)
    assert len(read_pictures([tmp_path], GREY, limit=3)) == 3
    with pytest.raises(ImageError, match=r"more than 3 pictures .* name fewer, or set a limit"):
        read_pictures([tmp_path], GREY)


# Arrays


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_bytes_in_arrays_are_pictures(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"

    def taken(array: np.ndarray, contract: InputSpec) -> list[Picture]:
        np.save(path, array) if suffix == ".npy" else np.savez_compressed(path, anything=array)
        return read_pictures([path], contract)

    (found,) = taken(COLOURS, COLOUR)
    np.testing.assert_allclose(found.values, COLOURS / 127.5 - 1, atol=1e-6)
    assert (found.name, found.source, found.original_size) == ("x", str(path), (6, 8))
    (found,) = taken(COLOURS[..., 0], GREY)
    np.testing.assert_allclose(found.values[..., 0], COLOURS[..., 0] / 255, atol=1e-6)
    (found,) = taken(np.asfortranarray(COLOURS[..., :1]), GREY)
    np.testing.assert_allclose(found.values, COLOURS[..., :1] / 255, atol=1e-6)
    (found,) = taken(COLOURS, GREY)
    assert found.values.shape == (6, 8, 1)
    (found,) = taken(COLOURS[..., 1], COLOUR)
    assert (found.values == found.values[..., :1]).all()
    (found,) = taken(np.dstack([COLOURS, np.zeros((6, 8), np.uint8)]), COLOUR)
    assert (found.values == 1).all()  # clear on white
    # Another size is fitted, as a picture's.
    (found,) = taken(np.full((40, 90, 3), 255, np.uint8), COLOUR)
    np.testing.assert_allclose(found.values, np.ones((6, 8, 3)))
    assert found.original_size == (40, 90)
    several = taken(np.stack([COLOURS, 255 - COLOURS]), COLOUR)
    assert [(picture.name, picture.source) for picture in several] == [
        ("x 0", f"{path}[0]"),
        ("x 1", f"{path}[1]"),
    ]
    np.testing.assert_allclose(several[1].values, -several[0].values, atol=1e-6)
    assert len(taken(RNG.integers(0, 256, (5, 6, 8), dtype=np.uint8), GREY)) == 5
    with pytest.raises(ImageError, match="holds 5 pictures where one is meant"):
        read_picture(path, GREY)


def test_bytes_of_any_channels_are_pictures(tmp_path: Path) -> None:
    five = InputSpec((3, 4, 5), "symmetric", "a test")
    path = tmp_path / "x.npy"
    np.save(path, np.broadcast_to(np.array([0, 51, 102, 153, 255], np.uint8), (9, 12, 5)))
    wanted = np.broadcast_to([-1, -0.6, -0.2, 0.2, 1], (3, 4, 5))
    np.testing.assert_allclose(read_picture(path, five).values, wanted, atol=1e-6)
    with pytest.raises(ImageError, match=r"no 5 channels.*\.npy array of shape \(H, W, C\)"):
        read_picture(put(tmp_path / "x.png"), five)


@pytest.mark.parametrize("dtype", ["float16", "float32", ">f4", "float64"])
def test_floats_are_the_model_s_own_values(
    tmp_path: Path, dtype: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.npy"
    own = RNG.uniform(-1, 1, (2, 6, 8, 3)).astype(dtype)
    np.save(path, own)
    found = read_pictures([path], COLOUR)
    assert {picture.values.dtype for picture in found} == {np.dtype(np.float32)}
    np.testing.assert_array_equal([picture.values for picture in found], own.astype(np.float32))
    assert capsys.readouterr().err == ""
    np.save(path, own[0] * 200)
    read_picture(path, COLOUR)
    assert "taken as they are; the model's are from -1 to 1" in capsys.readouterr().err


def test_a_size_left_open_takes_any_floats(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((9, 7), np.float32))
    assert read_picture(path, InputSpec((None, 7, 1), "unit", "")).values.shape == (9, 7, 1)
    with pytest.raises(ImageError, match=r"shape \('any', 8, 1\). Received: \(9, 7, 1\)"):
        read_picture(path, InputSpec((None, 8, 1), "unit", ""))


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((6, 9, 3), np.float32), r"must be of shape \(6, 8, 3\)"),
        (np.zeros((3, 6, 8), np.float32), r"\(N, H, W, 3\), as the model takes it. Received"),
        (np.zeros((3, 6, 8, 1), np.float32), r"as the model takes it"),
        (np.zeros((6, 8), np.float32), r"as the model takes it"),
        (np.zeros(48, np.uint8), r"as the model takes it"),
        (np.zeros((1, 1, 6, 8, 3), np.uint8), r"as the model takes it"),
        (np.float32(1), r"as the model takes it"),
        (np.full((6, 8, 3), np.nan, np.float32), "not finite"),
        (np.full((6, 8, 3), 1e300), "not finite"),
        (np.zeros((6, 8, 3), np.int64), "uint8 .* or of floats .* Received: int64"),
        (np.zeros((6, 8, 3), bool), "Received: bool"),
        (np.zeros((6, 8, 3), np.complex64), "Received: complex64"),
        (np.zeros((6, 8), [("r", "u1"), ("g", "u1")]), "Received: "),
        (np.array(["x"]), "Received: <U1"),
        (np.zeros((0, 6, 8, 3), np.uint8), r"empty array, of shape \(0, 6, 8, 3\)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, array: np.ndarray, words: str) -> None:
    path = tmp_path / "x.npy"
    np.save(path, array)
    with np.errstate(over="ignore"), pytest.raises(ImageError, match=words) as caught:
        read_pictures([path], COLOUR)
    assert "\n" not in str(caught.value)


class Touch:
    """Unpickled, it leaves a mark."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_nothing_is_ever_unpickled(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    hostile = np.array([Touch(marker)], dtype=object)
    (tmp_path / "in").mkdir()
    np.save(tmp_path / "in/a.npy", hostile, allow_pickle=True)
    np.savez(tmp_path / "in/b.npz", images=hostile)
    (tmp_path / "in/c.npy").write_bytes(pickle.dumps(Touch(marker)))
    with zipfile.ZipFile(tmp_path / "in/d.npz", "w") as archive:
        archive.writestr("images.npy", pickle.dumps(Touch(marker)))
    for path in sorted((tmp_path / "in").iterdir()):
        with pytest.raises(ImageError):
            read_pictures([path], GREY)
    with pytest.raises(ImageError, match="4 file"):
        read_pictures([tmp_path / "in"], GREY)
    assert not marker.exists()


def test_the_array_named_images_is_taken_of_several(tmp_path: Path) -> None:
    path = tmp_path / "result.npz"
    own = RNG.uniform(-1, 1, (2, 6, 8, 3)).astype(np.float32)
    np.savez(path, values=own[..., 0], images=own, meaning=np.array("{}"))
    np.testing.assert_array_equal([p.values for p in read_pictures([path], COLOUR)], own)
    np.savez(path, x_train=own, y_train=own)
    with pytest.raises(ImageError, match=r"one named images. Received: x_train.npy, y_train.npy"):
        read_pictures([path], COLOUR)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", "{}")
    with pytest.raises(ImageError, match=r"Received: metadata.json"):
        read_pictures([path], COLOUR)


def test_arrays_that_declare_more_than_they_hold_are_refused() -> None:
    whole = npy(np.zeros((6, 8, 3), np.uint8))
    for shape in ("(6, 8, 4)", "(60000, 80000, 3)", f"({'9' * 30}, 1)"):
        header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
        data = whole[:8] + len(header).to_bytes(2, "little") + header.encode() + whole[-144:]
        with pytest.raises(ImageError, match="cut short"):
            read_array(data, "NPY", "x")
    with pytest.raises(ImageError, match="cut short"):
        read_array(whole[:-1], "NPY", "x")
    assert read_array(whole + b"more", "NPY", "x").shape == (6, 8, 3)
    negative = whole.replace(b"(6, 8, 3)", b"(-6,8, 3)")
    with pytest.raises(ImageError):
        read_array(negative, "NPY", "x")


@pytest.mark.parametrize(
    "header",
    [b"(" * 5000, b"-" * 9000 + b"1", b"{'descr': " + b"[" * 3000, b"__import__('os')", b"\0"],
)
def test_hostile_headers_end_in_one_line(header: bytes) -> None:
    data = b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little") + header + bytes(64)
    with pytest.raises(ImageError) as caught:
        read_array(data, "NPY", "x")
    assert "\n" not in str(caught.value)
    long = b"\x93NUMPY\x02\0" + (1 << 20).to_bytes(4, "little") + b" " * (1 << 20)
    with pytest.raises(ImageError, match="header is too long"):
        read_array(long, "NPY", "x")
    with pytest.raises(ImageError, match=r"version \(3, 0\)"):
        read_array(b"\x93NUMPY\x03\0" + data[8:], "NPY", "x")


def test_packed_bombs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", npy(np.zeros((2000, 2000), np.uint8)))
    bomb = stream.getvalue()
    assert len(bomb) < 10_000
    assert read_array(bomb, "NPZ", "x").shape == (2000, 2000)
    monkeypatch.setattr(arrays, "MAX_BYTES", 1 << 21)
    with pytest.raises(ImageError, match="too large: its array declares 3 MiB, at most 2"):
        read_array(bomb, "NPZ", "x")
    # One that declares little is read no further than that.
    liar = bytearray(bomb)
    place = liar.rindex(b"PK\x01\x02")
    liar[place + 24 : place + 28] = (1000).to_bytes(4, "little")
    with pytest.raises(ImageError):
        read_array(bytes(liar), "NPZ", "x")


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damaged_arrays_end_in_an_array_or_one_line(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["NPY", "NPZ"]))
    stream = io.BytesIO()
    np.savez_compressed(stream, images=COLOURS)
    whole = bytearray(npy(COLOURS) if kind == "NPY" else stream.getvalue())
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(1, len(whole)))])
    try:
        found = read_array(cut, kind, "x")
    except ImageError as error:
        assert "\n" not in str(error)
    else:
        assert found.size >= 1


@settings(max_examples=60, deadline=None)
@given(
    array=hnp.arrays(
        st.sampled_from([np.dtype("u1"), np.dtype("f4")]),
        hnp.array_shapes(min_dims=0, max_dims=5, max_side=5),
    ),
    channels=st.integers(1, 4),
    grey=st.booleans(),
)
def test_any_array_gives_pictures_of_the_model_s_shape_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, array: np.ndarray, channels: int, grey: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.npy"
    np.save(path, array)
    contract = InputSpec((None, 3, channels) if grey else (2, 3, channels), "unit", "a test")
    try:
        found = read_pictures([path], contract)
    except ImageError as error:
        assert "\n" not in str(error)
        return
    for picture in found:
        assert picture.values.dtype == np.float32
        assert picture.values.shape[1:] == (3, channels)
        assert np.isfinite(picture.values).all()


# Samples


def test_packaged_photographs() -> None:
    contract = InputSpec((224, 224, 3), "caffe", "a test")
    (cat,) = sample_pictures(contract)
    assert (cat.name, cat.source, cat.label) == ("cat", "sample photograph cat.jpg", None)
    assert cat.values.shape == (224, 224, 3)
    # The whole of it is used, not a flat patch.
    assert contract.decode(cat.values).std() > 0.1
    found = sample_pictures(contract, 9)
    assert [picture.name for picture in found] == ["cat", "astronaut", "coffee", "rocket"]
    assert len(sample_pictures(contract, 2)) == 2
    for height, width in [(32, 32), (None, None), (64, None), (299, 331)]:
        picture = sample_pictures(InputSpec((height, width, 3), "unit", ""))[0]
        assert picture.values.shape[0] == (height or picture.original_size[0])
    (grey,) = sample_pictures(InputSpec((64, 64, 1), "unit", ""))
    assert (grey.name, grey.values.shape) == ("cat", (64, 64, 1))


def test_packaged_photographs_are_small() -> None:
    folder = Path(kerascnn.__file__).parent / "images" / "samples"
    paths = sorted(folder.iterdir())
    photographs = ["astronaut.jpg", "cat.jpg", "coffee.jpg", "rocket.jpg"]
    paintings = ["style-mosaic.jpg", "style-swirls.jpg", "style-waves.jpg"]
    assert [path.name for path in paths] == photographs + paintings
    for path in paths:
        # Strokes everywhere are packed less well than a photograph.
        assert path.stat().st_size <= (200 if path.name in paintings else 100) * 1024
        with Image.open(path) as image:
            assert max(image.size) <= (640 if path.name in paintings else 512)


@pytest.fixture
def mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[np.ndarray, np.ndarray]:
    """Stand a small data set of MNIST's layout in the place of the packaged one."""
    digits = RNG.integers(0, 256, (40, 28, 28), dtype=np.uint8)
    labels = RNG.permutation(np.repeat(np.arange(10, dtype=np.uint8), 4))
    np.savez(tmp_path / "digits.npz", x_test=digits, y_test=labels)
    monkeypatch.setattr(packaged_mnist, "PACKAGED", tmp_path / "digits.npz")
    return digits, labels


def test_packaged_digits_are_one_a_class(mnist: tuple[np.ndarray, np.ndarray]) -> None:
    digits, labels = mnist
    contract = InputSpec((28, 28, 1), "unit", "a test")
    found = sample_pictures(contract)
    assert [picture.label for picture in found] == [str(digit) for digit in range(10)]
    for digit, picture in enumerate(found):
        index = int(np.flatnonzero(labels == digit)[0])
        np.testing.assert_allclose(picture.values[..., 0], digits[index] / 255.0, atol=1e-6)
        assert picture.source == f"sample MNIST test digit {index}"
        assert (picture.name, picture.original_size) == (f"digit {digit}", (28, 28))
    found = sample_pictures(contract, 25)
    assert [picture.label for picture in found] == [str(index % 10) for index in range(25)]
    assert len({picture.source for picture in found}) == 25
    assert len(sample_pictures(contract, 1000)) == 40
    for size in [(32, 32), (40, 40), (20, 30)]:
        (picture,) = sample_pictures(InputSpec((*size, 1), "symmetric", ""), 1)
        assert picture.values.shape == (*size, 1)
        assert picture.source.startswith("sample MNIST")


def test_the_packaged_digits_are_there() -> None:
    found = sample_pictures(InputSpec((28, 28, 1), "unit", "a test"))
    assert [picture.label for picture in found] == [str(digit) for digit in range(10)]
    # White strokes on black, as the data set has them.
    assert all(picture.values.mean() < 0.35 for picture in found)


@pytest.mark.parametrize("channels", [2, 4, 12])
def test_other_channels_have_no_sample(channels: int) -> None:
    with pytest.raises(ImageError, match=rf"{channels} channels .*--image, as a \.npy array"):
        sample_pictures(InputSpec((28, 28, channels), "unit", "a test"))


def test_an_incomplete_installation_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packaged, "SAMPLES", tmp_path)
    monkeypatch.setattr(packaged_mnist, "PACKAGED", tmp_path / "none.npz")
    for channels in (1, 3):
        with pytest.raises(ImageError, match="install kerascnn again"):
            sample_pictures(InputSpec((28, 28, channels), "unit", "a test"))


def test_the_module_loads_light() -> None:
    code = (
        "import sys, kerascnn.images; "
        "sys.exit(', '.join({'PIL', 'tensorflow', 'matplotlib', 'scipy'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert found.stderr.strip() == ""
