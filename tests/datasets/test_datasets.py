"""MNIST: what the package holds, what is read from elsewhere, what is refused."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.paths import SCRIPTS
from kerascnn.datasets import load_mnist, mnist
from kerascnn.errors import DataError, UsageError

NAMES = ("x_train", "y_train", "x_test", "y_test")


@pytest.fixture(scope="module")
def embedded():
    return load_mnist()


def arrays(train=12, test=6, side=28):
    random = np.random.default_rng(0)
    return {
        "x_train": random.integers(0, 256, (train, side, side), np.uint8),
        "y_train": random.integers(0, 10, train, np.uint8),
        "x_test": random.integers(0, 256, (test, side, side), np.uint8),
        "y_test": random.integers(0, 10, test, np.uint8),
    }


def save(path, **changed):
    np.savez_compressed(path, **(arrays() | changed))
    return path


def refused(path, examples=5):
    with pytest.raises(DataError) as caught:
        load_mnist(examples, path)
    text = str(caught.value)
    assert "\n" not in text
    assert path.name in text
    return text


# --- the embedded digits ---------------------------------------------------------------------


def test_embedded_sizes(embedded):
    assert embedded.x_train.shape == embedded.x_test.shape == (10_000, 28, 28)
    assert embedded.y_train.shape == embedded.y_test.shape == (10_000,)
    assert {getattr(embedded, name).dtype for name in NAMES} == {np.dtype(np.uint8)}


def test_embedded_test_digits_are_those_of_the_original_files(embedded):
    # The published files are the values behind a header of big-endian sizes.
    pictures = struct.pack(">4i", 2051, 10_000, 28, 28) + embedded.x_test.tobytes()
    labels = struct.pack(">2i", 2049, 10_000) + embedded.y_test.tobytes()
    assert hashlib.md5(pictures).hexdigest() == "2646ac647ad5339dbf082846283269ea"
    assert hashlib.md5(labels).hexdigest() == "27ae3e4e09519cfbb04c329615203637"


def test_embedded_training_digits_are_the_first_ones(embedded):
    assert embedded.y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    counts = [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978]
    assert np.bincount(embedded.y_train).tolist() == counts


def test_the_first_examples_are_taken(embedded):
    few = load_mnist(123)
    assert np.array_equal(few.x_train, embedded.x_train[:123])
    assert np.array_equal(few.y_train, embedded.y_train[:123])
    assert np.array_equal(few.x_test, embedded.x_test)


def test_the_identity_is_that_of_the_values(embedded, tmp_path):
    assert load_mnist(500).sha256 != embedded.sha256
    copy = tmp_path / "copy.npz"
    np.savez(copy, **{name: getattr(embedded, name) for name in NAMES})
    other = load_mnist(10_000, copy)
    assert other.sha256 == embedded.sha256
    assert other.source == str(copy)
    turned = arrays()
    turned["y_test"] = 9 - turned["y_test"]
    first = load_mnist(5, save(tmp_path / "a.npz"))
    assert load_mnist(5, save(tmp_path / "b.npz", **turned)).sha256 != first.sha256


def test_the_embedding_script_keeps_the_digits(embedded, tmp_path):
    script = SCRIPTS / "embed_data.py"
    spec = importlib.util.spec_from_file_location("embed_data", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    whole, target = tmp_path / "whole.npz", tmp_path / "embedded.npz"
    more = {name: getattr(embedded, name) for name in NAMES}
    more["x_train"] = np.concatenate([more["x_train"], more["x_train"][:7]])
    more["y_train"] = np.concatenate([more["y_train"], more["y_train"][:7]]).astype(np.int64)
    np.savez(whole, **more)
    module.main([str(whole), "--out", str(target)])
    assert load_mnist(10_000, target).sha256 == embedded.sha256


# --- other files -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.dtype(">i4"), np.uint16])
def test_labels_of_any_whole_numbers(tmp_path, kind):
    labels = arrays()["y_train"]
    found = load_mnist(12, save(tmp_path / "d.npz", y_train=labels.astype(kind)))
    assert found.y_train.dtype == np.uint8
    assert np.array_equal(found.y_train, labels)


def test_columns_first_and_uncompressed_and_more_than_needed(tmp_path):
    path, values = tmp_path / "d.npz", arrays()
    fortran = np.asfortranarray(values["x_train"])
    np.savez(path, **(values | {"x_train": fortran, "names": np.array(["a", "b"])}))
    assert np.array_equal(load_mnist(12, path).x_train, values["x_train"])


def whole(path):
    """Put 10,001 training digits where Keras would keep MNIST."""
    cached = path / "datasets" / "mnist.npz"
    cached.parent.mkdir(parents=True)
    values = arrays()
    values["x_train"] = np.resize(values["x_train"], (10_001, 28, 28))
    values["y_train"] = np.resize(values["y_train"], 10_001)
    np.savez_compressed(cached, **values)
    return cached


def test_more_examples_come_from_keras_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    with pytest.raises(DataError, match=r"no .*mnist\.npz or .*mnist\.npz; give .*--data PATH"):
        load_mnist(10_001)
    cached = whole(tmp_path / "home" / ".keras")
    assert str(cached) in load_mnist(10_001).source
    cached = whole(tmp_path / "keras")
    assert str(cached) in load_mnist(10_001).source
    with pytest.raises(DataError, match="10001 training pictures, not the 60000"):
        load_mnist(60_000)
    assert load_mnist(10_000).source == "MNIST, in the package"


@pytest.mark.parametrize("examples", [0, -1])
def test_examples_are_positive(examples):
    with pytest.raises(UsageError, match=f"at least 1. Received: {examples}"):
        load_mnist(examples)


# --- what is refused -------------------------------------------------------------------------

CHANGES = {
    "floats": ({"x_train": np.zeros((12, 28, 28))}, "uint8"),
    "signed pixels": ({"x_test": np.ones((6, 28, 28), np.int8)}, "x_test must be"),
    "other size": ({"x_train": arrays(side=32)["x_train"]}, "12×32×32 of uint8"),
    "flat pictures": ({"x_train": arrays()["x_train"].reshape(12, 784)}, "N×28×28"),
    "colour": ({"x_test": np.stack([arrays()["x_test"]] * 3, -1)}, "6×28×28×3"),
    "one value": ({"x_train": np.uint8(3)}, "one of uint8"),
    "label too high": ({"y_train": np.full(12, 10)}, "0 to 9. Received: 10 to 10"),
    "label negative": ({"y_test": np.full(6, -1)}, "Received: -1 to -1"),
    "one-hot": ({"y_train": np.eye(12, 10, dtype=np.uint8)}, "12×10 of uint8"),
    "label floats": ({"y_train": np.zeros(12)}, "whole numbers"),
    "label words": ({"y_train": np.array(["seven"] * 12)}, "whole numbers"),
    "label booleans": ({"y_train": np.zeros(12, bool)}, "whole numbers"),
    "too few labels": ({"y_train": np.zeros(11, np.uint8)}, "12 pictures, y_train 11"),
    "no test digits": (arrays(test=0), "x_test is empty"),
    "no training digits": (arrays(train=0), "x_train is empty"),
    "records": ({"y_train": np.zeros(12, [("a", "u1")])}, "whole numbers"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_arrays_that_do_not_fit(tmp_path, case):
    changed, says = CHANGES[case]
    assert says in refused(save(tmp_path / "d.npz", **changed))


def test_fewer_digits_than_asked_for(tmp_path):
    assert "12 training pictures, not the 13" in refused(save(tmp_path / "d.npz"), 13)


@pytest.mark.parametrize("missing", NAMES)
def test_missing_arrays(tmp_path, missing):
    path, values = tmp_path / "d.npz", arrays()
    del values[missing]
    np.savez(path, **values)
    assert f"has no {missing};" in refused(path)


class Trap:
    """Leaves a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_python_objects_are_never_loaded(tmp_path):
    sprung = tmp_path / "sprung"
    trap = np.array([Trap(sprung)] * 12, dtype=object)
    path = save(tmp_path / "d.npz", y_train=trap)
    assert "Python objects" in refused(path)
    assert not sprung.exists()


