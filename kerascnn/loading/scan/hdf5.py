"""Read an HDF5 file with libhdf5, and find what reaches out of it or claims more than it holds.

HDF5 has links to other files, datasets whose bytes lie in other files or are views of them,
filters that are shared libraries, and lets a file of a few kilobytes declare terabytes. Keras
follows all of these.
"""

from __future__ import annotations

import math
from typing import Any, BinaryIO, TypeAlias

from kerascnn.errors import ModelError
from kerascnn.loading.scan.allowlist import FILTERS
from kerascnn.loading.scan.headers import FileBytes, damaged
from kerascnn.loading.scan.limits import (
    MAX_HDF5_DEPTH,
    MAX_HDF5_OBJECTS,
    MAX_RATIO,
    SLACK_BYTES,
)
from kerascnn.loading.scan.objects import Objects
from kerascnn.loading.scan.report import Report, bytes_text

#: A file, group or dataset of h5py, which has no types.
_Object: TypeAlias = Any


class Hdf5File:
    """An HDF5 file, each of whose objects is checked by its bytes before libhdf5 opens it.

    Attributes:
        attributes: the names of the root group's attributes.
        members: the names of the root group's members.

    Raises:
        ModelError: the root group is damaged.
    """

    def __init__(self, stream: BinaryIO) -> None:
        import h5py

        self._source = FileBytes(stream)
        self._objects = Objects(self._source)
        count = self._objects.check(self._source.root)
        stream.seek(0)
        self._file = h5py.File(stream, "r")
        self.attributes = frozenset(self._file.attrs)
        self.members = frozenset(self._file)
        if len(self.attributes) != count:
            raise damaged("the attributes of the root group can't be counted")

    def __enter__(self) -> Hdf5File:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def text(self, name: str) -> str | bytes | None:
        """Return a text among the root group's attributes, or None where there is none.

        Raises:
            ModelError: the attribute is no text.
        """
        value = self._file.attrs.get(name)
        if value is None or isinstance(value, (str, bytes)):
            return value
        raise ModelError(f"the {name} is damaged: it is no text")

    def scan(self, source: str, report: Report) -> None:
        """Walk through the whole file without reading any data.

        Args:
            source: how to call the file in findings; "" for the model file itself.
            report: takes the findings and the number of values stored.

        Raises:
            ModelError: the file is damaged.
        """
        _Walk(self._objects, self._source, source, report).run(self._file)


class _Walk:
    """One walk through one file, which findings call ``source``."""

    def __init__(self, objects: Objects, content: FileBytes, source: str, report: Report) -> None:
        self._objects = objects
        self._size = content.size
        self._source = source
        self._report = report
        self._seen = {content.root}
        self._stored = 0

    def _find(self, what: str, path: bytes) -> None:
        where = path.decode("utf-8", "replace") or "/"
        self._report.find(what, f"{where} ({self._source})" if self._source else where)

    def run(self, file: _Object) -> None:
        from h5py import h5g

        waiting: list[tuple[_Object, bytes, int]] = [(h5g.open(file.id, b"/"), b"", 0)]
        while waiting:
            group, path, depth = waiting.pop()
            if depth > MAX_HDF5_DEPTH or len(self._seen) > MAX_HDF5_OBJECTS:
                self._find("groups nested too deeply, or far too many objects", path)
                break
            for name in list(group):
                place = path + b"/" + name
                member = self._opened(group, name, place)
                if isinstance(member, h5g.GroupID):
                    waiting.append((member, place, depth + 1))
                elif member is not None:
                    self._dataset(member, place)
        if self._stored > self._size:
            self._find("datasets that share their bytes", b"")

    def _opened(self, group: _Object, name: bytes, path: bytes) -> _Object | None:
        """Open a member of a group, unless that is a finding."""
        from h5py import h5a, h5l, h5o

        link = group.links.get_info(name)
        if link.type != h5l.TYPE_HARD:
            kinds = {h5l.TYPE_SOFT: "a soft link", h5l.TYPE_EXTERNAL: "a link to another file"}
            self._find(kinds.get(link.type, "a link of an unknown kind"), path)
            return None
        if link.u in self._seen:
            self._find("an object that stands in two places", path)
            return None
        self._seen.add(link.u)
        attributes = self._objects.check(link.u)
        member = h5o.open(group, name)
        if h5a.get_num_attrs(member) != attributes:
            raise damaged("the attributes of an object can't be counted")
        return member

    def _dataset(self, dataset: _Object, path: bytes) -> None:
        from h5py import h5d, h5t

        if not isinstance(dataset, h5d.DatasetID):
            self._find("an object that is neither group nor dataset", path)
            return
        kind = dataset.get_type()
        # Keras 3 keeps bfloat16 as opaque bytes, and texts only for vocabularies.
        numbers = (h5t.INTEGER, h5t.FLOAT, h5t.ENUM, h5t.OPAQUE)
        if kind.get_class() not in numbers or kind.get_size() > 16:
            self._find("a dataset of something else than numbers", path)
            return
        properties = dataset.get_create_plist()
        form = properties.get_layout()
        if form == h5d.VIRTUAL:
            self._find("a virtual dataset, made of other files' data", path)
            return
        if form == h5d.CONTIGUOUS and properties.get_external_count():
            self._find("a dataset whose data lie in another file", path)
            return
        if form == h5d.CHUNKED:
            for index in range(properties.get_nfilters()):
                number = properties.get_filter(index)[0]
                if number not in FILTERS:
                    self._find(f"a dataset packed by the plug-in filter {number}", path)
        values = math.prod(dataset.shape) if dataset.shape is not None else 0
        declared, stored = values * kind.get_size(), dataset.get_storage_size()
        self._report.values += values
        self._stored += stored
        room = stored * (MAX_RATIO if form == h5d.CHUNKED else 1) + SLACK_BYTES
        if declared > room or stored > self._size:
            held = f"a dataset of {bytes_text(declared)} of which the file holds"
            self._find(f"{held} {bytes_text(stored)}", path)
