"""Sizes in words: ``3×3×25``."""

from __future__ import annotations

from collections.abc import Iterable


def size_text(sizes: Iterable[int | None]) -> str:
    """Return sizes joined by ``×``; a size that is not known is ``?``."""
    return "×".join("?" if size is None else str(size) for size in sizes)
