"""What is said while work goes on: on stderr, so that stdout carries results alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")


def say(text: str) -> None:
    """Print one line of information on stderr."""
    print(f"kerascnn: {text}", file=sys.stderr, flush=True)


class Bar:
    """A progress bar that is told how far the work is.

    Drawn only where stderr is a terminal; a pipe gets nothing from it.
    """

    def __init__(self, description: str, total: int) -> None:
        self._bar = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
            )

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(description, total=total)
            self._bar.start()

    def advance(self, steps: int = 1, description: str | None = None) -> None:
        """Move on by ``steps``, and say what comes next."""
        if self._bar is not None:
            self._bar.update(self._task, advance=steps, description=description)

    def close(self) -> None:
        """Take the bar off the terminal."""
        if self._bar is not None:
            self._bar.stop()


@contextmanager
def progress(description: str, total: int) -> Iterator[Bar]:
    """Show a bar for ``total`` steps while the block runs."""
    bar = Bar(description, total)
    try:
        yield bar
    finally:
        bar.close()


def track(items: Sequence[Item], description: str) -> Iterator[Item]:
    """Yield ``items`` one by one and show how far that is."""
    with progress(description, len(items)) as bar:
        for item in items:
            yield item
            bar.advance()
