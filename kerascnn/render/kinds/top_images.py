"""The pictures that activate units most: a row a unit, the value in the corner, the field boxed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kerascnn.render import palette
from kerascnn.render.figure import Decode, draw
from kerascnn.render.layout import LINE, MARGIN, WIDEST, Grid, bounded_aspect
from kerascnn.render.sheet import Sheet
from kerascnn.results.top_images import TopImages

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_ROWS = 64
_MOST_COLUMNS = 20
_LARGE_FROM = 64  # pixels
# Inches.
_GAP = 0.08
_UNIT = 0.75
_NAME = 0.15
_LARGE, _SMALL = 1.5, 1.0


@draw.register(TopImages)
def draw_top_images(result: TopImages, decode: Decode) -> Figure:
    """Draw a row a unit; without the pictures, the numbers alone."""
    rows = result.shown[:_MOST_ROWS]
    columns = min(result.values.shape[1], _MOST_COLUMNS)
    pictures = None if result.pictures is None else decode(result.pictures)
    size = (1, 1) if pictures is None else pictures.shape[1:3]
    aspect = bounded_aspect(*size)
    most = (WIDEST - 2 * MARGIN - _UNIT) / columns - _GAP
    cell = min(most, (_LARGE if max(size) > _LARGE_FROM else _SMALL) / max(aspect, 1.0) ** 0.5)
    tall = cell * aspect
    name = 0.0 if pictures is None else _NAME
    grid = Grid(len(rows) * columns, columns, cell, tall + name, _GAP)
    across, down = grid.size
    width = 2 * MARGIN + _UNIT + across + _GAP
    sheet = Sheet(width, down, result.title, _subtitle(result, rows, columns))
    for number in range(len(rows) * columns):
        rank, row = number % columns, rows[number // columns]
        left, top = grid.place(number)
        x, y = MARGIN + _UNIT + left, sheet.y + top
        if rank == 0:
            unit = result.captions[row] if result.captions else str(result.units[row])
            sheet.text(MARGIN, y + tall / 2 - LINE / 2, unit, width=_UNIT - 0.1)
        _draw_one(sheet, result, pictures, (row, rank), (x, y, cell, tall))
    return sheet.figure


def _subtitle(result: TopImages, rows: list[int], columns: int) -> str:
    words = f"the {columns} strongest of {result.seen:,} pictures, a row a unit"
    if (result.places[rows] >= 0).any():
        words += "; white: what the unit sees"
    if len(rows) < len(result.units):
        words += f"; {len(rows)} of {len(result.units)} units, all of them are in the NPZ"
    return words


def _draw_one(
    sheet: Sheet,
    result: TopImages,
    pictures: np.ndarray | None,
    which: tuple[int, int],
    place: tuple[float, float, float, float],
) -> None:
    x, y, cell, tall = place
    index = int(result.indices[which])
    kept = result.picture(index)
    if pictures is None or kept is None:
        sheet.box(x, y, cell, tall, color=palette.LIGHT.muted, line=0.5)
        sheet.text(x + cell / 2, y + tall / 2, f"picture {index}", size=6, align="center")
    else:
        sheet.picture(pictures[kept], x, y, cell, tall)
        name, color = result.names[kept], palette.LIGHT.muted
        sheet.text(x, y + tall + 0.02, name, size=6, width=cell, color=color)
        if result.places[which][0] >= 0:
            _draw_field(sheet, result.boxes[which], pictures.shape[1:3], place)
    sheet.label(x, y, f"{result.values[which]:#.3g}")


def _draw_field(
    sheet: Sheet,
    box: np.ndarray,
    size: tuple[int, ...],
    place: tuple[float, float, float, float],
) -> None:
    """Draw the box of a receptive field, given in pixels of a picture that is drawn at a place."""
    x, y, cell, tall = place
    down, across = tall / size[0], cell / size[1]
    top, left, bottom, right = (int(edge) for edge in box)
    field = (x + left * across, y + top * down, (right - left) * across, (bottom - top) * down)
    # Dark around the white, or it can't be seen on a white picture.
    sheet.box(*field, color=palette.VEIL, line=2.2)
    sheet.box(*field, color=palette.ON_VEIL, line=1.1)
