"""Walk through an HDF5 file and find what reaches out of it, or claims more than it holds.

HDF5 has links to other files, datasets whose bytes lie in other files or are views of them,
filters that are shared libraries, and lets a file of a few kilobytes declare terabytes. Keras
follows all of these.
"""

from __future__ import annotations

import math
import os
from typing import Any, BinaryIO

import h5py
from h5py import h5a, h5d, h5g, h5l, h5o, h5t

from kerascnn.scan import allowed
from kerascnn.scan.attributes import Attributes
from kerascnn.scan.report import Report

_LINKS = {h5l.TYPE_SOFT: "a soft link", h5l.TYPE_EXTERNAL: "a link to another file"}
#: Numbers, and what Keras 3 keeps bfloat16 as.
_NUMBERS = (h5t.INTEGER, h5t.FLOAT, h5t.ENUM, h5t.OPAQUE)
_READ_ATTRIBUTES = (b"layer_names", b"weight_names", b"model_config", b"training_config")


def scan(file: h5py.File, stream: BinaryIO, source: str, report: Report) -> None:
    """Walk through everything in ``file`` without reading any data.

    Args:
        file: open for reading.
        stream: the same file's bytes.
        source: how to call the file in findings; "" for the model file itself.
        report: takes the findings and the number of values stored.

    Raises:
        ModelError: the file is damaged in a way that libhdf5 does not survive.
    """
    size = stream.seek(0, os.SEEK_END)
    _Walk(Attributes(stream, size), size, source, report).run(file)


class _Walk:
    def __init__(self, attributes: Attributes, size: int, source: str, report: Report) -> None:
        self._texts = attributes
        self._size = size
        self._source = source
        self._report = report
        self._seen: set[Any] = set()
        self._stored = 0

    def _find(self, what: str, path: bytes) -> None:
        where = path.decode("utf-8", "replace") or "/"
        self._report.find(what, f"{where} ({self._source})" if self._source else where)

    def run(self, file: h5py.File) -> None:
        root = file.id
        self._texts.check(h5o.get_info(root).addr, h5a.get_num_attrs(root))
        self._attributes(root, b"")
        waiting: list[tuple[Any, bytes, int]] = [(h5g.open(root, b"/"), b"", 0)]
        while waiting:
            group, path, depth = waiting.pop()
            if depth > allowed.MAX_HDF5_DEPTH:
                self._find("groups nested too deeply", path)
                return
            for name in list(group):
                if len(self._seen) > allowed.MAX_HDF5_OBJECTS:
                    self._find(f"more than {allowed.MAX_HDF5_OBJECTS} objects", b"")
                    return
                inner = self._member(group, name, path + b"/" + name)
                if inner is not None:
                    waiting.append((inner, path + b"/" + name, depth + 1))
        if self._stored > self._size:
            self._find("datasets that share their bytes", b"")

    def _member(self, group: Any, name: bytes, path: bytes) -> Any:
        """Check one member; return it if it is a group to walk into."""
        link = group.links.get_info(name)
        if link.type != h5l.TYPE_HARD:
            self._find(_LINKS.get(link.type, "a link of an unknown kind"), path)
            return None
        if link.u in self._seen:
            self._find("an object that stands in two places", path)
            return None
        self._seen.add(link.u)
        member = h5o.open(group, name)
        if count := h5a.get_num_attrs(member):
            self._texts.check(link.u, count)
        if isinstance(member, h5g.GroupID):
            self._attributes(member, path)
            return member
        if isinstance(member, h5d.DatasetID):
            self._dataset(member, path)
        else:
            self._find("an object that is neither group nor dataset", path)
        return None

    def _attributes(self, group: Any, path: bytes) -> None:
        for name in _READ_ATTRIBUTES:
            if h5a.exists(group, name):
                attribute = h5a.open(group, name)
                kind, count = attribute.get_type(), math.prod(attribute.shape)
                # Of a layer without weights the empty list of names is written as numbers.
                if kind.get_class() != h5t.STRING and count:
                    self._find(f"{name.decode()} that is no text", path)
                elif count * kind.get_size() > allowed.MAX_ATTRIBUTE_BYTES:
                    self._find(f"{name.decode()} larger than any model's", path)

    def _dataset(self, dataset: Any, path: bytes) -> None:
        kind = dataset.get_type()
        if kind.get_class() not in _NUMBERS or kind.get_size() > 16:
            # Keras keeps texts only for vocabularies, which are refused with their layers.
            self._find("a dataset of something else than numbers", path)
            return
        properties = dataset.get_create_plist()
        layout = properties.get_layout()
        if layout == h5d.VIRTUAL:
            self._find("a virtual dataset, made of other files' data", path)
            return
        if layout == h5d.CONTIGUOUS and properties.get_external_count():
            self._find("a dataset whose data lie in another file", path)
            return
        packed = False
        if layout == h5d.CHUNKED:
            for index in range(properties.get_nfilters()):
                packed = True
                number = properties.get_filter(index)[0]
                if number not in allowed.FILTERS:
                    self._find(f"a dataset packed by the plug-in filter {number}", path)
        self._count(dataset, kind.get_size(), packed or layout == h5d.CHUNKED, path)

    def _count(self, dataset: Any, width: int, packed: bool, path: bytes) -> None:
        values = math.prod(dataset.shape)
        declared, stored = values * width, dataset.get_storage_size()
        self._report.values += values
        self._stored += stored
        room = stored * (allowed.MAX_RATIO if packed else 1) + allowed.SLACK_BYTES
        if declared > room or stored > self._size:
            self._find(
                f"a dataset of {_size(declared)} of which the file holds {_size(stored)}", path
            )


def _size(count: int) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if count < 1024 or unit == "TiB":
            return f"{min(count, 10**9):.0f} {unit}"
        count >>= 10
    return "?"
