"""Check the global heaps of an HDF5 file before libhdf5 reads them.

Texts of variable length, such as the configuration of a Keras model, lie in global heaps (HDF5 File
Format Specification, III.E): a collection is a chain of objects, each followed by the next. libhdf5
walks a chain whose free space claims no length for ever, and a few zeros in the wrong place make
one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from kerascnn.errors import ModelError

_SIGNATURE = b"GCOL\x01"
_HEADER = struct.Struct("<HHIQ")
_BLOCK = 1 << 20


def check(stream: BinaryIO, size: int, extents: list[tuple[int, int]]) -> None:
    """Check every heap outside the datasets.

    Args:
        stream: the HDF5 file.
        size: in bytes.
        extents: where the datasets lie, as (start, end); no heap is looked for there.

    Raises:
        ModelError: a heap is damaged, or its numbers are of an unusual width.
    """
    stream.seek(0)
    head = stream.read(16)
    widths = head[13:15] if head[8:9] in (b"\0", b"\1") else head[9:11]
    if widths != b"\x08\x08":
        raise ModelError("the HDF5 file is damaged: its addresses are not of eight bytes")
    for start, end in _gaps(size, extents):
        at = _find(stream, start, end)
        while at is not None:
            at = _find(stream, at + _collection(stream, at, size), end)


def _gaps(size: int, extents: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    at = 0
    for start, end in sorted(extents):
        if start > at:
            yield at, start
        at = max(at, end)
    if at < size:
        yield at, size


def _find(stream: BinaryIO, start: int, end: int) -> int | None:
    """Return where the next heap begins, from ``start`` on and before ``end``."""
    while start < end:
        stream.seek(start)
        block = stream.read(min(_BLOCK, end - start) + len(_SIGNATURE) - 1)
        found = block.find(_SIGNATURE)
        if found >= 0:
            return start + found if start + found < end else None
        if len(block) < _BLOCK:
            return None
        start += _BLOCK
    return None


def _collection(stream: BinaryIO, start: int, size: int) -> int:
    """Walk through a heap as libhdf5 would; return its length."""
    stream.seek(start + 8)
    (length,) = struct.unpack("<Q", stream.read(8).ljust(8, b"\0"))
    if length < 32 or start + length > size:
        raise ModelError("the HDF5 file is damaged: a heap is longer than the file")
    at = 16
    while at + _HEADER.size <= length:
        stream.seek(start + at)
        index, _, _, room = _HEADER.unpack(stream.read(_HEADER.size))
        step = room if index == 0 else _HEADER.size + (room + 7) // 8 * 8
        if step < _HEADER.size or at + step > length:
            raise ModelError("the HDF5 file is damaged: a heap's objects don't follow one another")
        at += step
    return int(length)
