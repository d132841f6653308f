"""Pictures in ``.npy`` and ``.npz`` files, read without pickle and within bounds."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from kerascnn.errors import ImageError, one_line
from kerascnn.images.file_kinds import MAX_BYTES
from kerascnn.images.fitting import Notice, to_unit
from kerascnn.images.picture import Picture
from kerascnn.network.input_spec import InputSpec

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


def pictures_of(
    array: np.ndarray, path: Path, spec: InputSpec, notice: Notice
) -> Iterator[Picture]:
    """Yield the pictures in an array: uint8 as picture files are, floats as the model's own values.

    Args:
        array: of shape (H, W), (H, W, C), (N, H, W) or (N, H, W, C), as far as the model's number
            of channels tells these apart.
        path: where it was read from.
        spec: what the model takes.
        notice: is called with what was done to a picture: the kind of it, and a line.

    Raises:
        ImageError: it does not fit the model, or is not finite.
    """
    stack = _stack(array, one_line(path), spec)
    for index, values in enumerate(stack):
        name, source = one_line(path.stem, 60), one_line(path)
        if len(stack) > 1:
            name, source = f"{name} {index}", f"{source}[{index}]"
        if values.dtype == np.uint8:
            fitted = spec.encode(unit_of_bytes(values, source, spec, notice))
        else:
            fitted = _own_values(values, source, spec, notice)
        yield Picture(fitted, name, source, None, (values.shape[0], values.shape[1]))


def _stack(array: np.ndarray, name: str, spec: InputSpec) -> np.ndarray:
    """Return an array as (N, H, W, channels)."""
    channels = {spec.channels}
    if array.dtype == np.uint8 and spec.channels in (1, 3):
        channels = {1, 3, 4}
    if array.ndim == 4 and array.shape[-1] in channels:
        return array
    if array.ndim == 3 and array.shape[-1] in channels:
        return array[np.newaxis]
    if array.ndim == 3 and 1 in channels:
        return array[..., np.newaxis]
    if array.ndim == 2 and 1 in channels:
        return array[np.newaxis, ..., np.newaxis]
    raise ImageError(
        f"{name} must be of shape (H, W, {spec.channels}) or (N, H, W, {spec.channels}), "
        f"as the model takes it. Received: {array.shape}"
    )


def unit_of_bytes(values: np.ndarray, name: str, spec: InputSpec, notice: Notice) -> np.ndarray:
    """Return uint8 values (H, W, C) fitted to a model, in [0, 1]; see `to_unit`."""
    from PIL import Image

    height, width, channels = spec.shape
    if channels in (1, 3):
        image = Image.fromarray(
            np.ascontiguousarray(values.squeeze(-1) if values.shape[-1] == 1 else values)
        )
        return to_unit(image, name, spec.shape, notice)
    planes = [
        to_unit(
            Image.fromarray(np.ascontiguousarray(values[..., c])), name, (height, width, 1), notice
        )
        for c in range(channels)
    ]
    return np.concatenate(planes, axis=-1)


def _own_values(values: np.ndarray, name: str, spec: InputSpec, notice: Notice) -> np.ndarray:
    for side, wanted in zip(values.shape, spec.shape, strict=True):
        if wanted is not None and side != wanted:
            shape = tuple("any" if wanted is None else wanted for wanted in spec.shape)
            raise ImageError(
                f"{name} holds the model's own values (floats), so it must be of shape {shape}. "
                f"Received: {values.shape}"
            )
    own = values.astype(np.float32)
    if not np.isfinite(own).all():
        raise ImageError(f"{name} has values that are not finite")
    slack = 0.01 * spec.noise_scale
    if (own < spec.low - slack).any() or (own > spec.high + slack).any():
        notice(
            "range",
            f"{name} has values from {own.min():.4g} to {own.max():.4g}, taken as they are; the "
            f"model's are from {spec.low.min():.4g} to {spec.high.max():.4g}",
        )
    return own
