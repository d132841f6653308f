"""MNIST: the lecture's part comes with the package, all of it is read from Keras' cache.

Any other data set in the layout of Keras' ``mnist.npz`` is read as well. Such a file is not
trusted: its sizes are checked before it is unpacked, and nothing in it is ever unpickled.
"""

from __future__ import annotations

import functools
import hashlib
import math
import os
import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from kerascnn.errors import DataError, UsageError, one_line
from kerascnn.sizes import size_text

#: How many of the training digits are in the package: those that the lecture takes.
EMBEDDED = 10_000
SIDE = 28
CLASSES = 10

#: The file that the package brings.
PACKAGED = Path(__file__).parent / "data" / "mnist-10000.npz"
_NAMES = ("x_train", "y_train", "x_test", "y_test")
# Digits are packed to about a fifth, a picture of one colour to a thousandth.
_MAX_EXPANSION = 200
_MAX_BYTES = 4 << 30
Array: TypeAlias = npt.NDArray[Any]

# What zipfile and numpy's header reader raise on damaged files.
_BROKEN = (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, ValueError)
_NO_HEADER = (ValueError, TypeError, SyntaxError, tokenize.TokenError, RecursionError, MemoryError)


@dataclass(frozen=True, eq=False)
class Digits:
    """Pictures of 28×28 pixels and their classes.

    Attributes:
        x_train: N×28×28, uint8, 0 to 255.
        y_train: N classes, uint8, 0 to 9.
        x_test: M×28×28, uint8, 0 to 255.
        y_test: M classes, uint8, 0 to 9.
        source: where they come from, in words.
    """

    x_train: npt.NDArray[np.uint8]
    y_train: npt.NDArray[np.uint8]
    x_test: npt.NDArray[np.uint8]
    y_test: npt.NDArray[np.uint8]
    source: str

    @functools.cached_property
    def sha256(self) -> str:
        """The SHA-256 of the values and their sizes; where they were read from does not matter."""
        digest = hashlib.sha256()
        for name in _NAMES:
            values = getattr(self, name)
            digest.update(f"{name} {values.shape}\n".encode())
            digest.update(values.tobytes())
        return digest.hexdigest()


def load_mnist(examples: int = EMBEDDED, path: Path | None = None) -> Digits:
    """Load the first ``examples`` training digits and all test digits.

    Args:
        examples: how many training digits. Up to 10,000 are in the package; more are read from
            the cache of ``keras.datasets`` (in the folder that ``KERAS_HOME`` names, if it is set).
        path: a file in the layout of Keras' ``mnist.npz``, to be read instead of both.

    Raises:
        UsageError: ``examples`` is not positive.
        DataError: there are fewer digits, none, or the file is not what it should be.
    """
    if examples < 1:
        raise UsageError(f"examples must be at least 1. Received: {examples}")
    if path is not None:
        return read_mnist(path, examples, one_line(path))
    if examples <= EMBEDDED:
        return read_mnist(PACKAGED, examples, "MNIST, in the package")
    caches = keras_caches()
    for cached in caches:
        if cached.is_file():
            return read_mnist(cached, examples, f"MNIST, {one_line(cached)}")
    raise DataError(
        f"{examples} training digits: the package holds {EMBEDDED}, and there is no "
        f"{one_line(' or '.join(map(str, caches)))}; give the whole mnist.npz with --data PATH, or "
        'let Keras fetch it: python -c "from tf_keras.datasets import mnist; mnist.load_data()"'
    )


