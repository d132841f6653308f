"""The ``.keras`` archive: a zip file of a configuration, a version and the weights."""

from __future__ import annotations

import contextlib
import io
import json
import stat
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from typing import BinaryIO, cast

from kerascnn.errors import ModelError, one_line
from kerascnn.families import family_of_version
from kerascnn.loading.formats.format import Format, Sniffed, version_text
from kerascnn.loading.scan.allowlist import MEMBERS
from kerascnn.loading.scan.hdf5 import Hdf5File
from kerascnn.loading.scan.limits import MAX_CONFIG_BYTES, MAX_RATIO, SLACK_BYTES
from kerascnn.loading.scan.report import Report

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_MAX_METADATA_BYTES = 1 << 16


class Archive(Format):
    """What ``model.save("model.keras")`` writes."""

    noun = "archive"
    magic = (b"PK\x03\x04", b"PK\x05\x06")

    def _sniff(self, stream: BinaryIO) -> Sniffed:
        with zipfile.ZipFile(stream) as archive:
            names = archive.namelist()
            if _CONFIG not in names:
                raise ModelError(f"is a zip file without a Keras model (no {_CONFIG})")
            metadata = None
            # An encrypted member can't be read; the scan refuses it.
            if _METADATA in names and not archive.getinfo(_METADATA).flag_bits & 1:
                with archive.open(_METADATA) as member:
                    metadata = json.loads(member.read(_MAX_METADATA_BYTES))
        given = metadata.get("keras_version") if isinstance(metadata, dict) else None
        version = version_text(given)
        family = family_of_version(version)
        return Sniffed("Keras archive", "model", version, family, "model.keras")

    def _look_through(self, stream: BinaryIO, report: Report) -> list[tuple[str, str | bytes]]:
        with zipfile.ZipFile(stream) as archive:
            _check_members(archive.infolist(), report)
            if report.findings:
                return []
            if _WEIGHTS not in archive.namelist():
                raise ModelError(f"the archive is damaged: it has no {_WEIGHTS}")
            with _weights(archive, stream) as weights, Hdf5File(weights) as file:
                file.scan(_WEIGHTS, report)
            with archive.open(_CONFIG) as config:
                return [(_CONFIG, config.read(MAX_CONFIG_BYTES + 1))]


def _check_members(members: list[zipfile.ZipInfo], report: Report) -> None:
    """Check the list of members: names, kinds and sizes. Nothing is unpacked."""
    seen: set[str] = set()
    for member in members:
        where = f"{one_line(member.filename, 80)} (archive)"
        if member.filename.lower() in seen:
            report.find("a member that is there twice", where)
        seen.add(member.filename.lower())
        _check_member(member, where, report)


def _check_member(member: zipfile.ZipInfo, where: str, report: Report) -> None:
    name = member.filename
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
    if member.file_size > member.compress_size * MAX_RATIO + SLACK_BYTES:
        ratio = member.file_size // max(member.compress_size, 1)
        report.find(f"a member that grows {ratio} times when it is unpacked", where)
    if parts[0] == "assets" and not member.is_dir():
        report.find("a file that layers read when they are loaded", where)
    elif name not in MEMBERS and not member.is_dir():
        report.find("a member that no saved model has", where)


@contextlib.contextmanager
def _weights(archive: zipfile.ZipFile, stream: BinaryIO) -> Iterator[BinaryIO]:
    """Open the weights inside the archive as a file that can be read at any place.

    Stored without compression (as Keras does), they are read where they lie; packed, they are
    unpacked to an unnamed temporary file, no further than the size they declare, which was checked.
    """
    member = archive.getinfo(_WEIGHTS)
    if member.compress_type == zipfile.ZIP_STORED:
        yield cast(BinaryIO, _Part(stream, _start(member, stream), member.compress_size))
        return
    with tempfile.TemporaryFile(prefix="kerascnn-") as unpacked, archive.open(member) as source:
        left = member.file_size
        while left > 0 and (block := source.read(min(left, 1 << 20))):
            unpacked.write(block)
            left -= len(block)
        unpacked.seek(0)
        yield cast(BinaryIO, unpacked)


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
        self._stream = stream
        self._start = start
        self._length = length
        self._at = 0

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
        self._stream.seek(self._start + self._at)
        wanted = max(0, min(len(buffer), self._length - self._at))
        data = self._stream.read(wanted)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
