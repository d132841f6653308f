"""Check an object of an HDF5 file by its bytes, before libhdf5 opens it."""

from __future__ import annotations

from kerascnn.loading.scan.attributes import Attributes
from kerascnn.loading.scan.headers import NOWHERE, FileBytes, damaged, messages, number
from kerascnn.loading.scan.trees import check_chunks, check_group

_LAYOUT, _ATTRIBUTE, _SYMBOL_TABLE, _ATTRIBUTE_INFO = 0x08, 0x0C, 0x11, 0x15


class Objects:
    """The groups and datasets of a file, by address."""

    def __init__(self, source: FileBytes) -> None:
        self._source = source
        self._attributes = Attributes(source)

    def check(self, address: int) -> int:
        """Check one object.

        Args:
            address: of the object's header.

        Returns:
            How many attributes it has: libhdf5 must count as many.

        Raises:
            ModelError: it is damaged, or kept where it can't be checked.
        """
        attributes = 0
        for kind, flags, data in messages(self._source, address):
            if kind == _ATTRIBUTE:
                attributes += 1
                self._attributes.check(flags, data)
            elif kind == _SYMBOL_TABLE:
                check_group(self._source, data)
            elif kind == _LAYOUT:
                check_chunks(self._source, data)
            elif kind == _ATTRIBUTE_INFO:
                at = 4 if data[1:2] > b"\0" and data[1] & 1 else 2
                if number(data[at : at + 8]) != NOWHERE:
                    raise damaged("an object's attributes are kept in an unusual way")
        return attributes
