"""Filters as pictures: zero in the middle of the scale, or in the picture's own colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kerascnn.render import palette
from kerascnn.render.figure import Decode, draw
from kerascnn.render.layout import (
    BAR,
    LINE,
    MARGIN,
    WIDEST,
    Grid,
    bounded_aspect,
    cell_size,
    columns_for,
    first_of,
)
from kerascnn.render.sheet import Look, Sheet
from kerascnn.results.images import Kernels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 400
_MOST_ROWS = 32
_MOST_SLICES = 18
_ROWS_IN_BLOCK = 8  # at least, before filters go into a second block
# Inches.
_GAP = 0.08
_CAPTION = 0.17
_SLICE = 0.45
_NUMBER = 0.5
_TO_BAR = 0.1
_LONGEST_BAR = 3.0


@draw.register(Kernels)
def draw_kernels(result: Kernels, _decode: Decode) -> Figure:
    """Draw filters, each with its number; those of several input maps as rows of slices."""
    if is_colour(result.values, result.colour) or result.values.shape[-1] == 1:
        return _draw_whole(result)
    return _draw_slices(result)


def is_colour(values: np.ndarray, colour: bool) -> bool:
    """Return whether kernels K×h×w×C are drawn in red, green and blue."""
    return colour and values.shape[-1] == 3


def colour_kernel(kernel: np.ndarray) -> np.ndarray:
    """Return a kernel h×w×3 as a picture in [0, 1]: zero is mid grey, it fills its own range."""
    return np.asarray(0.5 + 0.5 * kernel / (float(np.abs(kernel).max()) or 1.0))


def signed_look(values: np.ndarray) -> Look:
    """Return the diverging scale of weights; a few outliers don't make the rest pale."""
    end = float(np.abs(values).max())
    bulk = float(np.percentile(np.abs(values), 99.8))
    end = bulk if 0 < bulk < 0.6 * end else end or 1.0
    return {"cmap": palette.SIGNED, "vmin": -end, "vmax": end}


def _draw_whole(result: Kernels) -> Figure:
    values = result.values[:_MOST]
    count, height, width = values.shape[:3]
    colour = is_colour(values, result.colour)
    look = signed_look(values)
    cell = cell_size(count, height, width)
    tall = cell * bounded_aspect(height, width)
    line = _CAPTION if result.captions else 0.0
    grid = Grid(count, columns_for(count, cell, _GAP, WIDEST - BAR), cell, tall + line, _GAP)
    across, down = grid.size
    words = (
        "zero is grey; each filter fills its own range" if colour else _beyond(result.values, look)
    )
    bar = 0.0 if colour else BAR
    sheet = Sheet(2 * MARGIN + across + bar, down, result.title, _subtitle(result, count, words))
    drawn = None
    for number, kernel in enumerate(values):
        left, top = grid.place(number)
        x, y = MARGIN + left, sheet.y + top
        if result.captions:
            sheet.text(x, y, result.captions[number], size=7, width=cell)
        if colour:
            shown = colour_kernel(kernel)
            sheet.picture(shown, x, y + line, cell, tall, interpolation="nearest")
        else:
            shown = kernel[..., 0]
            drawn = sheet.picture(shown, x, y + line, cell, tall, interpolation="nearest", **look)
    if drawn is not None:
        long = min(max(down - line - _GAP, 0.5), _LONGEST_BAR)
        sheet.bar(drawn, MARGIN + across + _TO_BAR, sheet.y + line, long, result.unit)
    return sheet.figure


def _draw_slices(result: Kernels) -> Figure:
    """Draw a filter a row, a slice (input map) a column; long lists in two or more blocks."""
    values = result.values[:_MOST_ROWS, :, :, :_MOST_SLICES]
    count, height, width, depth = values.shape
    look = signed_look(values)
    tall = _SLICE * bounded_aspect(height, width)
    block = _NUMBER + depth * (_SLICE + _GAP) + 0.2
    across = max(1, min(int((WIDEST - BAR) / block), -(-count // _ROWS_IN_BLOCK)))
    rows = -(-count // across)
    words = "a filter a row, an input map a column"
    if depth < result.values.shape[3]:
        words += f" (the first {depth} of {result.values.shape[3]})"
    high = rows * (tall + _GAP)
    subtitle = _subtitle(result, count, words)
    sheet = Sheet(2 * MARGIN + across * block + BAR, high + LINE, result.title, subtitle)
    for number in range(count):
        x = MARGIN + number // rows * block + _NUMBER
        y = sheet.y + LINE + number % rows * (tall + _GAP)
        label = result.captions[number] if result.captions else str(number)
        sheet.text(x - _GAP, y + tall / 2 - 0.06, label, size=7, align="right", width=_NUMBER)
        for column in range(depth):
            left = x + column * (_SLICE + _GAP)
            if number % rows == 0:
                at, color = left + _SLICE / 2, palette.LIGHT.muted
                sheet.text(at, sheet.y, str(column), size=6, align="center", color=color)
            shown = values[number, :, :, column]
            drawn = sheet.picture(shown, left, y, _SLICE, tall, interpolation="nearest", **look)
    x = MARGIN + across * block
    sheet.bar(drawn, x, sheet.y + LINE, min(high, _LONGEST_BAR), result.unit)
    return sheet.figure


def _beyond(values: np.ndarray, look: Look) -> str:
    most = float(np.abs(values).max())
    return f"the largest weight is {most:.3g}" if most > look["vmax"] * 1.001 else ""


def _subtitle(result: Kernels, count: int, words: str) -> str:
    return "; ".join(filter(None, [words, first_of(count, len(result.values))]))
