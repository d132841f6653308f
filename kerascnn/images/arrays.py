"""Arrays in ``.npy`` and ``.npz`` files, read without pickle and within bounds."""

from __future__ import annotations

import io
import math
import zipfile

import numpy as np

from kerascnn.errors import ImageError, one_line
from kerascnn.images.decoding import MAX_BYTES

_MAX_HEADER = 10_000
_MEMBER = "images"


def read_array(data: bytes, kind: str, name: str) -> np.ndarray:
    """Return the one array in a file: of uint8 or of floats, of any shape without a zero.

    In an ``.npz`` of several arrays it is the one named ``images``, as kerascnn's own results have
    it.

    Args:
        data: the file's bytes.
        kind: ``"NPY"`` or ``"NPZ"``.
        name: the file's name, for errors.

    Raises:
        ImageError: damaged, too large, ambiguous, or of another type (objects above all).
    """
    try:
        return _parse(_member(data, name) if kind == "NPZ" else data, name)
    except ImageError:
        raise
    except Exception as error:  # as for decoders: damaged files make these raise nearly anything
        reason = one_line(error, 120) or type(error).__name__
        raise ImageError(f"can't read array {name}: damaged or cut short ({reason})") from error


def _member(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
        if len(members) != 1:
            members = [info for info in members if info.filename == f"{_MEMBER}.npy"]
        if len(members) != 1:
            inside = ", ".join(one_line(entry, 40) for entry in archive.namelist()[:8])
            raise ImageError(
                f"{name} must hold one array, or one named {_MEMBER}. Received: {inside or 'none'}"
            )
        if members[0].file_size > MAX_BYTES:
            raise ImageError(
                f"{name} is too large: its array declares {members[0].file_size >> 20} MiB, "
                f"at most {MAX_BYTES >> 20} are read"
            )
        with archive.open(members[0]) as stream:
            # Never more than declared, whatever the compressed bytes say.
            return stream.read(members[0].file_size)


def _parse(data: bytes, name: str) -> np.ndarray:
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ImageError(f"{name} is an array file of version {version}, which we don't read")
    width = 2 if version == (1, 0) else 4
    if int.from_bytes(data[8 : 8 + width], "little") > _MAX_HEADER:
        raise ImageError(f"{name} is no plain array file: its header is too long")
    read_header = (
        np.lib.format.read_array_header_1_0 if width == 2 else np.lib.format.read_array_header_2_0
    )
    shape, fortran, dtype = read_header(stream)
    if dtype != np.uint8 and not (dtype.kind == "f" and dtype.itemsize <= 8):
        raise ImageError(
            f"{name} must be of uint8 (a picture, 0–255) or of floats (the model's own values). "
            f"Received: {one_line(dtype, 60)}"
        )
    if any(side < 1 for side in shape):
        raise ImageError(f"{name} is an empty array, of shape {one_line(shape, 60)}")
    count = math.prod(shape)
    if count * dtype.itemsize > len(data) - stream.tell():
        raise ImageError(f"can't read array {name}: cut short, its shape is {one_line(shape, 60)}")
    flat = np.frombuffer(data, dtype, count, offset=stream.tell())
    return flat.reshape(shape, order="F" if fortran else "C")
