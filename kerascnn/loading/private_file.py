"""A model file that nobody else changes while it is scanned and loaded: a copy of our own.

The copy is in a folder that only this user can enter, and nobody can write to it; where the file
system can, it shares the original's blocks (a clone). It has the names that Keras' loaders ask for,
which go by the suffix. (A sealed file in memory has no path, and libhdf5 refuses what has none.)
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from kerascnn.errors import ModelError, one_line
from kerascnn.loading.digest import BackgroundDigest, state_of

#: What Keras' loaders want a file to be called.
NAMES = ("model.h5", "model.weights.h5", "model.keras", "model.json")

_BLOCK = 1 << 20
_FICLONE = 0x40049409


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
    """A model file as it was when it was copied.

    Args:
        folder: where the copy is, under each of `NAMES`.
        shown: the user's name for it, for errors.
    """

    def __init__(self, folder: Path, shown: str) -> None:
        self.folder, self.shown = folder, shown
        self._digest: BackgroundDigest | None = None

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return (self.folder / NAMES[0]).stat().st_size

    def path(self, name: str) -> str:
        """Return its path under one of `NAMES`."""
        return str(self.folder / name)

    def open(self) -> BinaryIO:
        """Open the file for reading."""
        return (self.folder / NAMES[0]).open("rb")

    def digest(self) -> BackgroundDigest:
        """Return its SHA-256, computed in the background from the first call on."""
        if self._digest is None:
            self._digest = BackgroundDigest(self.open(), self.shown)
        return self._digest


@contextlib.contextmanager
def open_private(path: Path) -> Iterator[PrivateFile]:
    """Copy the file at ``path`` for scanning and loading; the copy is gone when the block ends.

    Raises:
        ModelError: it is no regular file, can't be read, or changes while it is copied.
    """
    shown = one_line(path)
    with (
        open_regular(path) as source,
        tempfile.TemporaryDirectory(prefix="kerascnn-") as folder,
    ):
        before = state_of(source)
        try:
            _copy(source, Path(folder))
        except OSError as error:
            reason = one_line(error.strerror or error)
            raise ModelError(f"{shown}: can't be copied to {folder}: {reason}") from None
        if state_of(source) != before:
            raise ModelError(f"{shown}: was changed by another program while it was read")
        file = PrivateFile(Path(folder), shown)
        yield file
        file.digest().result()  # it reads the copy


def _copy(source: BinaryIO, folder: Path) -> None:
    first = folder / NAMES[0]
    with first.open("xb") as copy:
        if not _cloned(source, copy):
            shutil.copyfileobj(source, copy, _BLOCK)
    first.chmod(0o400)
    for name in NAMES[1:]:
        os.link(first, folder / name)


def _cloned(source: BinaryIO, copy: BinaryIO) -> bool:
    """Let the copy share the original's blocks; tell whether the file system does."""
    if not sys.platform.startswith("linux"):
        return False
    import fcntl

    try:
        fcntl.ioctl(copy.fileno(), _FICLONE, source.fileno())
    except OSError:
        return False
    return True
