"""Rated sentences: film reviews in the package, or a table of one's own."""

from __future__ import annotations

import io
import lzma
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kerascnn.errors import DataError, one_line

_EMBEDDED = Path(__file__).parent / "data" / "reviews.tsv.xz"
# Untrusted files are bounded.
_MOST_BYTES = 64 << 20
_MOST_CHARACTERS = 10_000

#: Numbers of words: the padding of a short sentence, and an unknown word.
NOTHING, UNKNOWN = 0, 1
#: Words of a sentence that are read; most reviews are shorter.
WORDS = 40
#: A word is known that stands in so many sentences of the training.
_SEEN = 2


@dataclass(frozen=True)
class Review:
    """A sentence with its rating.

    Attributes:
        sentence: as it was written.
        rating: below 0 negative, above 0 positive.
    """

    sentence: str
    rating: float

    @property
    def is_test(self) -> bool:
        """Whether it is kept for the test: a fifth is, always the same."""
        return zlib.crc32(self.sentence.encode()) % 5 == 0


@dataclass(frozen=True)
class Vocabulary:
    """The words that are known; the first has number 2."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, sentences: Iterable[str]) -> Vocabulary:
        """Collect the words that stand in at least two sentences, the most frequent first."""
        counts: Counter[str] = Counter()
        for sentence in sentences:
            counts.update(set(split(sentence)))
        often = [(word, count) for word, count in counts.items() if count >= _SEEN]
        often.sort(key=lambda pair: (-pair[1], pair[0]))
        return cls(tuple(word for word, _ in often))

    @property
    def size(self) -> int:
        """How many numbers there are, those of no and of an unknown word among them."""
        return len(self.words) + 2

    def encode(self, sentences: Sequence[str]) -> npt.NDArray[np.int32]:
        """Return the numbers of the sentences' first 40 words: N×40."""
        numbers = {word: number for number, word in enumerate(self.words, start=2)}
        made = np.full((len(sentences), WORDS), NOTHING, np.int32)
        for row, sentence in enumerate(sentences):
            for column, word in enumerate(split(sentence)[:WORDS]):
                made[row, column] = numbers.get(word, UNKNOWN)
        return made


@dataclass(frozen=True, eq=False)
class Reviews:
    """Rated sentences, and the words they are made of.

    Attributes:
        train: to learn from.
        test: to be tested with.
        vocabulary: the words of the training sentences.
        source: where they come from, in words.
    """

    train: tuple[Review, ...]
    test: tuple[Review, ...]
    vocabulary: Vocabulary
    source: str


def split(sentence: str) -> list[str]:
    """Return a sentence's words and its ``!`` and ``?``, in small letters."""
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)*|[!?]", sentence.lower())


def load_reviews(path: Path | None = None) -> Reviews:
    """Load the packaged film reviews, or a table of one's own.

    Sentences rated 0, without words, or that came before are skipped.

    Args:
        path: lines of rating, tab, sentence, in UTF-8; ``.xz`` too. None for the packaged ones.

    Raises:
        DataError: it can't be read, a line is not such, or one side is missing; names the line.
    """
    source = "film reviews, in the package" if path is None else one_line(path)
    seen: dict[str, Review] = {}
    for review in read_reviews(_EMBEDDED if path is None else path):
        if review.rating and split(review.sentence):
            seen.setdefault(review.sentence, review)
    parts = {
        part: tuple(review for review in seen.values() if review.is_test is (part == "test"))
        for part in ("train", "test")
    }
    for part, reviews in parts.items():
        for side in (1, -1):
            if not any(review.rating * side > 0 for review in reviews):
                which = "above" if side > 0 else "below"
                raise DataError(
                    f"{source}: none of the {len(reviews)} sentences for the {part} "
                    f"is rated {which} 0"
                )
    vocabulary = Vocabulary.of(review.sentence for review in parts["train"])
    return Reviews(parts["train"], parts["test"], vocabulary, source)


def read_reviews(path: Path) -> list[Review]:
    """Read lines of rating, tab, sentence.

    Raises:
        DataError: the file can't be read, or a line is not such; names file and line.
    """
    shown = one_line(path)
    reviews = []
    # Not splitlines: sentences may hold what it takes for an end (U+2028, a page break).
    for number, line in enumerate(io.StringIO(_text(path, shown), newline=None), start=1):
        rating, tab, sentence = line.removesuffix("\n").partition("\t")
        value = _number(rating)
        if not tab or value is None or not sentence.strip():
            raise DataError(
                f"{shown}:{number}: must be a rating, a tab and a sentence. "
                f"Received: {one_line(line, 60)!r}"
            )
        if len(sentence) > _MOST_CHARACTERS:
            raise DataError(
                f"{shown}:{number}: a sentence of {len(sentence):,} characters; "
                f"{_MOST_CHARACTERS:,} are the most"
            )
        reviews.append(Review(" ".join(sentence.split()), value))
    if not reviews:
        raise DataError(f"{shown}: holds no lines")
    return reviews


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _text(path: Path, shown: str) -> str:
    try:
        with lzma.open(path) if path.suffix == ".xz" else path.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except (OSError, EOFError, lzma.LZMAError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{shown}: can't be read ({one_line(reason, 100)})") from error
    if len(data) > _MOST_BYTES:
        raise DataError(f"{shown}: holds more than {_MOST_BYTES >> 20} MB of text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{shown}:{line}: is not in UTF-8") from error
