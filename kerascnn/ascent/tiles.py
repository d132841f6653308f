"""A large picture in tiles whose gradients add up to exactly the whole picture's gradient.

Each unit of a map belongs to one tile. Around the pixels of its own units a tile has a margin, so
that the units' receptive fields lie inside the tile or in the padding beyond the picture's edge.
Where a tile begins, and how long it is, fits the strides of the network: every window then lies
where it lies in the whole picture. A tile's part of the objective is the sum over its own units;
the gradients of neighbouring tiles overlap in the margins, where they are added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kerascnn.errors import ModelError

if TYPE_CHECKING:
    import numpy as np

    from kerascnn.graph.layers import Layer
    from kerascnn.network.network import Network

Range = tuple[int, int]

END = 1 << 30
"""Beyond every picture and map: a slice up to here goes to the edge."""


@dataclass(frozen=True)
class Tile:
    """One tile.

    Attributes:
        rows: first row and the row after the last in the picture, margin included.
        columns: the same for columns.
        core: rows and columns of the pixels whose units are the tile's own, up to `END` at the
            picture's edge.
    """

    rows: Range
    columns: Range
    core: tuple[Range, Range]

    @property
    def pixels(self) -> int:
        """How many pixels it has, margin included."""
        return (self.rows[1] - self.rows[0]) * (self.columns[1] - self.columns[0])

    def part(self, picture: np.ndarray) -> np.ndarray:
        """Return the tile's part of a picture 1×H×W×C; writing to it writes to the picture."""
        return picture[:, slice(*self.rows), slice(*self.columns)]

    def units(self, down: int, right: int) -> list[int]:
        """Return its own units in a map of the whole picture: top, bottom, left, right.

        Args:
            down: how many rows of the picture lie between a row of units and the next.
            right: the same for columns.
        """
        rows, columns = self.core
        return [-(-edge // down) for edge in rows] + [-(-edge // right) for edge in columns]

    def inner_units(self, down: int, right: int) -> list[int]:
        """Return the same units in the map of the tile."""
        top, left = self.rows[0] // down, self.columns[0] // right
        shifts = (top, top, left, left)
        return [edge - by for edge, by in zip(self.units(down, right), shifts, strict=True)]


def bytes_per_pixel(network: Network, layers: Sequence[Layer]) -> float:
    """Return about how many bytes a pixel takes, forward to the deepest layer and back."""
    last = max(layer.index for layer in layers)
    values = float(network.input.channels)
    for layer in network.layers:
        if layer.index <= last and layer.is_map and layer.field is not None:
            down, right = layer.field.stride
            values += layer.channels / max(down * right, 1)
    return 8.0 * values


def tiles(
    network: Network, layers: Sequence[Layer], size: tuple[int, int], budget: float
) -> list[Tile]:
    """Cut a picture of height × width into tiles: one where ``budget`` bytes are enough for it.

    Raises:
        ModelError: memory is too small for any tile, or a layer's units see the whole picture.
    """
    per_pixel = bytes_per_pixel(network, layers)
    if size[0] * size[1] * per_pixel <= budget:
        return [Tile((0, size[0]), (0, size[1]), ((0, END), (0, END)))]
    for layer in layers:
        if layer.field is None or min(layer.field.stride) < 1:
            raise ModelError(
                f"the picture of {size[1]}×{size[0]} does not fit in memory, and layer "
                f"{layer.name!r} can't be worked in tiles, since its units see the whole picture; "
                "give more by --memory, or a smaller --size"
            )
    side = int((budget / per_pixel) ** 0.5)
    rows, columns = (_cuts(layers, axis, size[axis], side) for axis in (0, 1))
    if rows is None or columns is None:
        raise ModelError(
            f"memory allows tiles of {side}×{side} pixels, and these layers need larger ones; "
            "give more by --memory"
        )
    return [Tile(down, right, (own, other)) for down, own in rows for right, other in columns]


def _cuts(
    layers: Sequence[Layer], axis: int, length: int, side: int
) -> list[tuple[Range, Range]] | None:
    """Return tiles along one axis, each with its core; None where ``side`` is too short."""
    fields = [layer.field for layer in layers if layer.field is not None]
    period = max(field.stride[axis] for field in fields)
    if any(period % field.stride[axis] for field in fields):
        return None
    if length <= side:
        return [((0, length), (0, END))]
    # Uneven padding moves windows by less than a period; a margin of one more covers that.
    before = _up(max(0, *(f.before[axis] for f in fields)), period) + period
    after = _up(max(0, *(f.size[axis] - 1 - f.before[axis] for f in fields)), period) + period
    # As long as the picture modulo the period: padding then falls as in the picture.
    tile = (side - length % period) // period * period + length % period
    if tile - before - after < period:
        return None
    found: list[tuple[Range, Range]] = []
    first = 0
    while True:
        start = max(0, (first - before) // period * period)
        if start + tile >= length:
            return [*found, ((length - tile, length), (first, END))]
        end = start + tile - after
        found.append(((start, start + tile), (first, end)))
        first = end


def _up(number: int, period: int) -> int:
    return -(-number // period) * period
