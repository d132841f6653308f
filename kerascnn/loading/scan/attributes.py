"""Check the texts among an HDF5 file's attributes before libhdf5 reads them.

The configuration of a Keras model is an attribute: a text of variable length, whose bytes lie in a
global heap. libhdf5 trusts what it finds there. A text that claims more bytes than its heap object
has makes it read beyond its memory, and free space that claims no length keeps it busy for ever; a
few damaged bytes are enough for either. So the way from an object's header to its texts is walked
here first (HDF5 File Format Specification 3.0, sections III.E and IV.A.2.m).
"""

from __future__ import annotations

import math
import struct

from kerascnn.loading.scan import allowlist
from kerascnn.loading.scan.headers import NOWHERE, Bytes, damaged, messages, number

ATTRIBUTE, ATTRIBUTE_INFO = 0x0C, 0x15
_INTEGER, _FLOAT, _TEXT, _ENUMERATION, _VARIABLE_LENGTH = 0, 1, 3, 8, 9
_OBJECT = struct.Struct("<HHIQ")
_PLAIN = (_INTEGER, _FLOAT, _TEXT, _ENUMERATION)
#: What Keras reads, and takes for texts.
_TEXTS = (b"layer_names", b"weight_names", b"model_config", b"training_config", b"keras_version")


class Attributes:
    """The attributes of a file's objects."""

    def __init__(self, source: Bytes) -> None:
        self._source = source
        self._heaps: dict[int, dict[int, int]] = {}

    def check(self, address: int, count: int) -> None:
        """Check the attributes of one object.

        Args:
            address: of the object's header.
            count: how many attributes libhdf5 sees.

        Raises:
            ModelError: they are damaged, or kept where they can't be checked.
        """
        seen = 0
        for kind, flags, data in messages(self._source, address):
            if kind == ATTRIBUTE_INFO:
                at = 4 if data[1:2] > b"\0" and data[1] & 1 else 2
                if number(data[at : at + 8]) != NOWHERE:
                    raise damaged("its attributes are kept in an unusual way")
            elif kind == ATTRIBUTE:
                seen += 1
                self.one(flags, data)
        if seen != count:
            raise damaged("an object's attributes can't be told")

    def one(self, flags: int, data: bytes) -> None:
        """Check one attribute: a message of an object's header.

        Raises:
            ModelError: it is damaged or of an unusual kind.
        """
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
        at_sizes = 8 if space[0] == 1 else 4
        if len(space) < at_sizes + 8 * space[1]:
            raise damaged("an attribute has no shape")
        shape = struct.unpack_from(f"<{space[1]}Q", space, at_sizes)
        nothing = space[0] == 2 and space[3] == 2
        count, width = 0 if nothing else math.prod(shape), number(kind[4:8])
        if count * width > allowlist.MAX_ATTRIBUTE_BYTES:
            raise damaged("an attribute is larger than any model's")
        if kind[0] & 15 in _PLAIN:
            # Of a layer without weights, the empty list of names is written as numbers.
            if kind[0] & 15 != _TEXT and count and name in _TEXTS:
                raise damaged(f"{name.decode()} is no text")
        elif _is_text(kind):
            self._texts(data[at + lengths[1] + lengths[2] :], count)
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
        if address not in self._heaps:
            self._heaps[address] = self._walked(address)
        return self._heaps[address]

    def _walked(self, address: int) -> dict[int, int]:
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
        return objects


def _is_text(kind: bytes) -> bool:
    """Tell whether a data type is text of variable length: sixteen bytes that point to it."""
    if kind[0] & 15 != _VARIABLE_LENGTH or kind[1] & 15 != 1 or number(kind[4:8]) != 16:
        return False
    return len(kind) >= 16 and kind[8] & 15 in (_INTEGER, _TEXT) and number(kind[12:16]) == 1
