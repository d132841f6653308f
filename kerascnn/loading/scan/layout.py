"""Walk through an HDF5 file of the layout that Keras writes, without libhdf5.

Groups of the old kind (a tree of names), datasets of plain numbers that lie in one piece: that is
what h5py writes unless told otherwise. It takes a quarter of the time that libhdf5 takes, and what
is damaged is found before libhdf5 trips over it. Anything else raises `UnusualError` and is left to
``kerascnn.loading.scan.hdf5`` (HDF5 File Format Specification 3.0, III.A, III.B and III.D).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import NamedTuple

from kerascnn.loading.scan import allowlist
from kerascnn.loading.scan.attributes import ATTRIBUTE, Attributes
from kerascnn.loading.scan.headers import NOWHERE, Bytes, damaged, messages, number

_SPACE, _TYPE, _LAYOUT, _GROUP = 0x01, 0x03, 0x08, 0x11
#: Padding, fill values, comments, times: they change nothing of what is read.
_HARMLESS = frozenset({0x00, 0x04, 0x05, 0x0D, 0x0E, 0x12, 0x16})
_DATASET = frozenset({_SPACE, _TYPE, _LAYOUT})
_NUMBERS = (0, 1, 5, 8)
_MOST_NODES = 100_000
#: Members in a list and lists in a tree's node, as files usually have them at most.
_USUAL_MEMBERS, _USUAL_LEAVES = 8, 32
_NAME = struct.Struct("<QQI4xQQ")


class UnusualError(Exception):
    """The file is not of the layout that Keras writes."""


class Item(NamedTuple):
    """A member of a group: a dataset or a soft link.

    Attributes:
        path: its place in the file.
        soft: it is a soft link.
        numeric: it holds numbers.
        values: how many it declares.
        declared: their size in bytes.
        stored: how many bytes the file holds of them.
    """

    path: bytes
    soft: bool = False
    numeric: bool = True
    values: int = 0
    declared: int = 0
    stored: int = 0


class TwiceError(Exception):
    """An object stands in two places; the argument is the second."""


class DeepError(Exception):
    """Groups are nested too deeply, or there are too many objects; the argument is where."""


def walk(source: Bytes) -> Iterator[Item]:
    """Yield what ``source`` holds, groups aside.

    Raises:
        UnusualError: it is not of the layout that Keras writes.
        TwiceError: an object stands in two places.
        DeepError: it is far larger than any model.
        ModelError: it is damaged.
    """
    if source.root is None:
        raise UnusualError
    attributes = Attributes(source)
    seen = {source.root}
    waiting = [(source.root, b"", 0)]
    while waiting:
        address, path, depth = waiting.pop()
        found: dict[int, bytes] = {}
        for kind, flags, data in messages(source, address, _HARMLESS):
            if kind == ATTRIBUTE:
                attributes.one(flags, data)
            elif kind in found or flags & 2:
                raise UnusualError
            else:
                found[kind] = data
        if found.keys() == _DATASET:
            yield _dataset(source, path, found)
        elif len(found) == 1 and _GROUP in found:
            if depth > allowlist.MAX_HDF5_DEPTH or len(seen) > allowlist.MAX_HDF5_OBJECTS:
                raise DeepError(path)
            for name, inner in _names(source, found[_GROUP]):
                place = path + b"/" + name
                if inner is None:
                    yield Item(place, soft=True)
                elif inner in seen:
                    raise TwiceError(place)
                else:
                    seen.add(inner)
                    waiting.append((inner, place, depth + 1))
        else:
            raise UnusualError


# --- groups -----------------------------------------------------------------------------------


def _names(source: Bytes, table: bytes) -> Iterator[tuple[bytes, int | None]]:
    """Yield the members of a group: name and address, None for a soft link."""
    if len(table) < 16:
        raise damaged("a group is cut off")
    tree, heap = struct.unpack_from("<QQ", table)
    head = source.read(heap, 32)
    if head[:5] != b"HEAP\0":
        raise damaged("a group has no names")
    length, _, start = struct.unpack_from("<QQQ", head, 8)
    texts = source.read(start, length)
    for leaf in _leaves(source, tree):
        head = source.upto(leaf, 8 + 40 * _USUAL_MEMBERS)
        if head[:5] != b"SNOD\x01":
            raise damaged("a group's list of members is not where it should be")
        end = 8 + 40 * number(head[6:8])
        entries = head[8:end] if end <= len(head) else source.read(leaf + 8, end - 8)
        for offset, address, kind, _, _ in _NAME.iter_unpack(entries):
            end = texts.find(b"\0", offset)
            if not 0 <= offset < end:
                raise damaged("a member of a group has no name")
            if kind not in (0, 1, 2):
                raise UnusualError
            yield texts[offset:end], None if kind == 2 else address


def _leaves(source: Bytes, tree: int) -> Iterator[int]:
    """Yield the addresses of a group's lists of members: the leaves of a B-tree."""
    waiting: list[tuple[int, int | None]] = [(tree, None)]
    done = 0
    while waiting:
        address, expected = waiting.pop()
        done += 1
        if done > _MOST_NODES:
            raise damaged("a group's tree has no end")
        head = source.upto(address, 32 + 16 * _USUAL_LEAVES)
        level = head[5] if head[:5] == b"TREE\0" and len(head) > 24 else None
        if level is None or (expected is not None and level != expected):
            raise damaged("a group's tree is not where it should be")
        # Keys and children take turns: key, child, key, child … key.
        count = number(head[6:8])
        end = 32 + 16 * count
        rest = head[24:end] if end <= len(head) else source.read(address + 24, end - 24)
        children = [number(rest[8 + 16 * i : 16 + 16 * i]) for i in range(count)]
        if level == 0:
            yield from children
        else:
            waiting.extend((child, level - 1) for child in children)


# --- datasets ---------------------------------------------------------------------------------


def _dataset(source: Bytes, path: bytes, found: dict[int, bytes]) -> Item:
    kind, width = found[_TYPE][0] & 15, number(found[_TYPE][4:8])
    values = _values(found[_SPACE])
    return Item(
        path,
        numeric=kind in _NUMBERS and 0 < width <= 16,
        values=values,
        declared=values * width,
        stored=_stored(source, found[_LAYOUT]),
    )


def _values(space: bytes) -> int:
    if len(space) < 4 or space[0] not in (1, 2):
        raise UnusualError
    rank, at = space[1], 8 if space[0] == 1 else 4
    if space[0] == 2 and space[3] == 2:
        return 0  # a dataset of nothing at all
    if rank > 32 or len(space) < at + 8 * rank:
        raise damaged("a dataset has no shape")
    return math.prod(struct.unpack_from(f"<{rank}Q", space, at))


def _stored(source: Bytes, layout: bytes) -> int:
    if len(layout) < 4 or layout[0] != 3:
        raise UnusualError
    if layout[1] == 0:  # compact: in the header itself
        return len(layout) - 4
    if layout[1] != 1 or len(layout) < 18:
        raise UnusualError
    address, size = struct.unpack_from("<QQ", layout, 2)
    if address == NOWHERE:
        return 0
    if address + size > source.size:
        raise damaged("a dataset lies beyond its end")
    return int(size)
