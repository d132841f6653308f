"""A result to a picture: drawn from its meaning, never from anything else."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascnn.errors import one_line
from kerascnn.result import Heatmap, Images, Kernels, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Decode = Callable[[np.ndarray], np.ndarray]
"""Model values (…, H, W, C) to [0, 1] RGB or grey: `InputContract.decode`."""

_DPI = 150
_MOST_ROWS = 12
_MOST_CELLS = 400
_OVERLAY_FROM = 64  # pixels: below, a map over its picture hides both


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
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, white, with room made for its labels.

    Args:
        width: inches.
        height: inches.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _draw_heatmap(result: Heatmap, decode: Decode) -> Figure:
    count = min(len(result.values), _MOST_ROWS)
    pictures = decode(result.over[:count])
    columns = 3 if min(pictures.shape[1:3]) >= _OVERLAY_FROM else 2
    side = 2.9
    aspect = pictures.shape[1] / pictures.shape[2]
    figure = new_figure(columns * side + 1.0, count * (side * min(aspect, 3.0) + 0.45) + 0.5)
    grid = figure.subplots(count, columns, squeeze=False)
    for row in range(count):
        values, axes = result.values[row], grid[row]
        look = _scale(result, values)
        _show(axes[0], pictures[row])
        caption = result.captions[row] if result.captions else ""
        _label(axes[0], caption)
        drawn = axes[1].imshow(values, interpolation="nearest", **look)
        _bare(axes[1])
        if columns == 3:
            _show(axes[2], pictures[row].mean(axis=-1, keepdims=True) * 0.6 + 0.2)
            extent = (-0.5, pictures.shape[2] - 0.5, pictures.shape[1] - 0.5, -0.5)
            weight = _weight(result, values, look)
            axes[2].imshow(values, alpha=weight, extent=extent, interpolation="nearest", **look)
            _bare(axes[2])
        bar = figure.colorbar(drawn, ax=axes[columns - 1], fraction=0.05, pad=0.02)
        bar.ax.tick_params(labelsize=7)
        if row == 0:
            _label(axes[1], _title(result))
            bar.set_label(one_line(result.unit, 60), fontsize=7)
            if columns == 3:
                _label(axes[2], "over the picture")
    _shown_of(figure, count, len(result.values))
    return figure


def _scale(result: Heatmap, values: np.ndarray) -> dict[str, Any]:
    """Return the colour map and its ends: diverging and centred where the sign has a meaning."""
    if result.signed:
        end = float(np.percentile(np.abs(values), result.clip)) or 1.0
        return {"cmap": "RdBu_r", "vmin": -end, "vmax": end}
    if result.low_is_notable:
        return {"cmap": "viridis", "vmin": float(values.min()), "vmax": float(values.max())}
    low = min(float(values.min()), 0.0)
    end = float(np.percentile(values, result.clip))
    return {"cmap": "inferno", "vmin": low, "vmax": end if end > low else low + 1.0}


def _weight(result: Heatmap, values: np.ndarray, look: dict[str, Any]) -> np.ndarray:
    if result.low_is_notable:
        return np.full(values.shape, 0.55)
    return np.clip(np.abs(values) / max(abs(look["vmax"]), 1e-30), 0.0, 1.0) ** 0.7 * 0.9


def _draw_images(result: Images, decode: Decode) -> Figure:
    values = result.values[:_MOST_CELLS]
    figure, cells = _grid(len(values), values.shape[1] / values.shape[2], result)
    pictures = decode(values)
    for index, axes in enumerate(cells):
        if index < len(values):
            _show(axes, pictures[index])
            _label(axes, result.captions[index] if result.captions else "", size=7)
    _shown_of(figure, len(values), len(result.values))
    return figure


def _draw_kernels(result: Kernels, _decode: Decode) -> Figure:
    values = result.values[:_MOST_CELLS]
    colour = result.colour and values.shape[-1] == 3
    end = float(np.abs(values).max()) or 1.0
    look = {"cmap": "RdBu_r", "vmin": -end, "vmax": end, "interpolation": "nearest"}
    aspect = values.shape[1] / values.shape[2]
    drawn = None
    if not colour and values.shape[-1] > 1:
        return _draw_slices(result, values, look)
    figure, cells = _grid(len(values), aspect, result)
    for index, axes in enumerate(cells):
        if index >= len(values):
            continue
        kernel = values[index]
        if colour:
            # Zero is mid grey; each filter fills its own range, as AlexNet's are usually shown.
            own = float(np.abs(kernel).max()) or 1.0
            axes.imshow(0.5 + 0.5 * kernel / own, interpolation="nearest")
        else:
            drawn = axes.imshow(kernel[..., 0], **look)
        _bare(axes)
        _label(axes, result.captions[index] if result.captions else "", size=7)
    if drawn is not None:
        bar = figure.colorbar(drawn, ax=list(cells), fraction=0.03, pad=0.02)
        bar.set_label(one_line(result.unit, 60), fontsize=8)
        bar.ax.tick_params(labelsize=7)
    _shown_of(figure, len(values), len(result.values))
    return figure


def _draw_slices(result: Kernels, values: np.ndarray, look: dict[str, Any]) -> Figure:
    """Draw a filter a row, a slice (input map) a column."""
    rows, columns = min(len(values), 32), values.shape[-1]
    figure = new_figure(max(0.55 * columns + 1.6, 4.5), 0.55 * rows + 0.9)
    grid = figure.subplots(rows, columns, squeeze=False)
    drawn = None
    for row in range(rows):
        for column in range(columns):
            axes = grid[row][column]
            drawn = axes.imshow(values[row, :, :, column], **look)
            _bare(axes)
            if row == 0:
                _label(axes, str(column), size=7)
        name = result.captions[row] if result.captions else str(row)
        grid[row][0].set_ylabel(one_line(name, 20), fontsize=7, rotation=0, ha="right", va="center")
    _supertitle(figure, _title(result) + "\na filter a row, an input map a column")
    if drawn is not None:
        bar = figure.colorbar(drawn, ax=grid, fraction=0.03, pad=0.02)
        bar.set_label(one_line(result.unit, 60), fontsize=8)
        bar.ax.tick_params(labelsize=7)
    _shown_of(figure, rows, len(result.values))
    return figure


def _draw_arrays(result: Result, _decode: Decode) -> Figure:
    """Draw a result of a kind unknown here: its arrays as they are, so that something is seen."""
    arrays = list(result.arrays().items())
    figure = new_figure(4.0 * max(len(arrays), 1), 4.0)
    for axes, (name, array) in zip(
        figure.subplots(1, max(len(arrays), 1), squeeze=False)[0], arrays, strict=False
    ):
        flat = array.reshape(len(array), -1) if array.ndim else array.reshape(1, 1)
        axes.imshow(flat, aspect="auto", interpolation="nearest")
        _label(axes, f"{name} {'×'.join(map(str, array.shape))}")
    _supertitle(figure, _title(result))
    return figure


def _grid(count: int, aspect: float, result: Result) -> tuple[Figure, Sequence[Axes]]:
    """Return a figure with ``count`` cells or a few more, about as wide as a slide."""
    columns = min(count, max(1, math.ceil(math.sqrt(count * 1.6 * aspect))))
    rows = math.ceil(count / columns)
    side = 1.15 if count > 6 else 3.0 if count == 1 else 2.0
    figure = new_figure(
        max(columns * side + 0.6, 4.5), rows * (side * min(aspect, 3.0) + 0.22) + 0.6
    )
    cells = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in cells:
        axes.set_axis_off()
    _supertitle(figure, _title(result))
    return figure, cells


def _show(axes: Axes, picture: np.ndarray) -> None:
    grey = picture.shape[-1] == 1
    small = min(picture.shape[:2]) < _OVERLAY_FROM
    axes.imshow(
        picture[..., 0] if grey else picture[..., :3],
        cmap="gray" if grey else None,
        vmin=0.0,
        vmax=1.0,
        interpolation="nearest" if small else "antialiased",
    )
    _bare(axes)


def _bare(axes: Axes) -> None:
    axes.set_axis_on()
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_linewidth(0.4)


def _label(axes: Axes, text: str, size: float = 9) -> None:
    # Names come out of files: a dollar sign in one is not mathematics.
    axes.set_title(one_line(text, 80), fontsize=size, parse_math=False)


def _supertitle(figure: Figure, text: str) -> None:
    if text:
        figure.suptitle(text, fontsize=11).set_parse_math(False)


def _title(result: Result) -> str:
    return one_line(result.title, 120)


def _shown_of(figure: Figure, shown: int, total: int) -> None:
    if shown < total:
        figure.supxlabel(f"the first {shown} of {total}; all of them are in the NPZ", fontsize=8)


_DRAW: dict[type, Callable[[Any, Decode], Figure]] = {
    Heatmap: _draw_heatmap,
    Images: _draw_images,
    Kernels: _draw_kernels,
}
