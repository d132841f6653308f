"""A row of the benchmark: what is timed, what it is compared with, and its bar."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Bar:
    """The limits that a row should keep; each may be missing.

    Attributes:
        ratio: ours over theirs, at most.
        seconds: ours, at most.
        extra: ours minus theirs in seconds, at most.
        peers: how many times as fast as a peer at least, each against bare TensorFlow or PyTorch
            timed in its own process.
    """

    ratio: float | None = None
    seconds: float | None = None
    extra: float | None = None
    peers: Mapping[str, float] = field(default_factory=dict)

    def text(self) -> str:
        """Return the bar in words."""
        parts = []
        if self.ratio is not None:
            parts.append(f"≤ {self.ratio:.3g} ×")
        if self.seconds is not None:
            parts.append(f"ours ≤ {self.seconds:g} s")
        if self.extra is not None:
            parts.append(f"ours − theirs ≤ {self.extra:g} s")
        parts += [f"{factor:g} × as fast as {peer}" for peer, factor in self.peers.items()]
        return ", ".join(parts) or "–"

    def held(self, ours: Sequence[float], theirs: Sequence[float]) -> bool | None:
        """Return whether the medians keep it, peers left out; None where it has no such limit."""
        kept = []
        if self.ratio is not None and theirs:
            kept.append(statistics.median(ratios(ours, theirs)) <= self.ratio)
        if self.seconds is not None:
            kept.append(statistics.median(ours) <= self.seconds)
        if self.extra is not None and theirs:
            pairs = zip(ours, theirs, strict=True)
            kept.append(statistics.median(a - b for a, b in pairs) <= self.extra)
        return all(kept) if kept else None


@dataclass(frozen=True)
class Measured:
    """Seconds of one row: ours, and of what they are compared with, in pairs.

    Attributes:
        ours: seconds of each repetition.
        theirs: of what was timed in turns with it; empty without.
        bar: the limits.
        flops: floating-point operations of the usual algorithm; 0 where they are not counted.
        notes: other results, for the page.
    """

    ours: list[float]
    theirs: list[float]
    bar: Bar = Bar()
    flops: float = 0.0
    notes: tuple[str, ...] = ()


Row = Callable[[int], Measured]
ROWS: dict[str, Row] = {}
#: Rows that take so long that they run only when they are named.
BY_NAME: set[str] = set()


def row(name: str, *, most: int = 1000, by_name: bool = False) -> Callable[[Row], Row]:
    """Register a function of the number of repetitions as a row.

    Args:
        name: of the row.
        most: repetitions at the most, for a row that takes minutes.
        by_name: leave it out of a full run.
    """

    def register(function: Row) -> Row:
        @functools.wraps(function)
        def bounded(repeat: int) -> Measured:
            return function(min(repeat, most))

        ROWS[name] = bounded
        if by_name:
            BY_NAME.add(name)
        return bounded

    return register


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds ``work`` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turns(
    bar: Bar,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    repeat: int,
    flops: float = 0.0,
) -> Measured:
    """Time two things in turns, the other one first."""
    pairs = [(timed(theirs), timed(ours)) for _ in range(repeat)]
    return Measured([pair[1] for pair in pairs], [pair[0] for pair in pairs], bar, flops)


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Return ours over theirs, pair by pair."""
    return [a / b for a, b in zip(ours, theirs, strict=True)]


def shown(values: Sequence[float], unit: str) -> str:
    """Return median, lowest and highest as text."""
    middle = statistics.median(values)
    return f"{middle:.2f}{unit} ({min(values):.2f}–{max(values):.2f})"
