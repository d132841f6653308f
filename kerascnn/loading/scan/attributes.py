"""Check the texts among an HDF5 file's attributes before libhdf5 reads them.

The configuration of a Keras model is an attribute: a text of variable length, whose bytes lie in a
global heap. libhdf5 trusts what it finds there. A text that claims more bytes than its heap object
has makes libhdf5 read beyond its memory, and free space of length zero makes it loop without end; a
few damaged bytes are enough for either (HDF5 File Format Specification 3.0, sections III.E and
IV.A.2.m).
"""

from __future__ import annotations

import math
import struct

from kerascnn.loading.scan.headers import FileBytes, damaged, number
from kerascnn.loading.scan.limits import MAX_ATTRIBUTE_BYTES

_INTEGER, _FLOAT, _TEXT, _ENUMERATION, _VARIABLE_LENGTH = 0, 1, 3, 8, 9
_OBJECT = struct.Struct("<HHIQ")
_PLAIN = (_INTEGER, _FLOAT, _TEXT, _ENUMERATION)
#: What Keras reads, and takes for texts.
_TEXTS = (b"layer_names", b"weight_names", b"model_config", b"training_config", b"keras_version")


class Attributes:
    """The attributes of a file's objects."""

    def __init__(self, source: FileBytes) -> None:
        self._source = source
        self._heaps: dict[int, dict[int, int]] = {}

    def check(self, flags: int, data: bytes) -> None:
        """Check one attribute.

        Args:
            flags: of its message in the object's header.
            data: the message's contents.

        Raises:
            ModelError: it is damaged or of an unusual kind.
        """
        name, kind, space, values = _parts(flags, data)
        count, width = _count(space), number(kind[4:8])
        if count * width > MAX_ATTRIBUTE_BYTES:
            raise damaged("an attribute is larger than any model's")
        if kind[0] & 15 in _PLAIN:
            # Of a layer without weights, the empty list of names is written as numbers.
            if kind[0] & 15 != _TEXT and count and name in _TEXTS:
                raise damaged(f"{name.decode()} is no text")
        elif _is_text(kind):
            self._texts(values, count)
        else:
            raise damaged("an attribute is of an unusual type")

    def _texts(self, pointers: bytes, count: int) -> None:
        if count * 16 > len(pointers):
            raise damaged("an attribute is cut off")
        for length, heap, index in struct.iter_unpack("<IQI", pointers[: count * 16]):
            # A text of no length is read from nowhere.
            if length and length > self._heap(heap).get(index, -1):
                raise damaged("a text is longer than what is there of it")

    def _heap(self, address: int) -> dict[int, int]:
        """Walk through a global heap as libhdf5 would: object → its length."""
        if address in self._heaps:
            return self._heaps[address]
        head = self._source.read(address, 16)
        length = number(head[8:16])
        if head[:5] != b"GCOL\x01" or not 32 <= length <= self._source.size - address:
            raise damaged("a text lies where there is none")
        data = self._source.read(address, length)
        objects = {}
        at = 16
        while at + _OBJECT.size <= length:
            index, _, _, room = _OBJECT.unpack_from(data, at)
            step = room if index == 0 else _OBJECT.size + (room + 7) // 8 * 8
            if step < _OBJECT.size or at + step > length:
                raise damaged("the texts don't follow one another")
            if index:
                objects[index] = room
            at += step
        self._heaps[address] = objects
        return objects


def _parts(flags: int, data: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Return the parts of an attribute: name, data type, data space, values."""
    if flags & 2 or len(data) < 9:
        raise damaged("an attribute is kept in an unusual way")
    version, shared, *lengths = struct.unpack_from("<BBHHH", data)
    if version not in (1, 2, 3) or (version > 1 and shared):
        raise damaged("an attribute is of an unknown kind")
    at = 9 if version == 3 else 8
    name = data[at : at + lengths[0]].rstrip(b"\0")
    if version == 1:  # there each part is filled up to a multiple of eight
        lengths = [(length + 7) // 8 * 8 for length in lengths]
    at += lengths[0]
    kind, space = data[at : at + lengths[1]], data[at + lengths[1] :][: lengths[2]]
    if len(kind) < 8 or len(space) < 4:
        raise damaged("an attribute is cut off")
    return name, kind, space, data[at + lengths[1] + lengths[2] :]


def _count(space: bytes) -> int:
    """Return how many values a data space has."""
    version, rank = space[0], space[1]
    at = 8 if version == 1 else 4
    if len(space) < at + 8 * rank:
        raise damaged("an attribute has no shape")
    nothing = version == 2 and space[3] == 2
    return 0 if nothing else math.prod(struct.unpack_from(f"<{rank}Q", space, at))


def _is_text(kind: bytes) -> bool:
    """Tell whether a data type is text of variable length: sixteen bytes that point to it."""
    if kind[0] & 15 != _VARIABLE_LENGTH or kind[1] & 15 != 1 or number(kind[4:8]) != 16:
        return False
    return len(kind) >= 16 and kind[8] & 15 in (_INTEGER, _TEXT) and number(kind[12:16]) == 1
