"""Maps over pictures: each picture, its map with the colours' meaning, and the map laid over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kerascnn.render import palette
from kerascnn.render.figure import Decode, draw
from kerascnn.render.layout import BAR, LINE, MARGIN, WIDEST, Grid, bounded_aspect, first_of
from kerascnn.render.sheet import Look, Sheet
from kerascnn.results.heatmap import Heatmap

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 48
_OVERLAY_FROM = 64  # pixels: below, a map over its picture hides both
# Inches.
_GAP = 0.1
_TO_BAR = 0.06
_LARGE, _MEDIUM, _SMALL = 3.0, 2.0, 1.5
_NARROWEST = 6.0


@draw.register(Heatmap)
def draw_heatmap(result: Heatmap, decode: Decode) -> Figure:
    """Draw pictures with their maps, as many side by side as a slide holds."""
    count = min(len(result.values), _MOST)
    pictures = decode(result.over[:count])
    height, width = pictures.shape[1:3]
    has_overlay = min(height, width) >= _OVERLAY_FROM
    aspect = bounded_aspect(height, width)
    cell = (_LARGE if count <= 3 else _MEDIUM if has_overlay else _SMALL) / max(aspect, 1.0) ** 0.5
    block = (3 if has_overlay else 2) * (cell + _GAP) + BAR
    columns = max(1, min(count, int((WIDEST - 2 * MARGIN) / block)))
    grid = Grid(count, columns, block - _GAP, cell * aspect + LINE, _GAP)
    across, down = grid.size
    more = first_of(count, len(result.values))
    words = "; ".join(filter(None, [f"colour: {result.unit}" if result.unit else "", more]))
    sheet = Sheet(max(across + _GAP + 2 * MARGIN, _NARROWEST), down, result.title, words)
    for number in range(count):
        left, top = grid.place(number)
        x, y = MARGIN + left, sheet.y + top
        if result.captions:
            sheet.text(x, y, result.captions[number], width=block - 2 * _GAP)
        place = (x, y + LINE, cell, cell * aspect)
        _draw_one(sheet, result, pictures[number], number, place, has_overlay)
    return sheet.figure


def coloured(result: Heatmap, number: int) -> np.ndarray:
    """Return one map in the colours that it is drawn in.

    Args:
        result: maps.
        number: which of them.

    Returns:
        h×w×3, uint8, of the map's own size.
    """
    from matplotlib import colormaps

    values = result.values[number]
    look = _look(result, values)
    span = look["vmax"] - look["vmin"]
    unit = np.clip((values.astype(np.float64) - look["vmin"]) / span, 0.0, 1.0)
    return np.asarray(colormaps[look["cmap"]](unit, bytes=True))[..., :3]


def _draw_one(
    sheet: Sheet,
    result: Heatmap,
    picture: np.ndarray,
    number: int,
    place: tuple[float, float, float, float],
    has_overlay: bool,
) -> None:
    x, y, cell, tall = place
    values = result.values[number]
    look = _look(result, values)
    edges = "bilinear" if result.smooth else "nearest"
    sheet.picture(picture, x, y, cell, tall)
    x += cell + _GAP
    drawn = sheet.picture(values, x, y, cell, tall, interpolation=edges, **look)
    if has_overlay:
        x += cell + _GAP
        faint = picture.mean(axis=-1, keepdims=True) * 0.6 + 0.2
        opacity = _opacity(result, values, look)
        sheet.picture(faint, x, y, cell, tall)
        sheet.picture(values, x, y, cell, tall, alpha=opacity, interpolation=edges, **look)
    sheet.bar(drawn, x + cell + _TO_BAR, y, tall)


def _look(result: Heatmap, values: np.ndarray) -> Look:
    """Return the scale: diverging and centred on zero where the sign has a meaning."""
    if result.signed:
        end = float(np.percentile(np.abs(values), result.clip)) or 1.0
        return {"cmap": palette.SIGNED, "vmin": -end, "vmax": end}
    low, high = float(values.min()), float(values.max())
    if result.low_is_notable:
        low, high = result.ends or (low, high)
        return {"cmap": palette.SCORE, "vmin": low, "vmax": high if high > low else low + 1.0}
    low = min(low, 0.0)
    end = float(np.percentile(values, result.clip))
    if end <= low:  # a single bright pixel lies above any percentile
        end = high
    return {"cmap": palette.IMPORTANT, "vmin": low, "vmax": end if end > low else low + 1.0}


def _opacity(result: Heatmap, values: np.ndarray, look: Look) -> np.ndarray:
    """Return how much a map hides of its picture at each pixel: most where it matters most."""
    if result.low_is_notable:
        return np.full(values.shape, 0.55)
    share = np.clip(np.abs(values) / max(abs(look["vmax"]), 1e-30), 0.0, 1.0)
    return np.asarray(share**0.7 * 0.9)