def load_test_digits() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Load the packaged test digits alone: 10,000×28×28 and their classes, both uint8."""
    shown = "MNIST, in the package"
    arrays = _read_arrays(PACKAGED, shown, ("x_test", "y_test"))
    _check_part(arrays, "test", shown)
    return arrays["x_test"], arrays["y_test"].astype(np.uint8)


def keras_caches() -> list[Path]:
    """Return the paths where ``keras.datasets`` keeps MNIST; there may be no file."""
    # Keras 3 uses the variable, Keras 2 does not.
    home = os.environ.get("KERAS_HOME")
    bases = [Path(home)] if home else []
    return [base / "datasets" / "mnist.npz" for base in (*bases, Path("~/.keras").expanduser())]


def read_mnist(path: Path, examples: int, source: str) -> Digits:
    """Read a file in the layout of Keras' ``mnist.npz``.

    Args:
        path: the file.
        examples: how many of the training pictures to keep, from the first.
        source: what the result calls its source.

    Raises:
        DataError: the file can't be read or is not in that layout.
    """
    shown = one_line(path)
    arrays = _read_arrays(path, shown, _NAMES)
    for part in ("train", "test"):
        _check_part(arrays, part, shown)
    if len(arrays["y_train"]) < examples:
        raise DataError(
            f"{shown}: holds {len(arrays['y_train'])} training pictures, not the {examples} asked "
            "for; ask for fewer with --examples"
        )
    return Digits(
        x_train=arrays["x_train"][:examples],
        y_train=arrays["y_train"][:examples].astype(np.uint8),
        x_test=arrays["x_test"],
        y_test=arrays["y_test"].astype(np.uint8),
        source=source,
    )


def _check_part(arrays: dict[str, Array], part: str, shown: str) -> None:
    pictures, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
    if pictures.dtype != np.uint8 or pictures.shape[1:] != (SIDE, SIDE):
        raise DataError(
            f"{shown}: x_{part} must be N×{SIDE}×{SIDE} of uint8 (0 to 255). "
            f"Received: {_described(pictures)}"
        )
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise DataError(
            f"{shown}: y_{part} must be N whole numbers. Received: {_described(labels)}"
        )
    if len(pictures) != len(labels):
        raise DataError(
            f"{shown}: x_{part} holds {len(pictures)} pictures, y_{part} {len(labels)} labels"
        )
    if not len(labels):
        raise DataError(f"{shown}: x_{part} is empty")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= CLASSES:
        raise DataError(f"{shown}: y_{part} must be 0 to {CLASSES - 1}. Received: {low} to {high}")


def _described(array: Array) -> str:
    return f"{size_text(array.shape) or 'one'} of {array.dtype}"


def _read_arrays(path: Path, shown: str, names: tuple[str, ...]) -> dict[str, Array]:
    try:
        if not path.is_file():
            what = "no such file" if not path.exists() else "not a file"
            raise DataError(f"{shown}: {what}; a data set is one in the layout of Keras' mnist.npz")
        with zipfile.ZipFile(path) as archive:
            missing = [name for name in names if f"{name}.npy" not in archive.namelist()]
            if missing:
                raise DataError(
                    f"{shown}: has no {', '.join(missing)}; the layout of Keras' mnist.npz is "
                    f"{', '.join(_NAMES)}"
                )
            entries = {name: archive.getinfo(f"{name}.npy") for name in names}
            _check_sizes(entries, path.stat().st_size, shown)
            return {name: _read_array(archive, entry, shown) for name, entry in entries.items()}
    except _BROKEN as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{shown}: not a whole .npz file ({one_line(reason, 120)})") from error


def _check_sizes(entries: dict[str, zipfile.ZipInfo], stored: int, shown: str) -> None:
    declared = sum(entry.file_size for entry in entries.values())
    if declared > min(_MAX_BYTES, _MAX_EXPANSION * stored):
        raise DataError(
            f"{shown}: {stored:,} bytes that would unpack to {declared:,}; no data set shrinks so"
        )
    for entry in entries.values():
        if entry.flag_bits & 1 or entry.compress_type not in (
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
        ):
            raise DataError(f"{shown}: {entry.filename} is packed in a way that NumPy never does")


def _read_array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, shown: str) -> Array:
    where = f"{shown}: {entry.filename}"
    with archive.open(entry) as stream:
        try:
            shape, fortran, kind = _read_header(stream)
        except _NO_HEADER as error:
            raise DataError(f"{where} is not an array ({one_line(error, 120)})") from error
        if kind.hasobject:
            raise DataError(f"{where} holds Python objects, not numbers; they are never loaded")
        left = entry.file_size - stream.tell()
        if min(shape, default=0) < 0 or math.prod(shape) * kind.itemsize != left:
            raise DataError(
                f"{where} declares {one_line(shape, 80)} of {kind}; {left:,} bytes follow"
            )
        # Read to the end, where zipfile compares the checksum.
        data = stream.read(left + 1)
    if len(data) != left:
        raise DataError(f"{where} ends early")
    return np.frombuffer(data, kind).reshape(shape, order="F" if fortran else "C")


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(stream)
    raise ValueError(f"version {version[0]}.{version[1]} of the format")
