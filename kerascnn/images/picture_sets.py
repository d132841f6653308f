"""Sets of pictures of any size: read part by part, always in the same order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from kerascnn.errors import ImageError, one_line
from kerascnn.images.notices import Notices
from kerascnn.images.packaged import sample_pictures
from kerascnn.images.paths import listed
from kerascnn.images.picture import Picture
from kerascnn.images.reading import read_each
from kerascnn.network.input_spec import InputSpec
from kerascnn.storage.files import sha256
from kerascnn.terminal.progress import say

Position = tuple[int, int]
"""The place of a picture in its set: the number of its file, and its number in the file."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some pictures in a row.

    Attributes:
        values: N×H×W×C float32, in the model's values.
        positions: of each of them.
        after: the position to resume from.
    """

    values: np.ndarray
    positions: list[Position]
    after: Position


class PictureSet(Protocol):
    """A set of pictures that is read part by part.

    Attributes:
        label: what it is, in words.
        total: how many files it has; progress is counted in files.
        shape: height, width and channels that its pictures have.
        skipped: how many files were no pictures.
    """

    label: str
    total: int
    shape: tuple[int, int, int]
    skipped: int

    def chunks(self, start: Position, size: int) -> Iterator[Chunk]:
        """Yield all pictures from ``start`` on, up to ``size`` at a time."""

    def fetch(self, positions: Sequence[Position]) -> list[Picture]:
        """Return single pictures."""

    def fingerprint(self) -> str:
        """Return the SHA-256 that tells this set from another."""


class PicturesInMemory:
    """Pictures that are in memory.

    Args:
        pictures: all of one shape, at least one.
        label: what they are, in words.
        fingerprint: the SHA-256 of where they are from; by default that of their values.
    """

    def __init__(
        self, pictures: Sequence[Picture], label: str = "", fingerprint: str | None = None
    ) -> None:
        self._pictures = list(pictures)
        self._fingerprint = fingerprint
        self.label = label or f"{len(self._pictures)} pictures"
        self.total = len(self._pictures)
        self.shape: tuple[int, int, int] = self._pictures[0].values.shape
        self.skipped = 0

    def chunks(self, start: Position, size: int) -> Iterator[Chunk]:
        """Yield all pictures from ``start`` on, up to ``size`` at a time."""
        for first in range(start[0], self.total, size):
            some = self._pictures[first : first + size]
            positions = [(first + n, 0) for n in range(len(some))]
            values = np.stack([picture.values for picture in some])
            yield Chunk(values, positions, (first + len(some), 0))

    def fetch(self, positions: Sequence[Position]) -> list[Picture]:
        """Return single pictures."""
        return [self._pictures[number] for number, _ in positions]

    def fingerprint(self) -> str:
        """Return the SHA-256 that tells this set from another."""
        if self._fingerprint is not None:
            return self._fingerprint
        digest = hashlib.sha256()
        for picture in self._pictures:
            digest.update(picture.values.tobytes())
        return digest.hexdigest()


class PictureFiles:
    """Picture files and folders of them.

    A file named that is no picture is an error; one that lies in a folder is skipped.

    Raises:
        ImageError: a path is missing, or there is no picture at all.
    """

    def __init__(self, paths: Sequence[Path], spec: InputSpec) -> None:
        self._files: list[Path] = []
        self._named: set[Path] = set()
        for path, tally in listed(paths):
            self._files.append(path)
            if tally is None:
                self._named.add(path)
            else:
                tally.taken += 1
        self._notices = Notices()
        self._spec = spec
        self._reason = ""
        self.skipped = 0
        self.total = len(self._files)
        shown = ", ".join(one_line(path, 60) for path in paths[:3])
        self.label = f"{self.total:,} file(s) of {shown}{' …' if len(paths) > 3 else ''}"
        self.shape = self._first_shape(shown)
        # A model of any size takes all pictures in the size of the first.
        self._spec = replace(spec, shape=self.shape)
        self.skipped = 0

    def _first_shape(self, shown: str) -> tuple[int, int, int]:
        height, width, channels = self._spec.shape
        if height and width:
            return height, width, channels
        for picture, _, _ in self._pictures((0, 0)):
            return picture.values.shape
        raise ImageError(f"{shown} holds no picture that we read{self._first_reason()}")

    def _first_reason(self) -> str:
        return f"; the first: {self._reason}" if self._reason else ""

    def _pictures(self, start: Position) -> Iterator[tuple[Picture, Position, Position]]:
        """Yield each picture from ``start`` on, its position, and the position after it."""
        for number in range(start[0], self.total):
            path = self._files[number]
            try:
                for inside, picture in enumerate(read_each(path, self._spec, self._notices)):
                    if (number, inside) >= start:
                        yield picture, (number, inside), (number, inside + 1)
            except ImageError as error:
                if path in self._named:
                    raise
                self.skipped += 1
                self._reason = self._reason or str(error)

    def chunks(self, start: Position, size: int) -> Iterator[Chunk]:
        """Yield all pictures from ``start`` on; show at the end how many files were skipped."""
        values: list[np.ndarray] = []
        positions: list[Position] = []
        for picture, position, after in self._pictures(start):
            values.append(picture.values)
            positions.append(position)
            if len(values) == size:
                yield Chunk(np.stack(values), positions, after)
                values, positions = [], []
        if values:
            yield Chunk(np.stack(values), positions, (self.total, 0))
        self._notices.close()
        if self.skipped:
            say(f"{self.skipped} file(s) skipped{self._first_reason()}")

    def fetch(self, positions: Sequence[Position]) -> list[Picture]:
        """Return single pictures; a file of several is read once."""
        found: dict[Position, Picture] = {}
        for number in sorted({number for number, _ in positions}):
            wanted = {inside for file, inside in positions if file == number}
            quiet = read_each(self._files[number], self._spec, lambda *_: None)
            for inside, picture in enumerate(quiet):
                if inside in wanted:
                    found[number, inside] = picture
        return [found[position] for position in positions]

    def fingerprint(self) -> str:
        """Return the SHA-256 of all paths, sizes and times of change."""
        digest = hashlib.sha256()
        for path in self._files:
            state = path.stat()
            digest.update(
                f"{path}\0{state.st_size}\0{state.st_mtime_ns}\n".encode("utf-8", "replace")
            )
        return digest.hexdigest()


def open_pictures(images: Sequence[str | Path | Picture], spec: InputSpec) -> PictureSet:
    """Return a set of pictures for a model.

    Args:
        images: paths of pictures and folders, or pictures; none takes the packaged test digits
            for a model of 28×28 grey pixels, else the packaged samples.
        spec: what the model takes.

    Raises:
        ImageError: there is no picture, or one can't be read.
    """
    given = [image for image in images if isinstance(image, Picture)]
    if given:
        return PicturesInMemory(given)
    if images:
        return PictureFiles([Path(p) for p in images if not isinstance(p, Picture)], spec)
    if spec.shape == (28, 28, 1):
        return _test_digits(spec)
    pictures = sample_pictures(spec, 10_000)
    if len({picture.values.shape for picture in pictures}) > 1:
        pictures = sample_pictures(replace(spec, shape=pictures[0].values.shape), 10_000)
    label = f"the {len(pictures):,} packaged pictures; name a folder by --image"
    return PicturesInMemory(pictures, label)


def _test_digits(spec: InputSpec) -> PicturesInMemory:
    from kerascnn.datasets.mnist import PACKAGED, load_test_digits

    images, classes = load_test_digits()
    values = spec.encode(images[..., np.newaxis] / np.float32(255))
    pictures = [
        Picture(own, f"a {label}, no. {number}", f"MNIST test digit {number}", f"{label}", (28, 28))
        for number, (own, label) in enumerate(zip(values, classes, strict=True))
    ]
    label = f"the {len(pictures):,} packaged MNIST test digits"
    return PicturesInMemory(pictures, label, sha256(PACKAGED))
