"""A large picture in tiles, such that the tiles' gradients add up to the whole picture's exactly.

Each unit of a map belongs to one tile. A tile reaches so far beyond the units it owns that their
receptive fields lie inside it, or in the padding beyond the picture's own edge; its start and its
length fit the network's strides, so that windows fall where they fall in the whole picture. A
tile's part of the objective is the sum over its own units; its gradient reaches into the margin,
where it is added to the neighbours'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kerascnn.errors import ModelError

if TYPE_CHECKING:
    from kerascnn.graph.layers import Layer
    from kerascnn.network.network import Network

Range = tuple[int, int]


@dataclass(frozen=True)
class Tile:
    """One tile.

    Attributes:
        rows: first row and the row after the last, in the picture.
        columns: the same for columns.
        owned: for each layer, the units that count: rows and columns of the tile's own map.
    """

    rows: Range
    columns: Range
    owned: tuple[tuple[Range, Range], ...]


def bytes_per_pixel(network: Network, layers: Sequence[Layer]) -> float:
    """Roughly what a pixel takes from the picture to the deepest of ``layers``, there and back."""
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
    """Cut a picture up: one tile where memory allows it.

    Args:
        network: what the layers are of.
        layers: what the objective asks.
        size: the picture's height and width.
        budget: bytes that a tile may take.

    Raises:
        ModelError: memory is too small for any tile, or a layer can't be worked in tiles.
    """
    per_pixel = bytes_per_pixel(network, layers)
    whole: tuple[Range, Range] = ((0, 1 << 30), (0, 1 << 30))
    if size[0] * size[1] * per_pixel <= budget:
        return [Tile((0, size[0]), (0, size[1]), (whole,) * len(layers))]
    for layer in layers:
        if layer.field is None or min(layer.field.stride) < 1:
            raise ModelError(
                f"the picture of {size[1]}×{size[0]} does not fit in memory, and layer "
                f"{layer.name!r} can't be worked in tiles, since its units see the whole picture; "
                "give more by --memory, or a smaller --size"
            )
    side = int((budget / per_pixel) ** 0.5)
    rows = _cuts([_Reach.of(layer, 0) for layer in layers], size[0], side)
    columns = _cuts([_Reach.of(layer, 1) for layer in layers], size[1], side)
    if rows is None or columns is None:
        raise ModelError(
            f"memory allows tiles of {side}×{side} pixels, and these layers need larger ones; "
            "give more by --memory"
        )
    return [
        Tile(down, right, tuple(zip(mine, other, strict=True)))
        for down, mine in rows
        for right, other in columns
    ]


@dataclass(frozen=True)
class _Reach:
    """How a layer's units lie along one axis: a unit every ``stride`` pixels, its field around."""

    stride: int
    before: int
    after: int

    @staticmethod
    def of(layer: Layer, axis: int) -> _Reach:
        field = layer.field
        assert field is not None
        before = field.before[axis]
        return _Reach(field.stride[axis], before, field.size[axis] - 1 - before)

    def owned(self, start: int, core: Range) -> Range:
        """Return which units of a tile's map belong to a core of pixels."""
        first, last = (-(-(edge - start) // self.stride) for edge in core)
        return first, last


def _cuts(
    reaches: Sequence[_Reach], length: int, side: int
) -> list[tuple[Range, list[Range]]] | None:
    """Return tiles along one axis with what each owns; None where ``side`` is too short."""
    period = max(reach.stride for reach in reaches)
    if any(period % reach.stride for reach in reaches):
        return None
    # Uneven padding moves windows by less than a period; a margin of one more covers that.
    before = _up(max(0, *(reach.before for reach in reaches)), period) + period
    after = _up(max(0, *(reach.after for reach in reaches)), period) + period
    if length <= side:
        return [((0, length), [(0, 1 << 30)] * len(reaches))]
    # As long as the picture modulo the period: padding then falls as in the picture.
    tile = (side - length % period) // period * period + length % period
    if tile - before - after < period:
        return None
    found, core = [], 0
    while True:
        start = max(0, (core - before) // period * period)
        if start + tile >= length:
            start, end = length - tile, 1 << 30
        else:
            end = start + tile - after
        owned = [reach.owned(start, (core, end)) for reach in reaches]
        found.append(((start, start + tile), owned))
        if end == 1 << 30:
            return found
        core = end


def _up(number: int, period: int) -> int:
    return -(-number // period) * period
