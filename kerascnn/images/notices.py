"""Notices about pictures, on stderr."""

from __future__ import annotations

from collections import Counter

from kerascnn.terminal.progress import say

_OF_A_KIND = 3


class Notices:
    """Shows the first few notices of a kind, and at the end how many more there were."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def __call__(self, kind: str, text: str) -> None:
        """Show a notice, unless enough of its kind were shown."""
        self._counts[kind] += 1
        if self._counts[kind] <= _OF_A_KIND:
            say(text)

    def close(self) -> None:
        """Show how many notices were left out."""
        more = sum(max(0, count - _OF_A_KIND) for count in self._counts.values())
        if more:
            say(f"and {more} more notices of the same kinds")
