"""Look into a .keras archive before anything is taken out of it."""

from __future__ import annotations

import io
import stat
import struct
import tempfile
import zipfile
from typing import BinaryIO, cast

from kerascnn.errors import ModelError, one_line
from kerascnn.loading.scan import allowlist
from kerascnn.loading.scan.report import Report

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"


def scan(archive: zipfile.ZipFile, report: Report) -> None:
    """Check the list of members: names, kinds and sizes. Nothing is unpacked."""
    seen: set[str] = set()
    for member in archive.infolist():
        name = member.filename
        where = f"{one_line(name, 80)} (archive)"
        if name.lower() in seen:
            report.find("a member that is there twice", where)
        seen.add(name.lower())
        parts = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name:
            report.find("a member that would be written outside the archive's folder", where)
        kind = member.external_attr >> 16
        if kind and stat.S_IFMT(kind) not in (0, stat.S_IFREG, stat.S_IFDIR):
            report.find("a member that is a link or a device", where)
        if member.flag_bits & 0x1:
            report.find("an encrypted member", where)
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            report.find("a member packed in an unusual way", where)
        room = member.compress_size * allowlist.MAX_RATIO + allowlist.SLACK_BYTES
        if member.file_size > room:
            report.find(f"a member that grows {_ratio(member)} times when it is unpacked", where)
        if parts[0] == "assets" and not member.is_dir():
            report.find("a file that layers read when they are loaded", where)
        elif name not in allowlist.MEMBERS and not member.is_dir():
            report.find("a member that no saved model has", where)


def _ratio(member: zipfile.ZipInfo) -> int:
    return member.file_size // max(member.compress_size, 1)


def read(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Return a small member's bytes.

    Raises:
        ModelError: there is no such member, or it is larger than ``limit`` bytes.
    """
    if name not in archive.namelist():
        raise ModelError(f"the archive is damaged: it has no {name}")
    with archive.open(name) as member:
        data = member.read(limit + 1)
    if len(data) > limit:
        raise ModelError(f"the {name} in the archive is larger than any model's")
    return data


def open_weights(archive: zipfile.ZipFile, stream: BinaryIO) -> BinaryIO:
    """Open the weights inside the archive as a file of their own that can be read anywhere.

    Stored as it is (as Keras does), the member is read where it lies; packed, it is unpacked to
    an unnamed temporary file, no further than its declared size, which ``scan`` has bounded.

    Raises:
        ModelError: there are no weights.
    """
    if WEIGHTS not in archive.namelist():
        raise ModelError(f"the archive is damaged: it has no {WEIGHTS}")
    member = archive.getinfo(WEIGHTS)
    if member.compress_type == zipfile.ZIP_STORED:
        part = _Part(stream, _start(member, stream), member.compress_size)
        return cast(BinaryIO, part)
    unpacked = tempfile.TemporaryFile(prefix="kerascnn-")  # noqa: SIM115 - the caller closes it
    left = member.file_size
    with archive.open(member) as source:
        while left > 0 and (block := source.read(min(left, 1 << 20))):
            unpacked.write(block)
            left -= len(block)
    unpacked.seek(0)
    return cast(BinaryIO, unpacked)


def _start(member: zipfile.ZipInfo, stream: BinaryIO) -> int:
    """Return where a member's bytes begin: behind its local header."""
    stream.seek(member.header_offset)
    header = stream.read(30)
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise ModelError("the archive is damaged: a member's header is not where it should be")
    name, extra = struct.unpack("<26xHH", header)
    return int(member.header_offset + 30 + name + extra)


class _Part(io.RawIOBase):
    """A stretch of an open file, as a file."""

    def __init__(self, stream: BinaryIO, start: int, length: int) -> None:
        #: Where in the file it begins, for those who read by the file's descriptor.
        self.start = start
        self._stream = stream
        self._length = length
        self._at = 0

    def fileno(self) -> int:
        return self._stream.fileno()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        base = {0: 0, 1: self._at, 2: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._stream.seek(self.start + self._at)
        wanted = max(0, min(len(buffer), self._length - self._at))
        data = self._stream.read(wanted)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
