"""Pictures in rows and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerascnn.render.sheet import (
    LINE,
    MARGIN,
    Decode,
    Sheet,
    bounded_aspect,
    cell_size,
    columns_for,
)
from kerascnn.results.images import Images

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 400
_GAP = 0.1


def draw_images(result: Images, decode: Decode) -> Figure:
    """Draw pictures with their captions below them."""
    count = min(len(result.values), _MOST)
    pictures = decode(result.values[:count])
    height, width = pictures.shape[1:3]
    cell = cell_size(count, height, width)
    if result.captions and count > 1:
        cell = max(cell, min(1.9, 0.085 * max(map(len, result.captions))))
    tall = cell * bounded_aspect(height, width)
    line = LINE if result.captions else 0.0
    columns = columns_for(count, cell, _GAP)
    rows = -(-count // columns)
    more = ""
    if count < len(result.values):
        more = f"the first {count} of {len(result.values)}; all of them are in the NPZ"
    sheet = Sheet(
        columns * (cell + _GAP) - _GAP + 2 * MARGIN,
        rows * (tall + line + _GAP),
        result.title,
        more,
    )
    for number in range(count):
        x = MARGIN + number % columns * (cell + _GAP)
        y = sheet.y + number // columns * (tall + line + _GAP)
        if result.captions:
            room = cell if count > 1 else sheet.width - 2 * MARGIN
            sheet.text(x, y, result.captions[number], size=7, width=room)
        sheet.picture(pictures[number], x, y + line, cell, tall)
    return sheet.figure
