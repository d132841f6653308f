"""`Sheet`: a figure on which pictures, texts and colour bars are set by the inch.

Matplotlib's automatic layouts take minutes for hundreds of panels and let long names run into each
other. Here every place is known before anything is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascnn.errors import one_line
from kerascnn.render.fonts import families, shortened, wrapped, writable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

Decode = Callable[[np.ndarray], np.ndarray]
"""Model values (…, H, W, C) to [0, 1] RGB or grey: `InputSpec.decode`."""

DPI = 150
MARGIN = 0.15
LINE = 0.2
"""Inches that a line of text takes."""
WIDEST = 12.0
"""Inches that a row of pictures may take: a slide's width."""
_TALLEST = 400.0  # inches; Agg takes 2^16 pixels at most
_SMOOTH_FROM = 64  # pixels: smaller pictures are shown as squares


class Sheet:
    """A white figure with a title, and a cursor ``y`` below it.

    Places and sizes are in inches from the top left corner.

    Args:
        width: of what is to be drawn, with its margins.
        height: of what comes below the title.
        title: over it all; cut to the sheet's width.
        subtitle: a smaller line below the title, or up to three where the sheet is narrow.

    Attributes:
        figure: Matplotlib's figure.
        width: the sheet's width.
        y: where the drawing begins, below the titles.
    """

    def __init__(self, width: float, height: float, title: str = "", subtitle: str = "") -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.width = max(width, 4.0)
        room = self.width - 2 * MARGIN
        lines = wrapped(writable(one_line(subtitle, 400)), room, 8)
        top = MARGIN + (0.3 if title else 0.0)
        self.y = top + LINE * len(lines)
        self.height = min(self.y + height + MARGIN, _TALLEST)
        self.figure: Figure = Figure(figsize=(self.width, self.height), dpi=DPI, facecolor="white")
        FigureCanvasAgg(self.figure)
        self._canvas: Axes = self.figure.add_axes((0, 0, 1, 1))
        self._canvas.set_axis_off()
        self._canvas.set(xlim=(0, self.width), ylim=(self.height, 0))
        if title:
            self.text(MARGIN, MARGIN, title, size=12, width=room)
        for number, line in enumerate(lines):
            self.text(MARGIN, top + LINE * number, line, size=8, width=room, color="0.35")

    def picture(
        self,
        values: np.ndarray,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        frame: bool = True,
        **look: Any,
    ) -> AxesImage:
        """Set a picture.

        Args:
            values: H×W numbers, drawn by ``cmap``; H×W×1 in [0, 1], grey; H×W×3 in [0, 1], colour.
            x: left edge.
            y: upper edge.
            width: of the picture.
            height: of the picture.
            frame: whether to draw a thin line around it.
            **look: of Matplotlib's ``imshow``: ``cmap``, ``vmin``, ``vmax``, ``alpha`` ….
        """
        from matplotlib.image import AxesImage

        values = np.asarray(values)
        if values.ndim == 3:
            grey = values.shape[2] not in (3, 4)
            values = values[..., 0] if grey else values[..., :3]
            look = {"vmin": 0.0, "vmax": 1.0, "cmap": "gray" if grey else None, **look}
        smooth = min(values.shape[:2]) >= _SMOOTH_FROM
        # Nearest also where pictures are shrunk would drop lines.
        look.setdefault("interpolation", "antialiased" if smooth else "nearest")
        # Not `imshow`, which settles the axes' limits and aspect anew with each of hundreds.
        ends = {"vmin": look.pop("vmin", None), "vmax": look.pop("vmax", None)}
        drawn = AxesImage(
            self._canvas, extent=(x, x + width, y + height, y), origin="upper", **look
        )
        drawn.set_data(values)
        drawn.set_clim(**ends)
        if values.ndim == 2:
            drawn.autoscale_None()
        drawn.set_zorder(2)
        self._canvas.add_image(drawn)
        if frame:
            self.box(x, y, width, height, color="0.25", line=0.5)
        return drawn

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 8,
        width: float | None = None,
        align: str = "left",
        color: str = "black",
    ) -> None:
        """Write one line; ``x`` is its left edge, centre or right edge, ``y`` its upper edge.

        Args:
            x: see above.
            y: see above.
            text: any text; what can't be printed or written is replaced.
            size: of the letters, in points.
            width: cut the text to so many inches.
            align: ``left``, ``center`` or ``right``.
            color: of the letters.
        """
        line = writable(one_line(text, 400))
        if width is not None:
            line = shortened(line, width, size)
        # Names come out of files: a dollar sign in one is not mathematics.
        self._canvas.text(
            x,
            y,
            line,
            fontsize=size,
            ha=align,
            va="top",
            color=color,
            parse_math=False,
            zorder=5,
            fontfamily=families(),
        )

    def box(
        self, x: float, y: float, width: float, height: float, *, color: str, line: float
    ) -> None:
        """Draw a rectangle; ``line`` is the width of its line in points."""
        from matplotlib.patches import Rectangle

        self._canvas.add_patch(
            Rectangle((x, y), width, height, fill=False, edgecolor=color, linewidth=line, zorder=4)
        )

    def label(self, x: float, y: float, text: str, size: float = 7) -> None:
        """Write white on black at a picture's upper left corner."""
        self._canvas.text(
            x + 0.03,
            y + 0.03,
            writable(one_line(text, 40)),
            fontsize=size,
            ha="left",
            va="top",
            color="white",
            parse_math=False,
            zorder=6,
            fontfamily=families(),
            bbox={"facecolor": "black", "alpha": 0.65, "pad": 1.0, "linewidth": 0},
        )

    def bar(self, drawn: Any, x: float, y: float, height: float, label: str = "") -> None:
        """Set a colour bar: 0.12 inches wide, its numbers and label to the right of it.

        Args:
            drawn: the picture whose colours it explains.
            x: left edge.
            y: upper edge.
            height: of the bar.
            label: what the numbers are.
        """
        axes = self.axes(x, y, 0.12, height)
        # Few numbers, since they are set in a narrow place.
        bar = self.figure.colorbar(drawn, cax=axes)
        from matplotlib.ticker import MaxNLocator

        bar.ax.yaxis.set_major_locator(MaxNLocator(nbins=max(2, min(6, int(height / 0.3)))))
        bar.ax.ticklabel_format(axis="y", scilimits=(-3, 4))
        bar.ax.yaxis.get_offset_text().set_fontsize(6)
        bar.ax.tick_params(labelsize=7, width=0.5, length=2)
        bar.outline.set_linewidth(0.5)
        if label:
            bar.set_label(
                shortened(writable(one_line(label, 80)), max(height, 1.2), 7),
                fontsize=7,
                parse_math=False,
                fontfamily=families(),
            )

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Return axes of their own at a place, for charts."""
        return self.figure.add_axes(
            (
                x / self.width,
                1 - (y + height) / self.height,
                width / self.width,
                height / self.height,
            )
        )


BAR = 0.75
"""Inches that a colour bar takes with its numbers and label."""


def cell_size(count: int, height: int, width: int, columns: int | None = None) -> float:
    """Return how many inches wide one of ``count`` pictures of height × width pixels is set."""
    aspect = bounded_aspect(height, width)
    side = 2.6 if count <= 2 else 2.0 if count <= 6 else 1.25 if count <= 40 else 0.9
    if columns:
        side = min(side, (WIDEST - 1.0) / columns)
    # A tall picture is set narrower so that its area stays about the same.
    return max(0.35, side / max(math.sqrt(aspect), 0.6))


def bounded_aspect(height: int, width: int) -> float:
    """Return height / width of the place for a picture; strips are set thicker than they are."""
    return min(max(height / width, 1 / 6), 6.0)


def columns_for(count: int, cell: float, gap: float, room: float = WIDEST) -> int:
    """Return how many cells go in a row: a full page, or a block nearly as wide as a slide."""
    most = max(1, int((room - 2 * MARGIN + gap) / (cell + gap)))
    if count <= most and count <= 6:
        return count
    return min(most, max(4, math.ceil(math.sqrt(count * 2.0))), count)
