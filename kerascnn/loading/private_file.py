"""A model file that stays as it is while it is scanned and loaded."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from kerascnn.errors import ModelError, one_line
from kerascnn.loading.digest import BackgroundDigest, state_of

#: Larger files are not copied: they are opened once, and reached through that opening alone.
MAX_COPY = 64 << 20


def is_folder(path: Path) -> bool:
    """Tell whether ``path`` is a directory; what can't be looked at is not."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading; never wait for a pipe or a device.

    Raises:
        ModelError: there is no such file, it is no regular file, or it can't be read.
    """
    shown = one_line(path)
    try:
        # Without O_NONBLOCK, opening a pipe would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        raise ModelError(f"{shown}: there is no such file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ModelError(f"{shown}: can't be read: {one_line(reason)}") from None
    kind = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(kind):
        os.close(descriptor)
        what = "a directory" if stat.S_ISDIR(kind) else "a pipe or a device"
        raise ModelError(f"{shown}: is {what}, not a model file")
    return os.fdopen(descriptor, "rb")


class PrivateFile:
    """A model file as it was when it was opened.

    Attributes:
        path: where Keras finds it, inside a temporary folder; see `rename`.
        shown: the user's name for it, for errors.
    """

    def __init__(self, source: BinaryIO, folder: Path, shown: str) -> None:
        self.shown = shown
        self.path = folder / "file"
        self._source = source
        self._state = state_of(source)
        self._copied = self._take(source)
        self._digest = BackgroundDigest(self.path, shown, self._copied)
        self._wanted = False

    def _take(self, source: BinaryIO) -> bool:
        """Copy the file, or make a link to the opening of a large one; tell which."""
        opened = Path(f"/proc/self/fd/{source.fileno()}")
        if self._state[0] > MAX_COPY and opened.exists():
            self.path.symlink_to(opened)
            return False
        with self.path.open("wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
        source.seek(0)
        return True

    def rename(self, name: str) -> str:
        """Give the file the name that a loader wants, and return its path."""
        self.path = self.path.rename(self.path.with_name(name))
        return str(self.path)

    def open(self) -> BinaryIO:
        """Open the file for reading."""
        return self.path.open("rb")

    def digest(self) -> BackgroundDigest:
        """Return the SHA-256 of what was loaded; that of a large file may take a little longer.

        Raises:
            ModelError: the file has changed since it was opened.
        """
        if state_of(self._source) != self._state:
            raise ModelError(f"{self.shown}: was changed by another program while it was read")
        self._wanted = True
        return self._digest

    def close(self) -> None:
        """Wait for, or stop, whatever still reads the copy."""
        if not self._wanted:
            self._digest.stop()
        elif self._copied:
            self._digest.result()


@contextlib.contextmanager
def open_private(path: Path) -> Iterator[PrivateFile]:
    """Open the file at ``path`` for scanning and loading; copies are removed when the block ends.

    Raises:
        ModelError: it is no regular file, or can't be read.
    """
    shown = one_line(path)
    with (
        open_regular(path) as source,
        tempfile.TemporaryDirectory(prefix="kerascnn-") as folder,
    ):
        try:
            file = PrivateFile(source, Path(folder), shown)
        except OSError as error:
            reason = one_line(error.strerror or error)
            raise ModelError(f"{shown}: can't be copied to {folder}: {reason}") from None
        try:
            yield file
        finally:
            file.close()
