"""Spoken words as spectrograms: digits in the package, or a folder of one's own WAV files."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kerascnn.errors import DataError, one_line
from kerascnn.lecture.datasets.spectrograms import read_wav, spectrogram
from kerascnn.terminal.progress import progress, say

_EMBEDDED = Path(__file__).parent / "data" / "digits.npz"
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# Untrusted folders are bounded.
_MOST_CLASSES = 100
_MOST_FILES = 50_000
_NAMED = 5  # damaged files that are named one by one


@dataclass(frozen=True, eq=False)
class Spoken:
    """Spectrograms of words; nobody is heard in both parts.

    Attributes:
        x_train: N×40×40, uint8: bands from low to high, moments.
        y_train: N classes, from 0.
        x_test: M×40×40, of other speakers.
        y_test: M classes.
        words: what the classes are, in order.
        source: where they come from, in words.
    """

    x_train: npt.NDArray[np.uint8]
    y_train: npt.NDArray[np.uint8]
    x_test: npt.NDArray[np.uint8]
    y_test: npt.NDArray[np.uint8]
    words: tuple[str, ...]
    source: str


def load_speech(folder: Path | None = None) -> Spoken:
    """Load the packaged spoken digits, or a folder of WAV files.

    Args:
        folder: one folder a word, with its ``.wav`` files; the part of a file's name before the
            first ``_`` is who speaks. A fifth of the speakers is kept for the test. None for the
            packaged digits.

    Raises:
        DataError: there are not two words with a file each to learn from and to test with. Damaged
            files are named on stderr and skipped.
    """
    if folder is not None:
        return _read_folder(folder)
    with np.load(_EMBEDDED, allow_pickle=False) as stored:
        parts = {name: stored[name] for name in ("x_train", "y_train", "x_test", "y_test")}
    return Spoken(**parts, words=_WORDS, source="eSpeak NG's voices, in the package")


def _read_folder(folder: Path) -> Spoken:
    shown = one_line(folder)
    files = _files(folder, shown)
    words = tuple(sorted({word for word, _ in files}))
    made: dict[bool, list[tuple[npt.NDArray[np.uint8], int]]] = {True: [], False: []}
    damaged = 0
    with progress("reading", len(files)) as bar:
        for word, file in files:
            bar.advance()
            try:
                samples, rate = read_wav(file)
            except DataError as error:
                damaged += 1
                if damaged <= _NAMED:
                    say(f"skipped: {error}")
                continue
            speaker = file.stem.partition("_")[0]
            is_test = zlib.crc32(speaker.encode("utf-8", "surrogateescape")) % 5 == 0
            made[is_test].append((spectrogram(samples, rate), words.index(word)))
    if damaged > _NAMED:
        say(f"skipped: {damaged - _NAMED} more files of {shown}")
    for is_test, part in ((False, "learn from"), (True, "test with")):
        missing = set(range(len(words))) - {label for _, label in made[is_test]}
        if missing:
            raise DataError(
                f"{shown}: there is no {one_line(words[min(missing)], 40)!r} to {part}; a fifth of "
                "the speakers (names before the first _) is kept for the test"
            )
    (x_train, y_train), (x_test, y_test) = (
        (np.stack([x for x, _ in part]), np.array([y for _, y in part], np.uint8))
        for part in (made[False], made[True])
    )
    return Spoken(x_train, y_train, x_test, y_test, words, shown)


def _files(folder: Path, shown: str) -> list[tuple[str, Path]]:
    if not folder.is_dir():
        raise DataError(f"{shown}: no such folder; --wav takes one with a folder a word")
    found = [
        (path.name, file)
        for path in sorted(folder.iterdir())
        # Public keyword sets keep their noises beside the words, in a folder with an underscore.
        if path.is_dir() and not path.name.startswith((".", "_"))
        for file in sorted(path.iterdir())
        if file.suffix.lower() == ".wav"
    ]
    classes = len({word for word, _ in found})
    if not 2 <= classes <= _MOST_CLASSES:
        raise DataError(
            f"{shown}: must hold 2 to {_MOST_CLASSES} folders with .wav files, one a word. "
            f"Received: {classes}"
        )
    if len(found) > _MOST_FILES:
        raise DataError(f"{shown}: holds {len(found):,} .wav files; {_MOST_FILES:,} are the most")
    return found
