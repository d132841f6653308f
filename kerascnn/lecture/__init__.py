"""The lecture reproduced as a book: its experiment trained, its claims measured and shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kerascnn.errors import UsageError

if TYPE_CHECKING:
    from kerascnn.lecture.book.model import Book
    from kerascnn.lecture.book.settings import Settings
    from kerascnn.lecture.experiments.report import Results

__all__ = ["make_book", "reproduce"]


def make_book(out: Path, settings: Settings, chapters: Sequence[str] = ()) -> Book:
    """Make the book, or some of its chapters; see `kerascnn.lecture.book.make.make_book`."""
    from kerascnn.lecture.book import make

    return make.make_book(out, settings, chapters)


def reproduce(
    out: Path,
    *,
    seeds: int = 1,
    epochs: int = 20,
    examples: int = 10_000,
    data: Path | None = None,
) -> Results:
    """Train the lecture's networks, hold its claims against them, write all of it to a folder.

    A training that an earlier call has finished for the same settings, digits and versions is not
    repeated; one that was broken off goes on from its last whole epoch, and ends with the very
    numbers that it would have had.

    Args:
        out: the folder: models (``.h5`` and ``.keras``, of the first seed), ``results.json``,
            ``results.md``, figures, and ``checkpoints/``.
        seeds: how often each network is trained; seeds are 0, 1, …
        epochs: passes over the training digits.
        examples: training digits, the first of the data set. Up to 10,000 are in the package.
        data: a data set in the layout of Keras' ``mnist.npz``; None for MNIST.

    Raises:
        UsageError: a number is too small.
        DataError: the data set can't be read, or is not what it should be.
        OutputError: ``out`` can't be written to.
    """
    check_numbers(seeds=seeds, epochs=epochs, examples=examples)
    from kerascnn.datasets import load_mnist
    from kerascnn.storage.files import check_writable

    out = Path(out)
    digits = load_mnist(examples, None if data is None else Path(data))
    check_writable(out / "checkpoints")

    from kerascnn.lecture.experiments import claims, mnist, report, training

    trained = mnist.run(digits, out / "checkpoints", seeds=seeds, epochs=epochs)
    results = report.Results(
        runs=trained.runs,
        claims=claims.claims(trained),
        traces={name: claims.trace(model) for name, model in trained.models.items()},
        settings={
            "seeds": seeds,
            "epochs": epochs,
            "examples": examples,
            "batch": training.BATCH,
        },
        data={"source": digits.source, "sha256": digits.sha256},
        versions=mnist.versions(),
    )
    report.write(results, trained, out)
    return results


def check_numbers(*, seeds: int, epochs: int, examples: int) -> None:
    """See that there is enough of each to train with.

    Raises:
        UsageError: there is not.
    """
    least = (("seeds", seeds, 1), ("epochs", epochs, 1), ("examples", examples, 100))
    for name, value, lowest in least:
        if value < lowest:
            raise UsageError(f"--{name} must be at least {lowest}. Received: {value}")
