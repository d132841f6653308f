"""Picture files of every sort: read rightly, or refused in one clear line."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from helpers.picture_bytes import icc_profile, png, png_chunk, saved, tiff
from kerascnn.errors import ImageError
from kerascnn.images import decoding, file_kinds
from kerascnn.images.decoding import decode
from kerascnn.images.file_kinds import FORMATS, MAGIC, kind_of, not_a_picture, read_bytes
from kerascnn.images.fitting import MAX_SIDE, Shape

RNG = np.random.default_rng(7)
COLOURS = RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8)
GREYS = RNG.integers(0, 256, (6, 8), dtype=np.uint8)
DEEP = np.linspace(0, 65535, 48).round().astype(np.uint16).reshape(6, 8)
OPEN_COLOUR = (None, None, 3)
OPEN_GREY = (None, None, 1)


def quiet(kind: str, text: str) -> None:
    pytest.fail(f"unexpected notice {kind}: {text}")  # which no "except Exception" swallows


def unit(data: bytes, shape: Shape = OPEN_COLOUR) -> np.ndarray:
    """Decode what nothing need be said about."""
    kind = kind_of(data[:64])
    assert kind is not None
    found, _ = decode(data, kind, "a picture", shape, quiet)
    assert found.dtype == np.float64
    assert found.min() >= 0
    assert found.max() <= 1
    return found


def refusal(data: bytes, shape: Shape = OPEN_COLOUR) -> str:
    kind = kind_of(data[:64])
    assert kind is not None
    with pytest.raises(ImageError) as caught:
        decode(data, kind, "a picture", shape, quiet)
    message = str(caught.value)
    assert "\n" not in message
    assert "a picture" in message
    return message


def luminance(colours: np.ndarray) -> np.ndarray:
    return colours @ np.array([0.299, 0.587, 0.114])


LOSSLESS = [
    ("PNG", {}),
    ("BMP", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("PPM", {}),
    ("WEBP", {"lossless": True}),
]


@pytest.mark.parametrize(("kind", "options"), LOSSLESS)
def test_bytes_are_read_exactly(kind: str, options: dict) -> None:
    data = saved(Image.fromarray(COLOURS), kind, **options)
    assert kind_of(data[:16]) == kind
    np.testing.assert_array_equal(unit(data), COLOURS / 255.0)
    grey = unit(data, OPEN_GREY)
    assert grey.shape == (6, 8, 1)
    np.testing.assert_allclose(grey[..., 0], luminance(COLOURS / 255.0), atol=1 / 255)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "GIF"])
def test_grey_is_read_exactly_and_never_inverted(kind: str) -> None:
    data = saved(Image.fromarray(GREYS), kind)
    np.testing.assert_array_equal(unit(data, OPEN_GREY)[..., 0], GREYS / 255.0)
    np.testing.assert_array_equal(unit(data), np.repeat(GREYS[..., None], 3, -1) / 255.0)


def test_jpeg_is_near() -> None:
    smooth = np.add.outer(np.arange(64), np.arange(48)).astype(np.uint8)
    data = saved(Image.fromarray(smooth), "JPEG", quality=95)
    np.testing.assert_allclose(unit(data, OPEN_GREY)[..., 0], smooth / 255.0, atol=3 / 255)


def test_one_bit_is_black_and_white() -> None:
    bits = GREYS > 127
    data = saved(Image.fromarray(bits), "PNG")
    np.testing.assert_array_equal(unit(data, OPEN_GREY)[..., 0], bits.astype(float))


@pytest.mark.parametrize(
    "data",
    [
        png(DEEP, 0),
        tiff(DEEP.astype("<u2").tobytes(), (8, 6), 16),
        tiff(DEEP.astype(">u2").tobytes(), (8, 6), 16, order=">"),
        tiff((65535 - DEEP).astype("<u2").tobytes(), (8, 6), 16, photometric=0),
        tiff((DEEP / 65535).astype("<f4").tobytes(), (8, 6), 32, sample_format=3),
        b"P5 8 6 65535\n" + DEEP.astype(">u2").tobytes(),
    ],
    ids=["png", "tiff-little", "tiff-big", "tiff-white-is-zero", "tiff-float", "pgm"],
)
def test_deep_grey_keeps_its_scale_and_its_depth(data: bytes) -> None:
    np.testing.assert_allclose(unit(data, OPEN_GREY)[..., 0], DEEP / 65535.0, atol=1e-6)
    np.testing.assert_allclose(unit(data)[..., 2], DEEP / 65535.0, atol=1e-6)


def test_twelve_bits_have_their_own_white() -> None:
    values = np.linspace(0, 4095, 48).round().astype(int)
    packed = b"".join(
        bytes([a >> 4, (a & 15) << 4 | b >> 8, b & 255])
        for a, b in zip(values[::2].tolist(), values[1::2].tolist(), strict=True)
    )
    found = unit(tiff(packed, (8, 6), 12), OPEN_GREY)
    np.testing.assert_allclose(found.ravel(), values / 4095.0, atol=1e-6)


@pytest.mark.parametrize("colour", [2, 6])
def test_deep_colour_is_not_clipped_to_white(colour: int) -> None:
    samples = 3 if colour == 2 else 4
    values = np.repeat(DEEP[..., None], samples, -1)
    if samples == 4:
        values[..., 3] = 65535
    np.testing.assert_allclose(unit(png(values, colour))[..., 0], DEEP / 65535.0, atol=1 / 255)
    if samples == 3:
        data = tiff(values.astype("<u2").tobytes(), (8, 6), 16, samples=3, photometric=2)
        np.testing.assert_allclose(unit(data)[..., 0], DEEP / 65535.0, atol=1 / 255)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (tiff(DEEP.astype("<i2").tobytes(), (8, 6), 16, sample_format=2), "no known white"),
        (tiff(DEEP.astype("<i4").tobytes(), (8, 6), 32, sample_format=2), "no known white"),
        (tiff(DEEP.astype("<u4").tobytes(), (8, 6), 32), "no known white"),
        (tiff(DEEP.astype("<f4").tobytes(), (8, 6), 32, sample_format=3), "white is unknown"),
        (tiff(b"\0\0\xc0\x7f" * 48, (8, 6), 32, sample_format=3), "white is unknown"),
        (tiff(bytes(8 * 6 * 8), (8, 6), 64, sample_format=3), "sort of TIFF"),
        (tiff(bytes(8 * 6 * 3), (8, 6), 8, samples=3, photometric=8), "mode LAB; save it as RGB"),
    ],
    ids=["signed", "signed-32", "unsigned-32", "float-255", "nan", "double", "lab"],
)
def test_pixels_without_a_known_white_are_refused(data: bytes, words: str) -> None:
    assert words in refusal(data)


def test_what_is_clear_lies_on_white() -> None:
    alpha = RNG.integers(0, 256, (6, 8, 1), dtype=np.uint8)
    share = alpha / 255.0
    wanted = COLOURS / 255.0 * share + (1 - share)
    for kind, options in [("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True, "exact": True})]:
        data = saved(Image.fromarray(np.concatenate([COLOURS, alpha], -1)), kind, **options)
        np.testing.assert_allclose(unit(data), wanted, atol=1.01 / 255)
        found = unit(data, OPEN_GREY)[..., 0]
        np.testing.assert_allclose(found, luminance(wanted), atol=2 / 255)
    grey = saved(Image.fromarray(np.concatenate([GREYS[..., None], alpha], -1)), "PNG")
    wanted = GREYS[..., None] / 255.0 * share + (1 - share)
    np.testing.assert_allclose(unit(grey, OPEN_GREY), wanted, atol=1.01 / 255)


def test_clear_colours_of_palettes_and_keys_lie_on_white() -> None:
    image = Image.fromarray((GREYS > 127).astype(np.uint8), "P")
    image.putpalette([10, 20, 30, 200, 100, 50])
    opaque = np.where((GREYS > 127)[..., None], [200, 100, 50], [10, 20, 30]) / 255.0
    cleared = np.where((GREYS > 127)[..., None], 1.0, opaque)
    for kind in ("PNG", "GIF"):
        np.testing.assert_array_equal(unit(saved(image, kind)), opaque)
        np.testing.assert_array_equal(unit(saved(image, kind, transparency=1)), cleared)
    keyed = saved(Image.fromarray(COLOURS), "PNG", transparency=tuple(COLOURS[2, 3].tolist()))
    wanted = COLOURS / 255.0
    wanted[(COLOURS[2, 3] == COLOURS).all(-1)] = 1.0
    np.testing.assert_array_equal(unit(keyed), wanted)
    deep = png(DEEP, 0, extra=png_chunk(b"tRNS", struct.pack(">H", int(DEEP[1, 1]))))
    assert unit(deep, OPEN_GREY)[1, 1, 0] == 1.0
    assert unit(deep, OPEN_GREY)[1, 2, 0] < 0.3


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_print_colours_are_not_inverted(kind: str) -> None:
    # No cyan, all magenta and yellow: red. Pillow writes JPEGs inverted with Adobe's mark.
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    data = saved(image, kind)
    assert kind == "TIFF" or b"Adobe" in data
    np.testing.assert_allclose(unit(data), np.broadcast_to([1.0, 0, 0], (16, 16, 3)), atol=4 / 255)
    np.testing.assert_allclose(unit(data, OPEN_GREY), 0.299, atol=4 / 255)


UPRIGHT = {
    1: lambda stored: stored,
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: lambda stored: np.swapaxes(stored, 0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.swapaxes(np.rot90(stored, 2), 0, 1),
    8: lambda stored: np.rot90(stored, 1),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG", "TIFF"])
def test_pictures_are_turned_upright(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    blocks = np.kron(COLOURS, np.ones((8, 8, 1), np.uint8))
    options = {"lossless": True} if kind == "WEBP" else {}
    data = saved(Image.fromarray(blocks), kind, exif=exif, **options)
    if kind == "TIFF":
        data = tiff(
            blocks.tobytes(), (64, 48), 8, samples=3, photometric=2, orientation=orientation
        )
    if kind == "JPEG":
        data = saved(Image.fromarray(blocks), kind, exif=exif, quality=100, subsampling=0)
    wanted = UPRIGHT[orientation](blocks) / 255.0
    found, size = decode(data, kind, "a picture", OPEN_COLOUR, quiet)
    np.testing.assert_allclose(found, wanted, atol=6 / 255 if kind == "JPEG" else 0)
    assert size == wanted.shape[:2]
    # Upright also where the model's size is fixed.
    found, size = decode(data, kind, "a picture", (20, 30, 3), quiet)
    again, _ = decode(
        saved(Image.fromarray(np.round(wanted * 255).astype(np.uint8)), "PNG"),
        "PNG",
        "a picture",
        (20, 30, 3),
        quiet,
    )
    np.testing.assert_allclose(found, again, atol=6 / 255)
    assert size == wanted.shape[:2]


def test_damaged_exif_is_said_and_the_picture_taken() -> None:
    said: list[str] = []
    data = saved(Image.fromarray(COLOURS), "PNG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12")
    found, _ = decode(data, "PNG", "a picture", OPEN_COLOUR, lambda kind, _: said.append(kind))
    np.testing.assert_array_equal(found, COLOURS / 255.0)
    assert said in ([], ["exif"])


def srgb_of_linear(linear: np.ndarray) -> np.ndarray:
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def test_profiles_are_heeded() -> None:
    wanted = srgb_of_linear(COLOURS / 255.0)
    linear = icc_profile(b"RGB ")
    for kind, options in LOSSLESS:
        if kind not in ("BMP", "PPM"):
            data = saved(Image.fromarray(COLOURS), kind, icc_profile=linear, **options)
            np.testing.assert_allclose(unit(data), wanted, atol=2.5 / 255)
    alpha = np.full((6, 8, 1), 128, np.uint8)
    data = saved(Image.fromarray(np.concatenate([COLOURS, alpha], -1)), "PNG", icc_profile=linear)
    share = 128 / 255
    np.testing.assert_allclose(unit(data), wanted * share + 1 - share, atol=2.5 / 255)


@pytest.mark.parametrize("space", [b"GRAY", b"RGB "])
def test_profiles_of_grey_pictures_are_heeded(space: bytes) -> None:
    wanted = srgb_of_linear(GREYS / 255.0)
    data = saved(Image.fromarray(GREYS), "PNG", icc_profile=icc_profile(space))
    np.testing.assert_allclose(unit(data, OPEN_GREY)[..., 0], wanted, atol=2.5 / 255)
    np.testing.assert_allclose(unit(data)[..., 1], wanted, atol=2.5 / 255)


def test_srgb_profile_changes_nothing() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = saved(Image.fromarray(COLOURS), "PNG", icc_profile=profile)
    np.testing.assert_allclose(unit(data), COLOURS / 255.0, atol=1.01 / 255)


@pytest.mark.parametrize("profile", [b"nonsense" * 30, icc_profile(b"GRAY"), icc_profile(b"CMYK")])
def test_profiles_that_do_not_fit_are_said(profile: bytes) -> None:
    said: list[tuple[str, str]] = []
    data = saved(Image.fromarray(COLOURS), "PNG", icc_profile=profile)
    found, _ = decode(data, "PNG", "a picture", OPEN_COLOUR, lambda *words: said.append(words))
    np.testing.assert_array_equal(found, COLOURS / 255.0)
    assert [kind for kind, _ in said] == ["profile"]
    assert "taken as sRGB" in said[0][1]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_of_several_frames_is_taken_and_said(kind: str) -> None:
    frames = [Image.new("L", (8, 6), shade) for shade in (51, 204)]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    said: list[str] = []
    found, _ = decode(data, kind, "a film", OPEN_GREY, lambda _, text: said.append(text))
    np.testing.assert_allclose(found, 0.2, atol=1e-9)
    assert said == ["a film has several frames; the first is taken"]


def test_a_second_picture_in_a_phone_s_jpeg_is_no_frame() -> None:
    two = [Image.new("RGB", (16, 16), shade) for shade in ("white", "black")]
    data = saved(two[0], "MPO", save_all=True, append_images=two[1:])
    np.testing.assert_allclose(unit(data), 1.0, atol=2 / 255)


def heads() -> list[tuple[str, bytes]]:
    gif = saved(Image.fromarray(GREYS), "GIF")
    bmp = saved(Image.fromarray(COLOURS), "BMP")
    return [
        ("png", png(DEEP, 0, size=(60_000, 60_000))),
        ("png-just-over", png(DEEP, 0, size=(12_000, 10_001))),
        ("tiff", tiff(b"\0" * 64, (100_000, 100_000), 8)),
        ("gif", gif[:6] + b"\xff\xff\xff\xff" + gif[10:]),
        ("bmp", bmp[:18] + struct.pack("<ii", 30_000, 30_000) + bmp[26:]),
        ("ppm", b"P6 99999 99999 255\n" + bytes(99)),
    ]


@pytest.mark.parametrize("data", [data for _, data in heads()], ids=[name for name, _ in heads()])
def test_bombs_are_refused_before_they_are_decoded(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "_workable", lambda *_: pytest.fail("it was decoded"))
    assert "too large for a picture: at most 120,000,000 pixels" in refusal(data)


def test_the_limit_of_pixels_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(Image.fromarray(COLOURS), "PNG")
    monkeypatch.setattr(decoding, "MAX_PIXELS", 48)
    assert unit(data).shape == (6, 8, 3)
    monkeypatch.setattr(decoding, "MAX_PIXELS", 47)
    assert "at most 47 pixels are decoded. Received: 8×6" in refusal(data)


def test_pillow_s_own_warning_of_large_pictures_stays_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 30)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert unit(saved(Image.fromarray(COLOURS), "PNG")).shape == (6, 8, 3)


def every_kind() -> dict[str, bytes]:
    noise = Image.fromarray(RNG.integers(0, 256, (40, 50, 3), dtype=np.uint8))
    files = {kind: saved(noise, kind) for kind in FORMATS}
    files["TIFF-LZW"] = saved(noise, "TIFF", compression="tiff_lzw")
    files["TIFF-JPEG"] = saved(noise, "TIFF", compression="jpeg")
    files["PNG-16"] = png(np.repeat(DEEP, 20, 0), 0)
    files["JPEG-progressive"] = saved(noise, "JPEG", progressive=True)
    return files


EVERY_KIND = every_kind()


@pytest.mark.parametrize("name", EVERY_KIND)
def test_half_a_file_is_refused(name: str) -> None:
    data = EVERY_KIND[name]
    assert unit(data).shape[2] == 3
    refusal(data[: len(data) // 2])
    refusal(data[:20])


@pytest.mark.parametrize("name", EVERY_KIND)
def test_a_cut_file_is_refused_unless_every_pixel_is_there(name: str) -> None:
    data = EVERY_KIND[name]
    whole = unit(data)
    places = {*np.linspace(30, len(data) - 40, 25).astype(int).tolist()}
    for place in sorted(places | set(range(len(data) - 40, len(data)))):
        try:
            found, _ = decode(data[:place], kind_of(data) or "", "it", OPEN_COLOUR, quiet)
        except ImageError:
            continue
        np.testing.assert_array_equal(found, whole, err_msg=f"cut at {place} of {len(data)}")


def survives(data: bytes, shape: Shape = (10, 10, 3)) -> None:
    """See that bytes end in a picture or in one line."""
    kind = kind_of(data[:64])
    if kind not in FORMATS:
        assert "\n" not in str(not_a_picture(data, "it"))
        return
    try:
        found, size = decode(data, kind, "it", shape, lambda *_: None)
    except ImageError as error:
        assert "\n" not in str(error)
        return
    assert found.shape == shape
    assert np.isfinite(found).all()
    assert min(size) >= 1


@settings(max_examples=150, deadline=None)
@given(magic=st.sampled_from([*sum(MAGIC.values(), ()), b"P6 ", b""]), rest=st.binary())
@example(magic=b"RIFF", rest=b"\0\0\0\0WEBP")
def test_random_bytes_end_in_one_line(magic: bytes, rest: bytes) -> None:
    survives(magic + rest)


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(data)
    action = rng.integers(3)
    if action == 0:
        return bytes(changed[: rng.integers(1, len(changed))])
    if action == 1:
        for place in rng.integers(0, len(changed), rng.integers(1, 6)):
            changed[place] ^= 1 << rng.integers(8)
        return bytes(changed)
    # The head is where lengths, sizes and offsets are.
    for place in rng.integers(0, min(120, len(changed)), rng.integers(1, 4)):
        changed[place] = rng.integers(256)
    return bytes(changed)


def fuzz(rounds: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = sorted(EVERY_KIND)
    for index in range(rounds):
        survives(mutated(EVERY_KIND[names[index % len(names)]], rng))


def test_mutated_files_end_in_a_picture_or_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_PIXELS", 1 << 22)  # for time alone
    fuzz(600, 1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_many_mutated_files_end_in_a_picture_or_one_line(seed: int) -> None:
    fuzz(5_000, 100 + seed)


@pytest.mark.parametrize(
    ("data", "seems"),
    [
        (b"hello\n", "text"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript"),
        (b"\xc5\xd0\xd3\xc6\x20", "PostScript"),
        (b"<?xml version='1.0'?><svg/>", "an SVG drawing or a web page"),
        (b"\0\0\0\x18ftypheic\0\0", "HEIC, AVIF or a film"),
        (b"\x89HDF\r\n\x1a\n\0", "an HDF5 file"),
        (b"P7\nWIDTH 1\n", "text"),
    ],
)
def test_other_files_are_named(data: bytes, seems: str) -> None:
    assert kind_of(data[:64]) is None
    message = str(not_a_picture(data, "x.png"))
    assert message.startswith(f"x.png is not a picture we read (it looks like {seems});")


def test_no_other_decoder_is_ever_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = Image.open

    def spy(stream: io.BytesIO, formats: tuple[str, ...]) -> Image.Image:
        asked.append(formats)
        return real(stream, formats=formats)

    monkeypatch.setattr(Image, "open", spy)
    for data in EVERY_KIND.values():
        unit(data)
    assert {len(formats) for formats in asked} == {1}
    assert {formats[0] for formats in asked} == set(FORMATS)


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty.png").touch()
    for path, words in [
        (tmp_path, "is a folder where a picture is meant"),
        (tmp_path / "missing.png", "No such file"),
        (tmp_path / "empty.png", "is empty, not a picture"),
        (Path("/dev/null"), "not an ordinary file"),
        (Path("nul\0byte.png"), "null"),
        (tmp_path / ("x" * 300), "too long"),
    ]:
        with pytest.raises(ImageError, match=words):
            read_bytes(path)
    (tmp_path / "large.png").write_bytes(bytes(100))
    monkeypatch.setattr(file_kinds, "MAX_BYTES", 99)
    with pytest.raises(ImageError, match="too large"):
        read_bytes(tmp_path / "large.png")


@settings(max_examples=60, deadline=None)
@given(
    values=hnp.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))),
    height=st.integers(1, 30),
    width=st.integers(1, 30),
    channels=st.sampled_from([1, 3]),
)
def test_any_size_fits_any_model(
    values: np.ndarray, height: int, width: int, channels: int
) -> None:
    data = saved(Image.fromarray(values), "PNG")
    found, size = decode(data, "PNG", "it", (height, width, channels), quiet)
    assert found.shape == (height, width, channels)
    assert size == values.shape[:2]
    assert found.min() >= max(0.0, values.min() / 255.0 - 0.2)
    if values.min() == values.max():
        np.testing.assert_allclose(found, values[0, 0, 0] / 255.0, atol=1.01 / 255)
    # Symmetric in, symmetric out: the crop is even.
    if channels == 3:
        mirrored, _ = decode(
            saved(Image.fromarray(values[:, ::-1]), "PNG"), "PNG", "it", (height, width, 3), quiet
        )
        np.testing.assert_allclose(mirrored[:, ::-1], found, atol=2.01 / 255)


def test_what_juts_out_is_cropped_evenly() -> None:
    # 30 red, 40 green, 30 blue columns; a square model sees the middle 40.
    bands = np.zeros((40, 100, 3), np.uint8)
    bands[:, :30, 0] = bands[:, 30:70, 1] = bands[:, 70:, 2] = 255
    for size in (40, 20):
        found = unit(saved(Image.fromarray(bands), "PNG"), (size, size, 3))
        inner = found[:, 2:-2] if size != 40 else found
        np.testing.assert_array_equal(inner, np.broadcast_to([0.0, 1.0, 0.0], inner.shape))
        upright = np.swapaxes(bands, 0, 1)
        found = unit(saved(Image.fromarray(upright), "PNG"), (size, size, 3))
        inner = found[2:-2] if size != 40 else found
        np.testing.assert_array_equal(inner, np.broadcast_to([0.0, 1.0, 0.0], inner.shape))


@pytest.mark.parametrize("deep", [False, True])
def test_fine_detail_is_smoothed_not_aliased(deep: bool) -> None:
    board = (np.indices((120, 120)).sum(0) % 2).astype(np.uint8)
    data = (
        png(board.astype(np.uint16) * 65535, 0)
        if deep
        else saved(Image.fromarray(board * 255), "PNG")
    )
    found = unit(data, (23, 23, 1))
    np.testing.assert_allclose(found[1:-1, 1:-1], 0.5, atol=0.02)


def test_a_ramp_stays_a_ramp() -> None:
    ramp = np.broadcast_to(np.arange(240, dtype=np.uint8), (240, 240))
    found = unit(saved(Image.fromarray(ramp), "PNG"), (60, 60, 1))[30, :, 0] * 255
    # The middle of each four columns: 1.5, 5.5, 9.5 …
    np.testing.assert_allclose(found[2:-2], (np.arange(60) * 4 + 1.5)[2:-2], atol=0.51)


def test_a_large_jpeg_is_read_coarsely_but_rightly() -> None:
    y, x = np.mgrid[:1200, :1600]
    waves = (127.5 + 100 * np.sin(x / 90.0) * np.cos(y / 70.0)).astype(np.uint8)
    exact = unit(saved(Image.fromarray(waves), "PNG"), (64, 64, 1))
    data = saved(Image.fromarray(waves), "JPEG", quality=95)
    found, size = decode(data, "JPEG", "it", (64, 64, 1), quiet)
    np.testing.assert_allclose(found, exact, atol=3 / 255)
    assert size == (1200, 1600)


def test_open_sizes_are_the_picture_s_own_up_to_a_limit() -> None:
    wide = Image.fromarray(np.zeros((100, 3000), np.uint8))
    said: list[str] = []

    def taken(image: Image.Image, shape: Shape, kind: str = "PNG") -> tuple[int, ...]:
        found, size = decode(
            saved(image, kind), kind, "it", shape, lambda _, text: said.append(text)
        )
        assert size == (image.height, image.width)
        return found.shape[:2]

    assert taken(wide.resize((1024, 100)), OPEN_GREY) == (100, 1024)
    assert taken(wide.resize((70, 50)), (100, None, 1)) == (100, 140)
    assert taken(wide.resize((70, 50)), (None, 35, 1)) == (25, 35)
    assert said == []
    for kind in ("PNG", "JPEG"):
        assert taken(wide, OPEN_GREY, kind) == (34, MAX_SIDE)
        assert said.pop() == (
            "it is taken at 1024×34 pixels: the model takes any size, but a side is at most 1024 "
            "here"
        )
    assert taken(wide, (50, None, 1)) == (50, 1024)
    assert "1024×50" in said.pop()
    assert taken(Image.new("L", (1, 5000)), OPEN_GREY) == (1024, 1)
