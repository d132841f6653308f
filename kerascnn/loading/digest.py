"""SHA-256 of model files and folders."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import BinaryIO

from kerascnn.errors import ModelError, one_line

_BLOCK = 1 << 20

#: Size, time of change and time of status change of a file.
FileState = tuple[int, int, int]


def state_of(stream: BinaryIO) -> FileState:
    """Return what differs if an open file is changed."""
    found = os.fstat(stream.fileno())
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


class BackgroundDigest:
    """The SHA-256 of a file, computed by a thread while Keras loads the model.

    Args:
        stream: the file, which nobody changes; closed at the end.
        shown: its name in errors.
    """

    def __init__(self, stream: BinaryIO, shown: str) -> None:
        self._shown = shown
        self._stream = stream
        self._hash = hashlib.sha256()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="kerascnn-sha256", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            with self._stream:
                while block := self._stream.read(_BLOCK):
                    self._hash.update(block)
        except OSError as error:
            self._error = error

    def result(self) -> str:
        """Wait for the digest and return it, as hexadecimal digits.

        Raises:
            ModelError: the file can't be read to its end.
        """
        self._thread.join()
        if self._error is not None:
            raise ModelError(f"{self._shown}: can't be read again: {one_line(self._error)}")
        return self._hash.hexdigest()


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
