"""Lines over an axis: all in one panel, or one panel each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerascnn.errors import one_line
from kerascnn.render.fonts import writable
from kerascnn.results.curves import Curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kerascnn.render.sheet import Decode

_MOST = 24
_ACROSS = 3


def draw_curves(result: Curves, _decode: Decode) -> Figure:
    """Draw lines with their legend, or a panel a line with its name above."""
    from kerascnn.render import new_figure

    count = min(len(result.values), _MOST)
    panels = count if result.apart else 1
    across = min(panels, _ACROSS)
    down = -(-panels // across)
    width, height = (4.2, 2.9) if result.apart else (8.0, 4.5)
    figure = new_figure(max(across * width, 5.0), down * height + 0.4)
    if result.title:
        figure.suptitle(_text(result.title, 110), fontsize=12, x=0.02, ha="left")
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for number in range(count):
        _line(axes[number if result.apart else 0], result, number)
    for panel, axis in enumerate(axes):
        if panel >= panels:
            axis.set_axis_off()
            continue
        axis.set_xlabel(_text(result.x_label, 60), fontsize=8)
        axis.set_ylabel(_text(result.unit, 60), fontsize=8)
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    if not result.apart and result.names:
        axes[0].legend(fontsize=8, frameon=False)
    return figure


def _line(axis: Axes, result: Curves, number: int) -> None:
    x = result.x if result.x.ndim == 1 else result.x[number]
    name = _text(result.names[number], 48) if result.names else None
    y = result.values[number]
    if result.bars:
        axis.fill_between(x, y, step="post", alpha=0.35 if result.apart else 0.15)
    axis.plot(x, y, drawstyle="steps-post" if result.bars else "default", label=name, lw=1.4)
    if result.apart and name:
        caption = f"{name}: {result.captions[number]}" if result.captions else name
        axis.set_title(_text(caption, 60), fontsize=9, loc="left")


def _text(text: str, limit: int) -> str:
    # A dollar sign would begin mathematics.
    return writable(one_line(text, limit)).replace("$", r"\$")
