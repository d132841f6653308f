"""Check the texts among an HDF5 file's attributes before libhdf5 reads them.

The configuration of a Keras model is an attribute: a text of variable length, whose bytes lie in a
global heap. libhdf5 trusts what it finds there. A text that claims more bytes than its heap object
has makes it read beyond its memory, and free space that claims no length keeps it busy for ever; a
few damaged bytes are enough for either. So the way from an object's header to its texts is walked
here first (HDF5 File Format Specification 3.0, sections III.E, IV.A.1 and IV.A.2.m).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import BinaryIO

from kerascnn.errors import ModelError

_NOWHERE = 2**64 - 1
_ATTRIBUTE, _CONTINUATION, _ATTRIBUTE_INFO = 0x0C, 0x10, 0x15
_INTEGER, _FLOAT, _TEXT, _ENUMERATION, _VARIABLE_LENGTH = 0, 1, 3, 8, 9
_PLAIN = (_INTEGER, _FLOAT, _TEXT, _ENUMERATION)
_MOST_BLOCKS = 1000


class Attributes:
    """The attributes of a file's objects, by the objects' addresses."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        """Read the file's head.

        Args:
            stream: the file.
            size: in bytes.

        Raises:
            ModelError: addresses are not of eight bytes, or don't count from the start.
        """
        self._stream = stream
        self._size = size
        self._heaps: dict[int, dict[int, int]] = {}
        head = self._read(0, 32)
        old = head[8] in (0, 1)
        widths, base = (head[13:15], 24 + 4 * head[8]) if old else (head[9:11], 12)
        if widths != b"\x08\x08" or self._read(base, 8) != bytes(8):
            raise ModelError("the HDF5 file is laid out in an unusual way, which is not read")

    def check(self, address: int, count: int) -> None:
        """Check the texts of one object.

        Args:
            address: of the object's header.
            count: how many attributes libhdf5 sees.

        Raises:
            ModelError: they are damaged, or kept where they can't be checked.
        """
        seen = 0
        for kind, flags, data in self._messages(address):
            if kind == _ATTRIBUTE_INFO:
                at = 4 if data[1] & 1 else 2
                if _number(data[at : at + 8]) != _NOWHERE:
                    raise _damaged("its attributes are kept in an unusual way")
            elif kind == _ATTRIBUTE:
                seen += 1
                self._attribute(flags, data)
        if seen != count:
            raise _damaged("an object's attributes can't be told")

    def _read(self, at: int, length: int) -> bytes:
        self._stream.seek(min(at, self._size))
        data = self._stream.read(length)
        if len(data) < length:
            raise _damaged("something lies beyond its end")
        return data

    # -- object headers ---------------------------------------------------------------------------

    def _messages(self, address: int) -> Iterator[tuple[int, int, bytes]]:
        """Yield the messages of an object's header: kind, flags, contents."""
        head = self._read(address, 16)
        if head[:4] == b"OHDR":
            at = address + 6 + (16 if head[5] & 0x20 else 0) + (4 if head[5] & 0x10 else 0)
            width = 1 << (head[5] & 3)
            first = (at + width, _number(self._read(at, width)))
            layout, skip = struct.Struct("<BHBxx" if head[5] & 4 else "<BHB"), 4
        elif head[0] == 1:
            first = (address + 16, _number(head[8:12]))
            layout, skip = struct.Struct("<HHBxxx"), 0
        else:
            raise _damaged("an object has no header")
        blocks, done = [first], 0
        while blocks:
            done += 1
            if done > _MOST_BLOCKS:
                raise _damaged("an object's header has no end")
            start, length = blocks.pop()
            data = self._read(start, length) if length <= self._size else b""
            at = 0
            while at + layout.size <= len(data):
                kind, room, flags = layout.unpack_from(data, at)
                at += layout.size
                content = data[at : at + room]
                if len(content) < room:
                    raise _damaged("an object's header is cut off")
                at += room
                if kind == _CONTINUATION:
                    offset, extent = _number(content[:8]), _number(content[8:16])
                    blocks.append((offset + skip, max(extent - 2 * skip, 0)))
                else:
                    yield kind, flags, content

    # -- attributes -------------------------------------------------------------------------------

    def _attribute(self, flags: int, data: bytes) -> None:
        if flags & 2 or len(data) < 9:
            raise _damaged("an attribute is kept in an unusual way")
        version, shared, *lengths = struct.unpack_from("<BBHHH", data)
        if version not in (1, 2, 3) or (version > 1 and shared):
            raise _damaged("an attribute is of an unknown kind")
        if version == 1:  # there each part is filled up to a multiple of eight
            lengths = [(length + 7) // 8 * 8 for length in lengths]
        at = (9 if version == 3 else 8) + lengths[0]
        kind, space = data[at : at + lengths[1]], data[at + lengths[1] :][: lengths[2]]
        if len(kind) < 8 or len(space) < 4:
            raise _damaged("an attribute is cut off")
        if kind[0] & 15 in _PLAIN:
            return
        if not _is_text(kind):
            raise _damaged("an attribute is of an unusual type")
        sizes = 8 if space[0] == 1 else 4
        shape = [_number(space[sizes + 8 * i :][:8]) for i in range(space[1])]
        texts = data[at + lengths[1] + lengths[2] :]
        count = math.prod(shape)
        if count * 16 > len(texts):
            raise _damaged("an attribute is cut off")
        for length, heap, index in struct.iter_unpack("<IQI", texts[: count * 16]):
            # A text of no length is read from nowhere.
            if length and length > self._heap(heap).get(index, -1):
                raise _damaged("a text is longer than what is there of it")

    # -- heaps ------------------------------------------------------------------------------------

    def _heap(self, address: int) -> dict[int, int]:
        """Walk through a global heap as libhdf5 would: object → its length."""
        if address not in self._heaps:
            self._heaps[address] = self._walked(address)
        return self._heaps[address]

    def _walked(self, address: int) -> dict[int, int]:
        head = self._read(address, 16)
        length = _number(head[8:16])
        if head[:5] != b"GCOL\x01" or not 32 <= length <= self._size - address:
            raise _damaged("a text lies where there is none")
        objects = {}
        at = 16
        while at + 16 <= length:
            index, _, _, room = struct.unpack("<HHIQ", self._read(address + at, 16))
            step = room if index == 0 else 16 + (room + 7) // 8 * 8
            if step < 16 or at + step > length:
                raise _damaged("the texts don't follow one another")
            if index:
                objects[index] = room
            at += step
        return objects


def _is_text(kind: bytes) -> bool:
    """Tell whether a data type is text of variable length: sixteen bytes that point to it."""
    if kind[0] & 15 != _VARIABLE_LENGTH or kind[1] & 15 != 1 or _number(kind[4:8]) != 16:
        return False
    return len(kind) >= 16 and kind[8] & 15 in (_INTEGER, _TEXT) and _number(kind[12:16]) == 1


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _damaged(reason: str) -> ModelError:
    return ModelError(f"the HDF5 file is damaged: {reason}")
