"""Maps over pictures: each picture, its map with the colours' meaning, and the map laid over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kerascnn.render.sheet import BAR, LINE, MARGIN, WIDEST, Decode, Sheet, bounded_aspect
from kerascnn.results.heatmap import Heatmap

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 48
_OVERLAY_FROM = 64  # pixels: below, a map over its picture hides both
_GAP = 0.1


def draw_heatmap(result: Heatmap, decode: Decode) -> Figure:
    """Draw pictures with their maps, as many side by side as a slide holds."""
    count = min(len(result.values), _MOST)
    pictures = decode(result.over[:count])
    height, width = pictures.shape[1:3]
    columns = 3 if min(height, width) >= _OVERLAY_FROM else 2
    aspect = bounded_aspect(height, width)
    cell = (3.0 if count <= 3 else 2.0 if columns == 3 else 1.5) / max(aspect, 1.0) ** 0.5
    block = columns * (cell + _GAP) + BAR
    across = max(1, min(count, int((WIDEST - 2 * MARGIN) / block)))
    down = -(-count // across)
    tall = cell * aspect + LINE + _GAP
    sheet = Sheet(
        max(across * block + 2 * MARGIN, 6.0), down * tall, result.title, _subtitle(result, count)
    )
    for number in range(count):
        x = MARGIN + number % across * block
        y = sheet.y + number // across * tall
        _draw_one(sheet, result, pictures[number], number, (x, y, cell, cell * aspect), columns)
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
    look = _scale(result, values)
    span = look["vmax"] - look["vmin"]
    unit = np.clip((values.astype(np.float64) - look["vmin"]) / span, 0.0, 1.0)
    return np.asarray(colormaps[look["cmap"]](unit, bytes=True))[..., :3]


def _subtitle(result: Heatmap, count: int) -> str:
    text = f"colour: {result.unit}" if result.unit else ""
    if count < len(result.values):
        more = f"the first {count} of {len(result.values)}; all of them are in the NPZ"
        text = f"{text}; {more}" if text else more
    return text


def _draw_one(
    sheet: Sheet,
    result: Heatmap,
    picture: np.ndarray,
    number: int,
    place: tuple[float, float, float, float],
    columns: int,
) -> None:
    x, y, cell, tall = place
    values = result.values[number]
    look = _scale(result, values)
    if result.captions:
        room = columns * (cell + _GAP) + BAR - 2 * _GAP
        sheet.text(x, y, result.captions[number], width=room)
    y += LINE
    sheet.picture(picture, x, y, cell, tall)
    x += cell + _GAP
    look["interpolation"] = "bilinear" if result.smooth else "nearest"
    drawn = sheet.picture(values, x, y, cell, tall, **look)
    if columns == 3:
        x += cell + _GAP
        faint = picture.mean(axis=-1, keepdims=True) * 0.6 + 0.2
        sheet.picture(faint, x, y, cell, tall)
        sheet.picture(values, x, y, cell, tall, alpha=_weight(result, values, look), **look)
    sheet.bar(drawn, x + cell + 0.06, y, tall)


def _scale(result: Heatmap, values: np.ndarray) -> dict[str, Any]:
    """Return the colour map and its ends: diverging and centred where the sign has a meaning."""
    if result.signed:
        end = float(np.percentile(np.abs(values), result.clip)) or 1.0
        return {"cmap": "RdBu_r", "vmin": -end, "vmax": end}
    low, high = float(values.min()), float(values.max())
    if result.low_is_notable:
        low, high = result.ends or (low, high)
        # Blue where the score is low, as the lecture paints it.
        return {"cmap": "plasma", "vmin": low, "vmax": high if high > low else low + 1.0}
    low = min(low, 0.0)
    end = float(np.percentile(values, result.clip))
    if end <= low:  # a single bright pixel lies above any percentile
        end = high
    return {"cmap": "inferno", "vmin": low, "vmax": end if end > low else low + 1.0}


def _weight(result: Heatmap, values: np.ndarray, look: dict[str, Any]) -> np.ndarray:
    if result.low_is_notable:
        return np.full(values.shape, 0.55)
    return np.clip(np.abs(values) / max(abs(look["vmax"]), 1e-30), 0.0, 1.0) ** 0.7 * 0.9