def test_paths_that_are_no_data_set(tmp_path):
    assert "no such file" in refused(tmp_path / "nowhere.npz")
    assert "not a file" in refused(tmp_path)
    for content in (b"", b"PK", b"no zip at all" * 99, b"\x93NUMPY\x01\x00"):
        path = tmp_path / "broken.npz"
        path.write_bytes(content)
        assert "not a whole .npz" in refused(path)
    np.save(tmp_path / "array.npy", arrays()["x_train"])
    assert "not a whole .npz" in refused(tmp_path / "array.npy")


def test_truncated(tmp_path):
    path = save(tmp_path / "d.npz")
    content = path.read_bytes()
    for length in (len(content) // 2, len(content) - 1, len(content) - 30):
        path.write_bytes(content[:length])
        assert "not a whole .npz" in refused(path)


def packed(path, compression=zipfile.ZIP_DEFLATED, **replaced):
    """Write an .npz with raw bytes in place of some arrays."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, values in arrays().items():
            content = io.BytesIO()
            np.save(content, values)
            archive.writestr(f"{name}.npy", replaced.get(name, content.getvalue()))
    return path


def header(shape, kind="|u1"):
    content = io.BytesIO()
    described = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(content, described)
    return content.getvalue()


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    def unpacked(*_, **__):
        raise AssertionError("it was unpacked")

    path = packed(tmp_path / "d.npz", x_train=header((60_000, 28, 28)) + bytes(60_000 * 784))
    monkeypatch.setattr(mnist, "_read_array", unpacked)
    assert "would unpack to 47," in refused(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (header((10**12, 28, 28)) + bytes(784), "784 bytes follow"),
        (header((12, 28, 28)) + bytes(784), "784 bytes follow"),
        (header((-1, 28, 28)) + bytes(784), "bytes follow"),
        (header((0, 10**30)), "not a whole .npz"),
        (b"\x93NUMPY\x03\x00" + header((1,))[8:], "version 3.0"),
        (b"\x93NUMPY\x01\x00\x02\x00()", "not an array"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535, "not an array"),
        (b"\x93NUMPY\x01\x00\x03\x00'''", "not an array"),
        (b"", "not an array"),
        (b"hello, world", "not an array"),
    ],
)
def test_headers_that_lie(tmp_path, content, says):
    assert says in refused(packed(tmp_path / "d.npz", x_train=content))


def test_packings_that_numpy_never_uses(tmp_path):
    assert "packed in a way" in refused(packed(tmp_path / "d.npz", zipfile.ZIP_BZIP2))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=4),
    kept=st.floats(0.5, 1),
    compressed=st.booleans(),
)
def test_damage_is_told_or_harmless(tmp_path_factory, edits, kept, compressed):
    folder = tmp_path_factory.mktemp("damaged")
    path = packed(folder / "d.npz", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    for place, value in edits:
        content[int(place * (len(content) - 1))] = value
    path.write_bytes(content[: int(len(content) * kept)] if kept < 0.9 else content)
    before = arrays()
    try:
        found = load_mnist(12, path)
    except DataError as error:
        assert "\n" not in str(error)
    else:
        assert all(np.array_equal(getattr(found, name), before[name]) for name in NAMES)
