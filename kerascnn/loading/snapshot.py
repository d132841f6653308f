"""A file as it is now, for as long as it is looked at: what was scanned is what gets loaded."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from kerascnn.errors import ModelError, one_line
from kerascnn.loading.sniffing import open_regular

#: Larger files are not copied but pinned: opened once, and reached through that opening alone.
_COPY = 64 << 20
_BLOCK = 1 << 20


class Snapshot:
    """A model file, private to us.

    Attributes:
        path: where Keras finds it, inside a temporary directory; see ``named``.
        shown: the user's name for it, for errors.
    """

    def __init__(self, source: BinaryIO, folder: Path, shown: str) -> None:
        self.shown = shown
        self.path = folder / "file"
        self._source = source
        self._state = _state(source)
        self._pin(source)
        self._digest = Digest(self.path, shown)
        self._wanted = False

    def _pin(self, source: BinaryIO) -> None:
        opened = Path(f"/proc/self/fd/{source.fileno()}")
        if self._state[0] > _COPY and opened.exists():
            self.path.symlink_to(opened)
            return
        with self.path.open("wb") as copy:
            shutil.copyfileobj(source, copy, _BLOCK)
        source.seek(0)

    def named(self, name: str) -> Path:
        """Give the file the name that a loader wants, and return its path."""
        wanted = self.path.with_name(name)
        self.path.rename(wanted)
        self.path = wanted
        return wanted

    def open(self) -> BinaryIO:
        """Open the file for reading."""
        return self.path.open("rb")

    def digest(self) -> Digest:
        """Return the SHA-256 of what was loaded; that of a large file may take a little longer.

        Raises:
            ModelError: the file has changed since it was opened.
        """
        if _state(self._source) != self._state:
            raise ModelError(f"{self.shown}: was changed by something else while it was read")
        self._wanted = True
        return self._digest

    def close(self) -> None:
        """Wait for, or stop, whatever still reads the copy."""
        if not self._wanted:
            self._digest.stop()
        elif not self.path.is_symlink():
            self._digest.result()


def _state(source: BinaryIO) -> tuple[int, int, int]:
    found = os.fstat(source.fileno())
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


@contextlib.contextmanager
def take_snapshot(path: Path) -> Iterator[Snapshot]:
    """Take a snapshot of the file at ``path``; it is gone when the block ends.

    Raises:
        ModelError: it is no regular file, or can't be read.
    """
    shown = one_line(path)
    with (
        open_regular(path) as source,
        tempfile.TemporaryDirectory(prefix="kerascnn-") as folder,
    ):
        try:
            taken = Snapshot(source, Path(folder), shown)
        except OSError as error:
            reason = one_line(error.strerror or error)
            raise ModelError(f"{shown}: can't be copied to {folder}: {reason}") from None
        try:
            yield taken
        finally:
            taken.close()


class Digest:
    """The SHA-256 of a file, computed while Keras is at work."""

    def __init__(self, path: Path, shown: str) -> None:
        self._shown = shown
        self._stream = path.open("rb")
        # Nobody changes a copy but ourselves, who rename it.
        self._state = _state(self._stream) if path.is_symlink() else None
        self._stopped = threading.Event()
        self._hash = hashlib.sha256()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="kerascnn-sha256", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            with self._stream:
                while not self._stopped.is_set() and (block := self._stream.read(_BLOCK)):
                    self._hash.update(block)
                if self._state is not None and _state(self._stream) != self._state:
                    raise OSError("it was changed meanwhile")
        except OSError as error:
            self._error = error

    def result(self) -> str:
        """Return it, as hexadecimal digits.

        Raises:
            ModelError: the file can't be read to its end, or has changed meanwhile.
        """
        self._thread.join()
        if self._error is not None:
            raise ModelError(f"{self._shown}: can't be read again: {one_line(self._error)}")
        return self._hash.hexdigest()

    def stop(self) -> None:
        """Give it up."""
        self._stopped.set()
        self._thread.join()


def sha256_of_folder(folder: Path) -> str:
    """Return one SHA-256 of all files below ``folder``: of their sorted names and contents."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(str(path.stat().st_size).encode() + b"\0")
            with path.open("rb") as stream:
                while block := stream.read(_BLOCK):
                    digest.update(block)
    return digest.hexdigest()
