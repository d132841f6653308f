"""Filters as pictures: zero in the middle of the scale, or in the picture's own colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kerascnn.render.sheet import (
    BAR,
    LINE,
    MARGIN,
    WIDEST,
    Decode,
    Sheet,
    bounded_aspect,
    cell_size,
    columns_for,
)
from kerascnn.results.images import Kernels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 400
_MOST_ROWS = 32
_MOST_SLICES = 18
_GAP = 0.08
_SLICE = 0.45


def draw_kernels(result: Kernels, _decode: Decode) -> Figure:
    """Draw filters, each with its number; those of several input maps as rows of slices."""
    if is_colour(result.values, result.colour) or result.values.shape[-1] == 1:
        return _draw_whole(result)
    return _draw_slices(result)


def is_colour(values: np.ndarray, colour: bool) -> bool:
    """Tell whether kernels K×h×w×C are drawn in red, green and blue."""
    return colour and values.shape[-1] == 3


def colour_kernel(kernel: np.ndarray) -> np.ndarray:
    """Return a kernel h×w×3 as a picture in [0, 1]: zero is mid grey, it fills its own range."""
    return np.asarray(0.5 + 0.5 * kernel / (float(np.abs(kernel).max()) or 1.0))


def signed_look(values: np.ndarray) -> dict[str, Any]:
    """Return the diverging scale of weights; a few outliers don't pale the rest."""
    end = float(np.abs(values).max())
    bulk = float(np.percentile(np.abs(values), 99.8))
    end = bulk if 0 < bulk < 0.6 * end else end or 1.0
    return {"cmap": "RdBu_r", "vmin": -end, "vmax": end, "interpolation": "nearest"}


def _draw_whole(result: Kernels) -> Figure:
    values = result.values[:_MOST]
    count, height, width = values.shape[:3]
    colour = is_colour(values, result.colour)
    look = signed_look(values)
    cell = cell_size(count, height, width)
    tall = cell * bounded_aspect(height, width)
    line = 0.17 if result.captions else 0.0
    columns = columns_for(count, cell, _GAP, WIDEST - BAR)
    rows = -(-count // columns)
    wide = columns * (cell + _GAP) - _GAP
    words = (
        "zero is grey; each filter fills its own range" if colour else _beyond(result.values, look)
    )
    sheet = Sheet(
        2 * MARGIN + wide + (0.0 if colour else BAR),
        rows * (tall + line + _GAP),
        result.title,
        _more(result, count, words),
    )
    drawn = None
    for number, kernel in enumerate(values):
        x = MARGIN + number % columns * (cell + _GAP)
        y = sheet.y + number // columns * (tall + line + _GAP)
        if result.captions:
            sheet.text(x, y, result.captions[number], size=7, width=cell)
        if colour:
            sheet.picture(colour_kernel(kernel), x, y + line, cell, tall, interpolation="nearest")
        else:
            drawn = sheet.picture(kernel[..., 0], x, y + line, cell, tall, **look)
    if drawn is not None:
        most = max(rows * (tall + line + _GAP) - line - _GAP, 0.5)
        sheet.bar(drawn, MARGIN + wide + 0.1, sheet.y + line, min(most, 3.0), result.unit)
    return sheet.figure


def _draw_slices(result: Kernels) -> Figure:
    """Draw a filter a row, a slice (input map) a column; long lists in two or more blocks."""
    values = result.values[:_MOST_ROWS, :, :, :_MOST_SLICES]
    count, height, width, depth = values.shape
    look = signed_look(values)
    tall = _SLICE * bounded_aspect(height, width)
    name = 0.5
    block = name + depth * (_SLICE + _GAP) + 0.2
    across = max(1, min(int((WIDEST - BAR) / block), -(-count // 8)))
    rows = -(-count // across)
    words = "a filter a row, an input map a column"
    if depth < result.values.shape[3]:
        words += f" (the first {depth} of {result.values.shape[3]})"
    sheet = Sheet(
        2 * MARGIN + across * block + BAR,
        rows * (tall + _GAP) + LINE,
        result.title,
        _more(result, count, words),
    )
    drawn = None
    for number in range(count):
        x = MARGIN + number // rows * block
        y = sheet.y + LINE + number % rows * (tall + _GAP)
        label = result.captions[number] if result.captions else str(number)
        sheet.text(x + name - 0.08, y + tall / 2 - 0.06, label, size=7, align="right", width=name)
        for column in range(depth):
            left = x + name + column * (_SLICE + _GAP)
            if number % rows == 0:
                sheet.text(
                    left + _SLICE / 2, sheet.y, str(column), size=6, align="center", color="0.35"
                )
            drawn = sheet.picture(values[number, :, :, column], left, y, _SLICE, tall, **look)
    height_ = min(rows * (tall + _GAP), 3.0)
    sheet.bar(drawn, MARGIN + across * block, sheet.y + LINE, height_, result.unit)
    return sheet.figure


def _beyond(values: np.ndarray, look: dict[str, Any]) -> str:
    most = float(np.abs(values).max())
    return f"the largest weight is {most:.3g}" if most > look["vmax"] * 1.001 else ""


def _more(result: Kernels, count: int, words: str) -> str:
    if count < len(result.values):
        more = f"the first {count} of {len(result.values)}; all of them are in the NPZ"
        words = f"{words}; {more}" if words else more
    return words
