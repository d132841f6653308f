"""A large picture in tiles that give exactly the whole picture's sums and gradient.

A tile's core belongs to it alone; around it lies a margin as wide as the deepest units see. Cores
and margins are multiples of the coarsest stride, so that every window falls where it falls in the
whole picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kerascnn.errors import ModelError
from kerascnn.style.features import Tap

Range = tuple[int, int]
Size = tuple[int, int]


@dataclass(frozen=True)
class Tile:
    """One tile.

    Attributes:
        rows: first row and the row after the last, margin included, in the picture.
        columns: the same for columns.
        core: the rows and columns that are its own.
    """

    rows: Range
    columns: Range
    core: tuple[Range, Range]

    def own(self, tap: Tap, size: Size) -> np.ndarray:
        """Return the units of a layer that are the tile's own, in the picture's map.

        Returns:
            top, bottom, left, right.
        """
        found = []
        for (first, last), length in zip(self.core, size, strict=True):
            # The units of the last pixels, where a pooling had no whole window, are not there.
            end = length // tap.stride if last == length else last // tap.stride
            found += [first // tap.stride, end]
        return np.array(found, np.int32)

    def inner(self, tap: Tap, size: Size) -> np.ndarray:
        """Return the same units in the tile's own map."""
        top, left = self.rows[0] // tap.stride, self.columns[0] // tap.stride
        return np.asarray(self.own(tap, size) - np.array([top, top, left, left], np.int32))


def cut(size: Size, taps: Sequence[Tap], pixels: int) -> list[Tile]:
    """Cut a picture up, into one tile where that is small enough.

    Args:
        size: the picture's height and width.
        taps: the layers that are looked at.
        pixels: how many pixels a tile may have, its margin included.

    Raises:
        ModelError: even the smallest tile has more pixels.
    """
    if size[0] * size[1] <= pixels:
        return [Tile((0, size[0]), (0, size[1]), ((0, size[0]), (0, size[1])))]
    stride = max(tap.stride for tap in taps)
    margin = math.ceil(max(tap.reach for tap in taps) / stride) * stride
    best: tuple[int, int, int] | None = None
    for down in range(1, size[0] // stride + 1):
        for right in range(1, size[1] // stride + 1):
            height = min(size[0], _side(size[0], down, stride) + (2 * margin if down > 1 else 0))
            width = min(size[1], _side(size[1], right, stride) + (2 * margin if right > 1 else 0))
            work = down * height * right * width
            if height * width <= pixels and (best is None or work < best[0]):
                best = (work, down, right)
    if best is None:
        side = min(*size, stride + 2 * margin)
        raise ModelError(
            f"not enough memory for the smallest tile: {pixels} pixels fit, and it takes "
            f"{side}×{side}; give more by --memory, or take a smaller --size"
        )
    return [
        Tile(rows, columns, (mine, others))
        for mine, rows in _ranges(size[0], best[1], stride, margin)
        for others, columns in _ranges(size[1], best[2], stride, margin)
    ]


def _side(length: int, count: int, stride: int) -> int:
    """Return the longest of ``count`` cores along an axis."""
    return math.ceil(math.ceil(length / count) / stride) * stride


def _ranges(length: int, count: int, stride: int, margin: int) -> list[tuple[Range, Range]]:
    """Return cores along an axis, each with its margin."""
    side = _side(length, count, stride)
    found = []
    for first in range(0, length, side):
        last = min(first + side, length)
        if length - last < stride:
            last = length  # the rest would have no unit of its own
        found.append(((first, last), (max(0, first - margin), min(length, last + margin))))
        if last == length:
            break
    return found
