"""Boards: small tables of numbers drawn as the lecture draws them, cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from kerascnn.lecture.experiments.task import Array
from kerascnn.render import Sheet, palette

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CELL = 0.42  # inches
_GAP = 0.55


@dataclass(frozen=True)
class Board:
    """A table of numbers.

    Attributes:
        values: rows × columns.
        title: above it; signs and numbers only, since pictures speak no language.
        sign: what stands to its left, as ``∗`` or ``=``.
    """

    values: npt.ArrayLike
    title: str = ""
    sign: str = ""


def draw(boards: Sequence[Board], columns: int | None = None) -> Figure:
    """Draw boards side by side.

    Args:
        boards: what to draw.
        columns: how many in a row; all by default.
    """
    per_row = columns or len(boards)
    rows = [boards[start : start + per_row] for start in range(0, len(boards), per_row)]
    widths = [sum(np.shape(b.values)[1] * _CELL + _GAP for b in row) for row in rows]
    heights = [max(np.shape(b.values)[0] for b in row) * _CELL + 0.5 for row in rows]
    sheet = Sheet(max(widths) + 0.3, sum(heights))
    y = sheet.y
    for row, height in zip(rows, heights, strict=True):
        x = 0.15
        for board in row:
            x = _board(sheet, board, x + _GAP / 2, y, height - 0.5) + _GAP / 2
        y += height
    return sheet.figure


def _board(sheet: Sheet, board: Board, x: float, y: float, height: float) -> float:
    values = np.asarray(board.values)
    rows, columns = values.shape
    top = y + 0.3 + (height - rows * _CELL) / 2
    if board.sign:
        sheet.text(x - 0.27, y + 0.3 + height / 2 - 0.14, board.sign, size=15, align="center")
    if board.title:
        sheet.text(x + columns * _CELL / 2, top - 0.26, board.title, size=9, align="center")
    sheet.picture(shades(board), x, top, columns * _CELL, rows * _CELL, interpolation="nearest")
    for row in range(rows):
        for column in range(columns):
            text = number(values[row, column])
            size = 9 if len(text) < 4 else 7
            left, over = x + (column + 0.5) * _CELL, top + (row + 0.5) * _CELL
            sheet.text(left, over - 0.085, text, size=size, align="center")
            sheet.box(
                x + column * _CELL,
                top + row * _CELL,
                _CELL,
                _CELL,
                color=palette.LIGHT.muted,
                line=0.5,
            )
    return float(x + columns * _CELL)


def shades(board: Board) -> Array:
    """Return a colour for each cell, rows × columns × 3 in [0, 1]: blue above 0, red below."""
    values = np.asarray(board.values, np.float64)
    share = values / max(np.abs(values).max(), 1e-12)
    blue, red = np.array([0.45, 0.68, 0.93]), np.array([0.95, 0.66, 0.60])
    tint = np.where(share[..., None] > 0, blue, red)
    return np.asarray(1 - np.abs(share[..., None]) * (1 - tint))


def number(value: float) -> str:
    """Return a number as it is written in a cell."""
    text = f"{value:.0f}" if float(value).is_integer() else f"{value:.2g}"
    return text.replace("-", "−")
