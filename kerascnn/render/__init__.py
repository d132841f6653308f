"""A result to a picture: drawn from its meaning, never from anything else."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kerascnn.render.curves import draw_curves
from kerascnn.render.heatmaps import draw_heatmap
from kerascnn.render.kernels import draw_kernels
from kerascnn.render.maps import draw_maps
from kerascnn.render.pictures import draw_images
from kerascnn.render.sheet import DPI, Decode, Sheet
from kerascnn.render.top_images import draw_top_images
from kerascnn.results.base import Result
from kerascnn.results.curves import Curves
from kerascnn.results.heatmap import Heatmap
from kerascnn.results.images import Images, Kernels
from kerascnn.results.maps import Maps
from kerascnn.results.top_images import TopImages

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["DPI", "Decode", "Sheet", "draw", "new_figure", "to_png"]


def draw(result: Result, decode: Decode) -> Figure:
    """Draw a result.

    Args:
        result: what a visualizer gave back.
        decode: turns the model's values into a picture to look at.

    Returns:
        A Matplotlib figure of its own, bound to no window.
    """
    for base in type(result).__mro__:
        if base in _DRAW:
            return _DRAW[base](result, decode)
    return _draw_arrays(result, decode)


def to_png(figure: Figure) -> bytes:
    """Return a figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    # No software version or date inside: the same figure gives the same bytes.
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, white, with room made for its labels.

    For charts with axes of their own; pictures in rows and columns are set on a `Sheet`.

    Args:
        width: inches.
        height: inches.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _draw_arrays(result: Result, _decode: Decode) -> Figure:
    """Draw a result of a kind unknown here: its arrays as they are, so that something is seen."""
    import numpy as np

    arrays = list(result.arrays().items())[:6]
    side, gap = 3.0, 0.3
    sheet = Sheet(len(arrays) * (side + gap) + gap, side, title=result.title)
    for number, (name, array) in enumerate(arrays):
        x = gap + number * (side + gap)
        flat = np.nan_to_num(np.asarray(array, np.float64))
        flat = flat.reshape(len(flat), -1) if flat.ndim > 1 else flat.reshape(1, -1)
        sheet.text(x, sheet.y, f"{name} {'×'.join(map(str, array.shape))}", width=side)
        sheet.picture(flat[:2000, :2000], x, sheet.y + 0.25, side, side - 0.25, cmap="viridis")
    return sheet.figure


_DRAW: dict[type, Callable[[Any, Decode], Figure]] = {
    Heatmap: draw_heatmap,
    Images: draw_images,
    Kernels: draw_kernels,
    Maps: draw_maps,
    TopImages: draw_top_images,
    Curves: draw_curves,
}
