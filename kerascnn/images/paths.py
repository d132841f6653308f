"""Paths of pictures: files as they are named, folders opened in a natural order."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from kerascnn.errors import ImageError, one_line
from kerascnn.images.file_kinds import kind_of, not_a_picture
from kerascnn.terminal.progress import say


class Tally:
    """Counts the files of a folder that were taken and skipped; shows it when its block ends.

    Raises:
        ImageError: at the end of the block, if none was taken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = one_line(folder)
        self._skipped = 0
        self._first = ""
        self.taken = 0

    def skip(self, error: ImageError) -> None:
        """Count a file that was not taken, and keep the first reason."""
        self._skipped += 1
        self._first = self._first or str(error)

    def __enter__(self) -> Tally:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # GeneratorExit: no more pictures are wanted.
        if kind is not None and kind is not GeneratorExit:
            return
        if self._skipped and self.taken:
            say(f"{self._folder}: {self._skipped} file(s) skipped; the first: {self._first}")
        elif kind is None and not self.taken:
            first = f"; {self._skipped} file(s) skipped, the first: {self._first}"
            raise ImageError(
                f"{self._folder} holds no picture that we read{first if self._skipped else ''}"
            )


def iter_picture_paths(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield paths of pictures one by one: files as named, folders opened and naturally sorted.

    The first bytes of a file in a folder decide; what is no picture or array is skipped, and a line
    on stderr shows how many were. Hidden files and links to folders are skipped silently.

    Raises:
        ImageError: a path is missing, or a folder can't be read or holds no picture.
    """
    for path, tally in listed(paths):
        if tally is not None:
            tally.taken += 1
        yield path


def listed(paths: Iterable[Path]) -> Iterator[tuple[Path, Tally | None]]:
    """Yield paths as `iter_picture_paths`, each with the tally of its folder; None for one named.

    Whether all exist is found out before the first is yielded. The caller counts what it takes.
    """
    named = [(Path(path), stat.S_ISDIR(_mode(Path(path)))) for path in paths]
    for path, is_folder in named:
        if not is_folder:
            yield path, None
            continue
        with Tally(path) as tally:
            for inside in _candidates(path, tally):
                yield inside, tally


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"can't read picture {one_line(path)}: {one_line(reason)}") from error


def _candidates(folder: Path, tally: Tally) -> Iterator[Path]:
    """Yield the files that begin like a picture, a folder's own before those of the folders in it.

    Hidden names and links to folders are left out; ``tally`` counts what is no picture.
    """
    try:
        with os.scandir(folder) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise ImageError(
            f"can't read folder {one_line(folder)}: {one_line(error.strerror or error)}"
        ) from error
    visible.sort(key=lambda entry: (entry.is_dir(), _natural(entry.name)))
    for entry in visible:
        path = folder / entry.name
        if entry.is_dir():
            if not entry.is_symlink():
                yield from _candidates(path, tally)
            continue
        try:
            head = _head(path)
        except ImageError as error:
            tally.skip(error)
            continue
        if kind_of(head) is None:
            tally.skip(not_a_picture(head, one_line(path)))
        else:
            yield path


def _head(path: Path) -> bytes:
    if not stat.S_ISREG(_mode(path)):  # opening a pipe would wait for its writer
        raise ImageError(f"{one_line(path)} is not an ordinary file")
    try:
        with path.open("rb") as stream:
            return stream.read(64)
    except OSError as error:
        raise ImageError(
            f"can't read picture {one_line(path)}: {one_line(error.strerror or error)}"
        ) from error


def _natural(name: str) -> list[str | int]:
    # Texts at even places, numbers at odd ones, so that like is compared with like.
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if place % 2 else part.casefold() for place, part in enumerate(parts)]
