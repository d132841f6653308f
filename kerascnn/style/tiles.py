"""How a large picture is cut into tiles for a painting; see `kerascnn.ascent.tiles`.

A tile's margin is as wide as the deepest units see. Cores and margins are multiples of the largest
stride, so that every window lies where it lies in the whole picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from kerascnn.ascent.tiles import END, Range, Tile
from kerascnn.errors import ModelError
from kerascnn.style.features import Tap


def cut(size: tuple[int, int], taps: Sequence[Tap], pixels: int) -> list[Tile]:
    """Cut a picture of height × width into tiles of at most ``pixels`` pixels, margins included.

    One where that is enough, else those with the least work.

    Raises:
        ModelError: even the smallest tile has more pixels.
    """
    if size[0] * size[1] <= pixels:
        return [Tile((0, size[0]), (0, size[1]), ((0, END), (0, END)))]
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
        Tile(rows, columns, (core, other))
        for core, rows in _ranges(size[0], best[1], stride, margin)
        for other, columns in _ranges(size[1], best[2], stride, margin)
    ]


def _side(length: int, count: int, stride: int) -> int:
    """Return the longest of ``count`` cores along an axis."""
    return math.ceil(math.ceil(length / count) / stride) * stride


def _ranges(length: int, count: int, stride: int, margin: int) -> list[tuple[Range, Range]]:
    """Return cores along an axis, each with the range that holds its margins too."""
    side = _side(length, count, stride)
    found: list[tuple[Range, Range]] = []
    for first in range(0, length, side):
        last = first + side
        if length - last < stride:  # the rest would have no unit of its own
            return [*found, ((first, END), (max(0, first - margin), length))]
        found.append(((first, last), (max(0, first - margin), min(length, last + margin))))
    return found
