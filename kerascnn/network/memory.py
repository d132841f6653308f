"""How much memory work may take, and how many pictures go at once."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from kerascnn.errors import UsageError

_LARGEST_BATCH = 256


@dataclass(frozen=True)
class MemoryBudget:
    """Bytes that work may take.

    Attributes:
        limit: the number of bytes; None for a quarter of what is free when asked.
    """

    limit: int | None = None

    @property
    def bytes(self) -> int:
        """The budget now, in bytes."""
        return self.limit if self.limit is not None else psutil.virtual_memory().available // 4

    def batch_size(self, per_item: int) -> int:
        """Return how many items of ``per_item`` bytes go at once: at least one."""
        return max(1, min(_LARGEST_BATCH, self.bytes // max(per_item, 1)))


def parse_bytes(text: str, *, option: str = "memory") -> int:
    """Read a number of bytes: ``500M``, ``2G``, ``1.5 GiB``, or digits alone.

    Errors speak of it by ``option``, as the user does.

    Raises:
        UsageError: it is no such size.
    """
    cleaned = text.strip().lower().removesuffix("b").removesuffix("i")
    scale = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}.get(cleaned[-1:], 0)
    try:
        value = float(cleaned[:-1] if scale else cleaned) * (scale or 1)
    except ValueError:
        value = 0.0
    if not 1 <= value < 2**60:
        raise UsageError(f"{option} takes a size like 500M or 2G. Received: {text!r}")
    return int(value)
