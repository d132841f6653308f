"""Results of a kind that has no drawing: their arrays as they are, so that something is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kerascnn.render import palette
from kerascnn.render.figure import Decode, draw
from kerascnn.render.sheet import Sheet
from kerascnn.results.base import Result
from kerascnn.sizes import size_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 6
_MOST_NUMBERS = 2000  # a side
_SIDE = 3.0
_NAME = 0.25
_GAP = 0.3


@draw.register(Result)
def draw_arrays(result: Result, _decode: Decode) -> Figure:
    """Draw each array as a table of coloured cells, its first axis downwards."""
    arrays = list(result.arrays().items())[:_MOST]
    sheet = Sheet(len(arrays) * (_SIDE + _GAP) + _GAP, _SIDE, result.title)
    for number, (name, array) in enumerate(arrays):
        x = _GAP + number * (_SIDE + _GAP)
        values = np.nan_to_num(np.asarray(array, np.float64))
        table = values.reshape(len(values), -1) if values.ndim > 1 else values.reshape(1, -1)
        table = table[:_MOST_NUMBERS, :_MOST_NUMBERS]
        sheet.text(x, sheet.y, f"{name} {size_text(array.shape)}", width=_SIDE)
        sheet.picture(table, x, sheet.y + _NAME, _SIDE, _SIDE - _NAME, cmap=palette.UNKNOWN)
    return sheet.figure
