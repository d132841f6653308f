"""Pictures in rows and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerascnn.render.figure import Decode, draw
from kerascnn.render.layout import (
    LINE,
    MARGIN,
    Grid,
    bounded_aspect,
    cell_size,
    columns_for,
    first_of,
)
from kerascnn.render.sheet import Sheet
from kerascnn.results.images import Images

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 400
_GAP = 0.1
_LETTER = 0.085  # inches that a caption's letter takes
_WIDE_ENOUGH = 1.9  # inches: longer captions are shortened


@draw.register(Images)
def draw_images(result: Images, decode: Decode) -> Figure:
    """Draw pictures with their captions above them."""
    count = min(len(result.values), _MOST)
    pictures = decode(result.values[:count])
    height, width = pictures.shape[1:3]
    cell = cell_size(count, height, width)
    if result.captions and count > 1:
        cell = max(cell, min(_WIDE_ENOUGH, _LETTER * max(map(len, result.captions))))
    tall = cell * bounded_aspect(height, width)
    line = LINE if result.captions else 0.0
    grid = Grid(count, columns_for(count, cell, _GAP), cell, tall + line, _GAP)
    across, down = grid.size
    more = first_of(count, len(result.values))
    sheet = Sheet(across + 2 * MARGIN, down, result.title, more)
    for number in range(count):
        left, top = grid.place(number)
        x, y = MARGIN + left, sheet.y + top
        if result.captions:
            space = cell if count > 1 else sheet.width - 2 * MARGIN
            sheet.text(x, y, result.captions[number], size=7, width=space)
        sheet.picture(pictures[number], x, y + line, cell, tall)
    return sheet.figure
