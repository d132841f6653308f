"""What the book is made with: how much is trained, and the options of its chapters."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kerascnn.errors import UsageError


@dataclass(frozen=True)
class Option:
    """An option of some chapter, given as a flag of ``kerascnn lecture``.

    Attributes:
        name: without dashes; the flag is ``--name``.
        help: a sentence for ``--help``.
        metavar: what it takes.
    """

    name: str
    help: str
    metavar: str


#: The chapters' own options. Chapters name those that their numbers depend on.
OPTIONS: tuple[Option, ...] = (
    Option("sgf", "Chapter go: learn from the .sgf files of a folder.", "DIR"),
    Option("wav", "Chapter speech: a folder a word with .wav files.", "DIR"),
    Option("tsv", "Chapter text: lines of rating, tab, sentence.", "FILE"),
)

QUICK_EPOCHS = 3
EPOCHS = 20
EXAMPLES = 10_000


@dataclass(frozen=True)
class Settings:
    """What the book is made with.

    Attributes:
        quick: whether to make small versions.
        seeds: how often each network is trained.
        epochs: passes over the training digits.
        examples: training digits.
        data: a data set in the layout of Keras' ``mnist.npz``; None for MNIST.
        options: what was given of `OPTIONS`, by name.

    Raises:
        UsageError: there are too few seeds, epochs or examples to train with.
    """

    quick: bool = False
    seeds: int = 1
    epochs: int = EPOCHS
    examples: int = EXAMPLES
    data: Path | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """See that there is enough of each to train with."""
        for name, least in (("seeds", 1), ("epochs", 1), ("examples", 100)):
            value = getattr(self, name)
            if value < least:
                raise UsageError(f"--{name} must be at least {least}. Received: {value}")

    def used(self, uses: tuple[str, ...]) -> dict[str, object]:
        """Return the part of the settings that a chapter depends on, as JSON takes it.

        Args:
            uses: as of `Chapter`.
        """
        found: dict[str, object] = {"quick": self.quick}
        for name in uses:
            if name == "networks":
                found |= {"epochs": self.epochs, "examples": self.examples}
                found["data"] = None if self.data is None else _state(self.data)
            elif name == "seeds":
                found["seeds"] = self.seeds
            else:
                given = self.options.get(name)
                found[name] = None if given is None else [given, _state(Path(given))]
        return found

    def command(self, uses: tuple[str, ...], *words: str) -> str:
        """Return the command line that gives the same numbers.

        Args:
            uses: what they depend on, as of `Chapter`.
            words: what comes first, after ``kerascnn lecture``.
        """
        said = ["kerascnn", "lecture", *words, *(["--quick"] if self.quick else [])]
        flags: list[tuple[str, str, object, object]] = [
            ("networks", "epochs", self.epochs, QUICK_EPOCHS if self.quick else EPOCHS),
            ("networks", "examples", self.examples, EXAMPLES),
            ("networks", "data", self.data, None),
            ("seeds", "seeds", self.seeds, 1),
            *((name, name, given, None) for name, given in self.options.items()),
        ]
        for use, name, value, default in flags:
            if use in uses and value != default:
                said += [f"--{name}", str(value)]
        return shlex.join(said)


def _state(path: Path) -> str:
    """Return a digest of a file's or folder's names, sizes and times; of a text that is none."""
    digest = hashlib.sha256(str(path).encode())
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in files:
        if file.is_file():
            status = file.stat()
            digest.update(f"{file} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
