"""Progress and notes during long work: on stderr, so that stdout carries results alone."""

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
    """A progress bar; drawn only where stderr is a terminal."""

    def __init__(self, description: str, total: int) -> None:
        self._bar = None
        if sys.stderr.isatty():
            import rich.console
            import rich.progress

            self._bar = rich.progress.Progress(
                rich.progress.TextColumn("{task.description}"),
                rich.progress.BarColumn(),
                rich.progress.MofNCompleteColumn(),
                rich.progress.TimeRemainingColumn(),
                console=rich.console.Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(description, total=total)
            self._bar.start()

    def advance(self, steps: int = 1, description: str | None = None) -> None:
        """Advance by ``steps``, and change the description where one is given."""
        if self._bar is not None:
            self._bar.update(self._task, advance=steps, description=description)

    def close(self) -> None:
        """Remove the bar from the terminal."""
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
    """Yield ``items`` one by one and show progress."""
    with progress(description, len(items)) as bar:
        for item in items:
            yield item
            bar.advance()
