"""The pictures that excite units most: a row a unit, the value in the corner, the field boxed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kerascnn.render.sheet import LINE, MARGIN, WIDEST, Decode, Sheet, bounded_aspect
from kerascnn.results.top_images import TopImages

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_ROWS = 64
_MOST_COLUMNS = 20
_GAP = 0.08
_NAME = 0.75


def draw_top_images(result: TopImages, decode: Decode) -> Figure:
    """Draw a row a unit; without the pictures, the numbers alone."""
    rows = result.shown[:_MOST_ROWS]
    columns = min(result.values.shape[1], _MOST_COLUMNS)
    pictures = None if result.pictures is None else decode(result.pictures)
    size = (1, 1) if pictures is None else pictures.shape[1:3]
    aspect = bounded_aspect(*size)
    most = (WIDEST - 2 * MARGIN - _NAME) / columns - _GAP
    cell = min(most, (1.5 if max(size) > 64 else 1.0) / max(aspect, 1.0) ** 0.5)
    tall = cell * aspect
    line = 0.15 if pictures is not None else 0.0
    words = f"the {columns} strongest of {result.seen:,} pictures, a row a unit"
    has_boxes = bool((result.places[rows] >= 0).any())
    if has_boxes:
        words += "; white: what the unit sees"
    if len(rows) < len(result.units):
        words += f"; {len(rows)} of {len(result.units)} units, all of them are in the NPZ"
    sheet = Sheet(
        2 * MARGIN + _NAME + columns * (cell + _GAP),
        len(rows) * (tall + line + _GAP),
        result.title,
        words,
    )
    for number, row in enumerate(rows):
        y = sheet.y + number * (tall + line + _GAP)
        name = result.captions[row] if result.captions else str(result.units[row])
        sheet.text(MARGIN, y + tall / 2 - LINE / 2, name, width=_NAME - 0.1)
        for column in range(columns):
            x = MARGIN + _NAME + column * (cell + _GAP)
            _draw_one(sheet, result, pictures, (row, column), (x, y, cell, tall))
    return sheet.figure


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
        sheet.box(x, y, cell, tall, color="0.7", line=0.5)
        sheet.text(x + cell / 2, y + tall / 2, f"picture {index}", size=6, align="center")
    else:
        picture = pictures[kept]
        sheet.picture(picture, x, y, cell, tall)
        sheet.text(x, y + tall + 0.02, result.names[kept], size=6, width=cell, color="0.3")
        if result.places[which][0] >= 0:
            across, down = cell / picture.shape[1], tall / picture.shape[0]
            top, left, bottom, right = (int(n) for n in result.boxes[which])
            box = (
                x + left * across,
                y + top * down,
                (right - left) * across,
                (bottom - top) * down,
            )
            # Black around the white, or it can't be seen on a white picture.
            sheet.box(*box, color="black", line=2.2)
            sheet.box(*box, color="white", line=1.1)
    sheet.label(x, y, f"{result.values[which]:#.3g}")
