"""Read an HDF5 file's bytes: its superblock, and the headers of its objects.

Written after the HDF5 File Format Specification 3.0, sections II and IV.A.1.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

from kerascnn.errors import ModelError

#: An address that stands for none.
NOWHERE = 2**64 - 1

_CONTINUATION = 0x10
_MOST_BLOCKS = 1000
#: Most headers fit into so many bytes, so that one read is enough.
_USUAL = 512
_OLD = struct.Struct("<HHBxxx")
_NEW = struct.Struct("<BHB")
_NEW_WITH_ORDER = struct.Struct("<BHBxx")


class FileBytes:
    """The bytes of an HDF5 file, by address.

    Attributes:
        size: how many there are.
        root: the address of the root group's header.
    """

    def __init__(self, stream: BinaryIO) -> None:
        """Read the superblock.

        Raises:
            ModelError: addresses are not of eight bytes, or do not count from the file's start.
        """
        self._stream = stream
        self.size = stream.seek(0, os.SEEK_END)
        head = self.read(0, 32)
        old = head[8] in (0, 1)
        more = 4 * head[8] if old else 0
        widths, base = (head[13:15], 24 + more) if old else (head[9:11], 12)
        if widths != b"\x08\x08" or self.read(base, 8) != bytes(8):
            raise ModelError("the HDF5 file is laid out in an unusual way, which is not read")
        self.root = number(self.read(64 + more if old else 36, 8))

    def read(self, at: int, length: int) -> bytes:
        """Return ``length`` bytes from the address ``at`` on.

        Raises:
            ModelError: the file ends before.
        """
        data = self.upto(at, length)
        if len(data) < length:
            raise damaged("an address lies beyond its end")
        return data

    def upto(self, at: int, length: int) -> bytes:
        """Return as many of ``length`` bytes from the address ``at`` on as there are."""
        if at >= self.size or length > self.size:
            return b""
        self._stream.seek(at)
        return self._stream.read(length)


def messages(source: FileBytes, address: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield the messages of an object's header: kind, flags, contents.

    Args:
        source: the file.
        address: of the header.

    Raises:
        ModelError: there is no header, or it is damaged.
    """
    head = source.upto(address, _USUAL)
    if len(head) < 16:
        raise damaged("an address lies beyond its end")
    if head[:4] == b"OHDR":
        at = 6 + (16 if head[5] & 0x20 else 0) + (4 if head[5] & 0x10 else 0)
        width = 1 << (head[5] & 3)
        first = (address + at + width, number(head[at : at + width]))
        layout, skip = _NEW_WITH_ORDER if head[5] & 4 else _NEW, 4
    elif head[0] == 1:
        first = (address + 16, number(head[8:12]))
        layout, skip = _OLD, 0
    else:
        raise damaged("an object has no header")
    blocks, done = [first], 0
    while blocks:
        done += 1
        if done > _MOST_BLOCKS:
            raise damaged("an object's header has no end")
        start, length = blocks.pop()
        inside = start - address
        if done == 1 and inside + length <= len(head):
            data = head[inside : inside + length]
        else:
            data = source.read(start, length)
        at, unpack, step = 0, layout.unpack_from, layout.size
        while at + step <= length:
            kind, room, flags = unpack(data, at)
            start = at + step
            at = start + room
            if at > length:
                raise damaged("an object's header is cut off")
            if kind == _CONTINUATION:
                offset, extent = number(data[start : start + 8]), number(data[start + 8 : at][:8])
                blocks.append((offset + skip, max(extent - 2 * skip, 0)))
            else:
                yield kind, flags, data[start:at]


def number(data: bytes) -> int:
    """Return little-endian bytes as a number."""
    return int.from_bytes(data, "little")


def damaged(reason: str) -> ModelError:
    """Return the error for a damaged HDF5 file."""
    return ModelError(f"the HDF5 file is damaged: {reason}")
