"""Walk through an HDF5 file and find what reaches out of it, or claims more than it holds.

HDF5 has links to other files, datasets whose bytes lie in other files or are views of them,
filters that are shared libraries, and lets a file of a few kilobytes declare terabytes. Keras
follows all of these.
"""

from __future__ import annotations

import math
from typing import Any, BinaryIO

from kerascnn.loading.scan import allowlist, layout
from kerascnn.loading.scan.attributes import Attributes
from kerascnn.loading.scan.headers import Bytes
from kerascnn.loading.scan.report import Report

_TWICE = "an object that stands in two places"
_DEEP = "groups nested too deeply, or far too many objects"
_TEXTS = "a dataset of something else than numbers"


def scan(stream: BinaryIO, source: str, report: Report) -> None:
    """Walk through everything in a file without reading any data.

    Args:
        stream: the file.
        source: how to call the file in findings; "" for the model file itself.
        report: takes the findings and the number of values stored.

    Raises:
        ModelError: the file is damaged.
    """
    content = Bytes(stream)
    judge = _Judge(content.size, source, report)
    try:
        _walk_usual(content, judge)
    except layout.UnusualError:
        judge = _Judge(content.size, source, report)
        _walk_any(stream, content, judge)
    judge.finish()


class _Judge:
    """What is found, whoever walks."""

    def __init__(self, size: int, source: str, report: Report) -> None:
        self._size = size
        self._source = source
        self._report = report
        self._stored = 0
        self._values = 0

    def find(self, what: str, path: bytes) -> None:
        where = path.decode("utf-8", "replace") or "/"
        self._report.find(what, f"{where} ({self._source})" if self._source else where)

    def count(self, path: bytes, values: int, declared: int, stored: int, ratio: int) -> None:
        self._values += values
        self._stored += stored
        if declared > stored * ratio + allowlist.SLACK_BYTES or stored > self._size:
            self.find(
                f"a dataset of {_size(declared)} of which the file holds {_size(stored)}", path
            )

    def finish(self) -> None:
        self._report.values += self._values
        if self._stored > self._size:
            self.find("datasets that share their bytes", b"")


def _walk_usual(content: Bytes, judge: _Judge) -> None:
    """Walk through a file as Keras writes it."""
    try:
        for item in layout.walk(content):
            if item.soft:
                judge.find("a soft link", item.path)
            elif not item.numeric:
                judge.find(_TEXTS, item.path)
            else:
                judge.count(item.path, item.values, item.declared, item.stored, 1)
    except layout.TwiceError as error:
        judge.find(_TWICE, error.args[0])
    except layout.DeepError as error:
        judge.find(_DEEP, error.args[0])


def _walk_any(stream: BinaryIO, content: Bytes, judge: _Judge) -> None:
    """Walk through any file, with libhdf5."""
    import h5py

    stream.seek(0)
    with h5py.File(stream, "r") as file:
        _Walk(Attributes(content), judge).run(file)


class _Walk:
    def __init__(self, attributes: Attributes, judge: _Judge) -> None:
        self._attributes = attributes
        self._judge = judge
        self._seen: set[Any] = set()

    def run(self, file: Any) -> None:
        from h5py import h5a, h5g, h5o

        root = file.id
        self._attributes.check(h5o.get_info(root).addr, h5a.get_num_attrs(root))
        self._seen.add(h5o.get_info(root).addr)
        waiting: list[tuple[Any, bytes, int]] = [(h5g.open(root, b"/"), b"", 0)]
        while waiting:
            group, path, depth = waiting.pop()
            if depth > allowlist.MAX_HDF5_DEPTH or len(self._seen) > allowlist.MAX_HDF5_OBJECTS:
                self._judge.find(_DEEP, path)
                return
            for name in list(group):
                inner = self._member(group, name, path + b"/" + name)
                if inner is not None:
                    waiting.append((inner, path + b"/" + name, depth + 1))

    def _member(self, group: Any, name: bytes, path: bytes) -> Any:
        """Check one member; return it if it is a group to walk into."""
        from h5py import h5a, h5d, h5g, h5l, h5o

        link = group.links.get_info(name)
        if link.type != h5l.TYPE_HARD:
            kinds = {h5l.TYPE_SOFT: "a soft link", h5l.TYPE_EXTERNAL: "a link to another file"}
            self._judge.find(kinds.get(link.type, "a link of an unknown kind"), path)
            return None
        if link.u in self._seen:
            self._judge.find(_TWICE, path)
            return None
        self._seen.add(link.u)
        member = h5o.open(group, name)
        if count := h5a.get_num_attrs(member):
            self._attributes.check(link.u, count)
        if isinstance(member, h5g.GroupID):
            return member
        if isinstance(member, h5d.DatasetID):
            self._dataset(member, path)
        else:
            self._judge.find("an object that is neither group nor dataset", path)
        return None

    def _dataset(self, dataset: Any, path: bytes) -> None:
        from h5py import h5d, h5t

        kind = dataset.get_type()
        # Keras 3 keeps bfloat16 as opaque bytes, and texts only for vocabularies.
        numbers = (h5t.INTEGER, h5t.FLOAT, h5t.ENUM, h5t.OPAQUE)
        if kind.get_class() not in numbers or kind.get_size() > 16:
            self._judge.find(_TEXTS, path)
            return
        properties = dataset.get_create_plist()
        form = properties.get_layout()
        if form == h5d.VIRTUAL:
            self._judge.find("a virtual dataset, made of other files' data", path)
            return
        if form == h5d.CONTIGUOUS and properties.get_external_count():
            self._judge.find("a dataset whose data lie in another file", path)
            return
        if form == h5d.CHUNKED:
            for index in range(properties.get_nfilters()):
                number = properties.get_filter(index)[0]
                if number not in allowlist.FILTERS:
                    self._judge.find(f"a dataset packed by the plug-in filter {number}", path)
        values = math.prod(dataset.shape) if dataset.shape is not None else 0
        ratio = allowlist.MAX_RATIO if form == h5d.CHUNKED else 1
        declared, stored = values * kind.get_size(), dataset.get_storage_size()
        self._judge.count(path, values, declared, stored, ratio)


def _size(count: int) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if count < 1024 or unit == "TiB":
            return f"{min(count, 10**9):.0f} {unit}"
        count >>= 10
    return "?"
