"""`draw`: one generic function from results to Matplotlib figures, and the figures themselves."""

from __future__ import annotations

import functools
import importlib
import io
import pkgutil
from collections.abc import Callable
from typing import TYPE_CHECKING

from kerascnn.render import palette
from kerascnn.results.base import Result

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

Decode = Callable[["np.ndarray"], "np.ndarray"]
"""The model's values (…, H, W, C) to [0, 1], RGB or grey: `InputSpec.decode`."""

DPI = 150


@functools.singledispatch
def draw(result: Result, decode: Decode) -> Figure:
    """Draw a result.

    A plugin draws a kind of its own by registering a function:

        @draw.register(Spread)
        def draw_spread(result, decode):
            figure = new_figure(6, 4)
            ...
            return figure

    A kind without a drawing is drawn as the nearest of its base classes that has one; with none,
    its arrays are drawn as they are.

    Args:
        result: what a visualizer returned.
        decode: converts the model's values to a picture to look at.

    Returns:
        A Matplotlib figure, bound to no window.
    """
    _register_ours()
    drawing = draw.dispatch(type(result))
    if drawing is draw.dispatch(object):
        raise TypeError(f"draw takes a Result. Received: {type(result).__name__}")
    return drawing(result, decode)


@functools.cache
def _register_ours() -> None:
    """Import our drawings, which need NumPy; what was registered before has precedence.

    They are found by their folder, as plugins are by entry points: nothing here names them.
    """
    before = dict(draw.registry)
    kinds = importlib.import_module(f"{__package__}.kinds")
    for module in pkgutil.iter_modules(kinds.__path__):
        importlib.import_module(f"{kinds.__name__}.{module.name}")
    for kind, drawing in before.items():
        draw.register(kind, drawing)


def to_png(figure: Figure) -> bytes:
    """Return a figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    # No software version or date inside: the same figure gives the same bytes.
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def new_figure(width: float, height: float, *, constrained: bool = True) -> Figure:
    """Return an empty white figure.

    For charts with axes of their own; pictures in rows and columns are set on a `Sheet`.

    Args:
        width: inches.
        height: inches.
        constrained: whether Matplotlib's constrained layout leaves space for the axes' labels.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, facecolor=palette.SHEET)
    if constrained:
        figure.set_layout_engine("constrained")
    FigureCanvasAgg(figure)
    return figure
