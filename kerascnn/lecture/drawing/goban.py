"""Boards of Go drawn: stones, the moves that networks expect, and planes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from kerascnn.lecture.datasets.go import SIDE
from kerascnn.lecture.experiments.task import Array
from kerascnn.render import Sheet, new_figure, palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WOOD = "#e9c789"
_LINE = "#6b5327"
_STARS = (3, 9, 15)
_COLUMNS = "ABCDEFGHJKLMNOPQRST"  # the I is left out
_TITLES = {"go-cnn": "CNN", "go-cnn-pooling": "CNN + max pooling", "go-dnn": "DNN"}
#: Moves whose share is written on the board.
_WRITTEN = 5


def draw(board: Array, shares: Mapping[str, Array], move: int) -> Figure:
    """Draw a position once for each network, with the moves that it expects.

    Args:
        board: 19×19 from the top: 1 black, −1 white, 0 empty.
        shares: for each network the points' shares, 361.
        move: what was played, 19 · row + column; it gets a ring.
    """
    figure = new_figure(4.6 * len(shares), 4.9)
    panels = figure.subplots(1, len(shares), squeeze=False)[0]
    for axes, (name, values) in zip(panels, shares.items(), strict=True):
        _empty(axes)
        _stones(axes, board)
        _expected(axes, values)
        row, column = divmod(move, SIDE)
        axes.plot(column, row, "o", ms=15, mfc="none", mec=palette.SERIES[3], mew=2.2, zorder=6)
        axes.set_title(_TITLES.get(name, name), fontsize=13)
    return figure


def _empty(axes: Axes) -> None:
    axes.set_facecolor(_WOOD)
    for line in range(SIDE):
        axes.plot([0, SIDE - 1], [line, line], color=_LINE, linewidth=0.6, zorder=1)
        axes.plot([line, line], [0, SIDE - 1], color=_LINE, linewidth=0.6, zorder=1)
    for row in _STARS:
        axes.plot(_STARS, [row] * 3, "o", color=_LINE, ms=2.5, zorder=1)
    axes.set(xlim=(-0.8, SIDE - 0.2), ylim=(SIDE - 0.2, -0.8), aspect="equal")
    axes.set_xticks(range(SIDE), list(_COLUMNS), fontsize=7)
    axes.set_yticks(range(SIDE), [str(SIDE - row) for row in range(SIDE)], fontsize=7)
    axes.tick_params(length=0, pad=1)


def _stones(axes: Axes, board: Array) -> None:
    for colour, sign in (("black", 1), ("white", -1)):
        rows, columns = np.nonzero(board == sign)
        axes.plot(columns, rows, "o", ms=11.5, mfc=colour, mec="black", mew=0.6, ls="", zorder=3)


def _expected(axes: Axes, shares: Array) -> None:
    from matplotlib.patches import Rectangle

    largest = float(shares.max())
    first = np.argsort(-shares, kind="stable")
    for place, point in enumerate(first[:40]):
        row, column = divmod(int(point), SIDE)
        share = float(shares[point])
        patch = Rectangle(
            (column - 0.5, row - 0.5),
            1,
            1,
            color=palette.LIGHT.accent,
            alpha=0.85 * share / largest,
            lw=0,
        )
        axes.add_patch(patch).set_zorder(4)
        if place < _WRITTEN and share >= 0.005:
            ink = "white" if share > 0.5 * largest else "black"
            text = f"{100 * share:.0f}"
            axes.text(column, row, text, ha="center", va="center", fontsize=7, color=ink, zorder=7)


def draw_planes(planes: Array, names: Mapping[str, int]) -> Figure:
    """Draw planes in rows of eight.

    Args:
        planes: 19×19×48 of zeros and ones.
        names: the features in their order, and how many planes each has.
    """
    labels = [
        name if count == 1 else f"{name} {number}{'+' if number == 8 else ''}"
        for name, count in names.items()
        for number in range(1, count + 1)
    ]
    cell, gap = 1.3, 0.28
    rows = -(-len(labels) // 8)
    sheet = Sheet(8 * (cell + 0.12) + 0.3, rows * (cell + gap))
    for index, label in enumerate(labels):
        x = 0.2 + (index % 8) * (cell + 0.12)
        y = sheet.y + (index // 8) * (cell + gap)
        sheet.text(x, y, label, size=6.5, width=cell + 0.1)
        sheet.picture(1 - 0.9 * planes[..., index : index + 1], x, y + 0.17, cell, cell)
    return sheet.figure
