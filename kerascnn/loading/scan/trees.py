"""Check the trees and lists of an HDF5 file before libhdf5 follows them.

The members of a group and the chunks of a dataset hang on trees; a group's names lie in a heap
that lists its free places. libhdf5 goes down a tree until a node calls itself a leaf, and along the
list until it ends: a node that is its own child crashes the process, a free place that comes after
itself fills the memory (HDF5 File Format Specification 3.0, sections III.A.1, III.D and IV.A.2).
"""

from __future__ import annotations

import struct

from kerascnn.loading.scan.headers import NOWHERE, FileBytes, damaged, number

_GROUP_NODE, _CHUNK_NODE = 0, 1
_CHUNKED = 2
_NO_FREE_PLACE = 1
#: More than the tree of any file that Keras writes.
MAX_NODES = 100_000


def check_group(source: FileBytes, table: bytes) -> None:
    """Check the tree and the heap of a group.

    Args:
        source: the file.
        table: the group's message "symbol table": the addresses of both.

    Raises:
        ModelError: one of them is damaged or has no end.
    """
    if len(table) < 16:
        raise damaged("a group is cut off")
    tree, heap = struct.unpack_from("<QQ", table)
    _check_tree(source, tree, _GROUP_NODE, 8)
    head = source.read(heap, 32)
    if head[:4] != b"HEAP":
        raise damaged("a group has no names")
    length, free, start = struct.unpack_from("<QQQ", head, 8)
    names = source.read(start, length)
    places = 0
    while free != _NO_FREE_PLACE:
        places += 1
        if free + 16 > length or 16 * places > length:
            raise damaged("the free places among a group's names have no end")
        free = number(names[free : free + 8])


def check_chunks(source: FileBytes, layout: bytes) -> None:
    """Check the tree of a dataset's chunks, if it has one.

    Args:
        source: the file.
        layout: the dataset's message "data layout".

    Raises:
        ModelError: the tree is damaged or has no end.
    """
    if layout[:1] == b"\x03":
        kind, rank, address = layout[1:2], layout[2:3], layout[3:11]
    elif layout[:1] in (b"\x01", b"\x02"):
        kind, rank, address = layout[2:3], layout[1:2], layout[8:16]
    else:
        return  # later versions have chunks in other structures
    if number(kind) == _CHUNKED and number(address) != NOWHERE:
        _check_tree(source, number(address), _CHUNK_NODE, 8 + 8 * number(rank))


def _check_tree(source: FileBytes, root: int, kind: int, key: int) -> None:
    """See that each step down a tree leads to a lower level, and that there are not too many.

    Args:
        source: the file.
        root: the address of the uppermost node.
        kind: of the nodes.
        key: the size of the key before each child, in bytes.
    """
    waiting: list[tuple[int, int | None]] = [(root, None)]
    seen = 0
    while waiting:
        address, expected = waiting.pop()
        seen += 1
        if seen > MAX_NODES:
            raise damaged("a tree has no end")
        head = source.read(address, 24)
        level = head[5]
        if head[:4] != b"TREE" or head[4] != kind or expected not in (None, level):
            raise damaged("a tree's node is not where it should be")
        if level:
            count, step = number(head[6:8]), key + 8
            children = source.read(address + 24, count * step)
            for at in range(key, count * step, step):
                waiting.append((number(children[at : at + 8]), level - 1))
