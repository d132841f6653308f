"""Spectrograms drawn, with maps of what networks attend to below them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kerascnn.lecture.datasets.spectrograms import BANDS, FRAMES, SECONDS, hertz
from kerascnn.lecture.experiments.task import Array
from kerascnn.render import new_figure, palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_KILOHERTZ = (0.25, 0.5, 1, 2, 4)


def draw(spectrograms: Array, words: Sequence[str], maps: Sequence[Array]) -> Figure:
    """Draw spectrograms side by side, and a row of maps for each network below.

    Args:
        spectrograms: N×40×40 in [0, 1], bands from low to high, moments.
        words: what is said, N.
        maps: for each network N×40×40, from 0.
    """
    columns, rows = len(words), 1 + len(maps)
    figure = new_figure(2.6 * columns + 0.6, 2.35 * rows)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for column, word in enumerate(words):
        panels[0, column].set_title(word, fontsize=12)
        _one(panels[0, column], spectrograms[column], "magma")
        for row, found in enumerate(maps, start=1):
            # The few strongest points would leave the rest dark.
            top = max(float(np.percentile(found[column], 99)), 1e-12)
            axes = panels[row, column]
            _one(axes, np.clip(found[column] / top, 0, 1), palette.UNKNOWN)
            axes.contour(spectrograms[column], levels=[0.75], colors="white", linewidths=0.7)
    for axes in panels[:, 0]:
        axes.set_ylabel("kHz")
    for axes in panels[-1]:
        axes.set_xlabel("s")
    return figure


def _one(axes: Axes, values: Array, colours: str) -> None:
    axes.imshow(values, origin="lower", aspect="auto", cmap=colours, vmin=0, vmax=1)
    bands = np.arange(BANDS)
    middles = np.array([hertz(float(band)) for band in bands])
    places = [float(np.interp(1000 * kilohertz, middles, bands)) for kilohertz in _KILOHERTZ]
    axes.set_yticks(places, [f"{kilohertz:g}" for kilohertz in _KILOHERTZ], fontsize=8)
    moments = np.arange(0, FRAMES + 1, FRAMES // 4)
    axes.set_xticks(moments - 0.5, [f"{SECONDS * m / FRAMES:g}" for m in moments], fontsize=8)
