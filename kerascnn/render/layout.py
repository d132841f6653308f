"""Where things go on a sheet: lengths, grids, and the size of a picture's place."""

from __future__ import annotations

import math
from dataclasses import dataclass

# All lengths are in inches.
MARGIN = 0.15
LINE = 0.2
"""Height of a line of text."""
BAR = 0.75
"""Width of a colour bar with its numbers and label."""
WIDEST = 12.0
"""Width that a row of pictures may take: a slide's."""


@dataclass(frozen=True)
class Grid:
    """Equal cells in rows.

    Attributes:
        count: how many cells there are.
        columns: cells in a row.
        width: of a cell.
        height: of a cell.
        gap: between cells.
    """

    count: int
    columns: int
    width: float
    height: float
    gap: float

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of all cells; the height with the gap below the last row."""
        rows = -(-self.count // self.columns)
        across = self.columns * (self.width + self.gap) - self.gap
        return across, rows * (self.height + self.gap)

    def place(self, number: int) -> tuple[float, float]:
        """Return left and upper edge of a cell, from the grid's own corner."""
        row, column = divmod(number, self.columns)
        return column * (self.width + self.gap), row * (self.height + self.gap)


def cell_size(count: int, height: int, width: int) -> float:
    """Return how many inches wide one of ``count`` pictures of height × width pixels is drawn."""
    aspect = bounded_aspect(height, width)
    side = 2.6 if count <= 2 else 2.0 if count <= 6 else 1.25 if count <= 40 else 0.9
    # A tall picture is drawn narrower so that its area stays about the same.
    return max(0.35, side / max(math.sqrt(aspect), 0.6))


def bounded_aspect(height: int, width: int) -> float:
    """Return height / width of the place for a picture; strips are drawn thicker than they are."""
    return min(max(height / width, 1 / 6), 6.0)


def columns_for(count: int, cell: float, gap: float, space: float = WIDEST) -> int:
    """Return how many cells go in a row: a full page, or a block nearly as wide as a slide."""
    most = max(1, int((space - 2 * MARGIN + gap) / (cell + gap)))
    if count <= most and count <= 6:
        return count
    return min(most, max(4, math.ceil(math.sqrt(count * 2.0))), count)


def first_of(count: int, total: int, what: str = "") -> str:
    """Return the words for a picture that shows the first ``count`` of ``total`` items."""
    if count >= total:
        return ""
    return f"the first {count} of {total}{what}; all of them are in the NPZ"
