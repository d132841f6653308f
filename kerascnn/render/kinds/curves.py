"""Lines over an axis: all in one panel, or one panel each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerascnn.errors import one_line
from kerascnn.render import palette
from kerascnn.render.figure import Decode, draw, new_figure
from kerascnn.render.fonts import writable
from kerascnn.results.curves import Curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST = 24
_ACROSS = 3
# Inches.
_PANEL = (4.2, 2.9)
_ONE_PANEL = (8.0, 4.5)
_NARROWEST = 5.0
_TITLE = 0.4


@draw.register(Curves)
def draw_curves(result: Curves, _decode: Decode) -> Figure:
    """Draw lines with their legend, or a panel a line with its name above."""
    count = min(len(result.values), _MOST)
    panels = count if result.apart else 1
    across = min(panels, _ACROSS)
    down = -(-panels // across)
    width, height = _PANEL if result.apart else _ONE_PANEL
    figure = new_figure(max(across * width, _NARROWEST), down * height + _TITLE)
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
    y = result.values[number]
    name = _text(result.names[number], 48) if result.names else None
    color, dashes = palette.series(0 if result.apart else number)
    if result.bars:
        alpha = 0.35 if result.apart else 0.15
        axis.fill_between(x, y, step="post", color=color, alpha=alpha, linewidth=0)
    style = "steps-post" if result.bars else "default"
    axis.plot(x, y, color=color, linestyle=dashes, drawstyle=style, label=name, linewidth=1.4)
    if result.apart and name:
        caption = f"{name}: {result.captions[number]}" if result.captions else name
        axis.set_title(_text(caption, 60), fontsize=9, loc="left")


def _text(text: str, limit: int) -> str:
    # A dollar sign would begin mathematics.
    return writable(one_line(text, limit)).replace("$", r"\$")
