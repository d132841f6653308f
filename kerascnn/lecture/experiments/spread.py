"""`Spread`: one value for each seed, with its mean and deviation."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """One value for each seed, in the order of the seeds.

    Formatted, it is in percent: ``98.17 %``, or ``98.17 ± 0.05 %`` of several values; with the
    format ``+`` a difference in points: ``+1.20 ± 0.10``.
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean."""
        return sum(self.values) / len(self.values)

    @property
    def deviation(self) -> float:
        """The sample standard deviation; 0 for a single value."""
        if len(self.values) < 2:
            return 0.0
        squares = sum((value - self.mean) ** 2 for value in self.values)
        return math.sqrt(squares / (len(self.values) - 1))

    @property
    def is_gain(self) -> bool:
        """Whether every value is above 0."""
        return min(self.values) > 0

    def __sub__(self, other: Spread) -> Spread:
        """Return the differences seed by seed."""
        return Spread(tuple(a - b for a, b in zip(self.values, other.values, strict=True)))

    def __str__(self) -> str:
        """Return it in percent."""
        return format(self, "")

    def __format__(self, sign: str) -> str:
        """Return it in percent, or with ``+`` as a difference in points."""
        about = f" ± {100 * self.deviation:.2f}" if len(self.values) > 1 else ""
        text = f"{100 * self.mean:{sign}.2f}{about}{'' if sign else ' %'}"
        return text.replace("-", "−")
