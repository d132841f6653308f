"""Where the pictures of a sweep come from: read when they are needed, in an order that stays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from kerascnn.errors import ImageError, one_line
from kerascnn.images.reading import Notices, Picture, iter_picture_paths, read_each, sample_pictures
from kerascnn.network.input_spec import InputSpec
from kerascnn.storage.files import sha256
from kerascnn.terminal.progress import say

Position = tuple[int, int]
"""Where a picture is: the number of its file, and its number in the file."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some pictures in a row.

    Attributes:
        values: N×H×W×C float32, in the model's values.
        positions: where each of them is.
        after: where to go on.
    """

    values: np.ndarray
    positions: list[Position]
    after: Position


class Source(Protocol):
    """A set of pictures that is read part by part.

    Attributes:
        label: what it is, in words.
        total: about how many steps of progress it takes; see `steps`.
        shape: height, width and channels that its pictures have.
        skipped: how many files were no pictures.
    """

    label: str
    total: int
    shape: tuple[int, int, int]
    skipped: int

    def chunks(self, start: Position, size: int) -> Iterator[Chunk]:
        """Yield all from ``start`` on, up to ``size`` pictures at a time."""

    def steps(self, place: Position) -> int:
        """Return how far of ``total`` a position is."""

    def fetch(self, positions: Sequence[Position]) -> list[Picture]:
        """Return single pictures."""

    def fingerprint(self) -> str:
        """Return what tells this set from another: a SHA-256."""


class Given:
    """Pictures that are in memory."""

    def __init__(self, pictures: Sequence[Picture], label: str = "") -> None:
        self._pictures = list(pictures)
        self.label = label or f"{len(self._pictures)} pictures"
        self.total = len(self._pictures)
        self.shape: tuple[int, int, int] = self._pictures[0].values.shape
        self.skipped = 0

    def chunks(self, start: Position, size: int) -> Iterator[Chunk]:
        """Yield all from ``start`` on."""
        for first in range(start[0], self.total, size):
            some = self._pictures[first : first + size]
            positions = [(first + n, 0) for n in range(len(some))]
            values = np.stack([picture.values for picture in some])
            yield Chunk(values, positions, (first + len(some), 0))

    def steps(self, place: Position) -> int:
        """Return how many pictures lie before a position."""
        return place[0]

    def fetch(self, positions: Sequence[Position]) -> list[Picture]:
        """Return single pictures."""
        return [self._pictures[number] for number, _ in positions]

    def fingerprint(self) -> str:
        """Return the SHA-256 of all values."""
        digest = hashlib.sha256()
        for picture in self._pictures:
            digest.update(picture.values.tobytes())
        return digest.hexdigest()


class TestDigits:
    """The packaged MNIST test digits, for a model that takes 28×28 grey pixels."""

    __test__ = False  # not a test of pytest

    def __init__(self, contract: InputSpec) -> None:
        from kerascnn.datasets.mnist import load_test_digits

        self._contract = contract
        self._images, self._classes = load_test_digits()
        self.total = len(self._images)
        self.label = f"the {self.total:,} packaged MNIST test digits"
        self.shape = (*self._images.shape[1:], 1)
        self.skipped = 0

    def chunks(self, start: Position, size: int) -> Iterator[Chunk]:
        """Yield all from ``start`` on."""
        for first in range(start[0], self.total, size):
            values = self._values(slice(first, first + size))
            positions = [(first + n, 0) for n in range(len(values))]
            yield Chunk(values, positions, (first + len(values), 0))

    def _values(self, which: slice) -> np.ndarray:
        return self._contract.encode(self._images[which][..., np.newaxis] / np.float32(255))

    def steps(self, place: Position) -> int:
        """Return how many digits lie before a position."""
        return place[0]

    def fetch(self, positions: Sequence[Position]) -> list[Picture]:
        """Return single digits."""
        found = []
        for number, _ in positions:
            label = str(self._classes[number])
            values = self._values(slice(number, number + 1))[0]
            source = f"MNIST test digit {number}"
            found.append(Picture(values, f"a {label}, no. {number}", source, label, (28, 28)))
        return found

    def fingerprint(self) -> str:
        """Return the SHA-256 of the file that they are in."""
        from kerascnn.datasets.mnist import PACKAGED

        return sha256(PACKAGED)


class Files:
    """Picture files and folders of them.

    A file named that is no picture is an error; one that lies in a folder is skipped.

    Raises:
        ImageError: a path is missing, or there is no picture at all.
    """

    def __init__(self, paths: Sequence[Path], contract: InputSpec) -> None:
        self._named = {path for path in paths if not path.is_dir()}
        self._files = list(iter_picture_paths(paths))
        self._notices = Notices()
        self._contract = contract
        self._reason = ""
        self.skipped = 0
        self.total = len(self._files)
        shown = ", ".join(one_line(path, 60) for path in paths[:3])
        self.label = f"{self.total:,} file(s) of {shown}{' …' if len(paths) > 3 else ''}"
        self.shape = self._first_shape(shown)
        # A model of any size takes all pictures in the first one's.
        self._contract = replace(contract, shape=self.shape)
        self.skipped = 0

    def _first_shape(self, shown: str) -> tuple[int, int, int]:
        height, width, channels = self._contract.shape
        if height and width:
            return height, width, channels
        for picture, _, _ in self._pictures((0, 0)):
            return picture.values.shape
        raise ImageError(f"{shown} holds no picture that we read{self._first_reason()}")

    def _first_reason(self) -> str:
        return f"; the first: {self._reason}" if self._reason else ""

    def _pictures(self, start: Position) -> Iterator[tuple[Picture, Position, Position]]:
        """Yield pictures, where each is and where to go on, from a position on."""
        for number in range(start[0], self.total):
            path = self._files[number]
            try:
                for inside, picture in enumerate(read_each(path, self._contract, self._notices)):
                    if (number, inside) >= start:
                        yield picture, (number, inside), (number, inside + 1)
            except ImageError as error:
                if path in self._named:
                    raise
                self.skipped += 1
                self._reason = self._reason or str(error)

    def chunks(self, start: Position, size: int) -> Iterator[Chunk]:
        """Yield all from ``start`` on; says at the end how many were skipped."""
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

    def steps(self, place: Position) -> int:
        """Return how many files lie before a position."""
        return place[0]

    def fetch(self, positions: Sequence[Position]) -> list[Picture]:
        """Return single pictures; a file of several is read once."""
        found: dict[Position, Picture] = {}
        for number in sorted({number for number, _ in positions}):
            wanted = {inside for file, inside in positions if file == number}
            quiet = read_each(self._files[number], self._contract, lambda *_: None)
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


def open_source(images: Sequence[str | Path | Picture], contract: InputSpec) -> Source:
    """Return what is to be swept over.

    Args:
        images: paths of pictures and folders, or pictures; none takes the packaged test digits
            for a model of 28×28 grey pixels, else the packaged samples.
        contract: what the model wants.

    Raises:
        ImageError: there is no picture, or one can't be read.
    """
    if images:
        given = [image for image in images if isinstance(image, Picture)]
        if given:
            return Given(given)
        return Files([Path(p) for p in images if not isinstance(p, Picture)], contract)
    if contract.shape == (28, 28, 1):
        return TestDigits(contract)
    pictures = sample_pictures(contract, 10_000)
    shapes = {picture.values.shape for picture in pictures}
    if len(shapes) > 1:
        fixed = replace(contract, shape=pictures[0].values.shape)
        pictures = sample_pictures(fixed, 10_000)
    return Given(pictures, f"the {len(pictures):,} packaged pictures; name a folder by --image")
