"""`Sheet`: a figure on which pictures, texts and colour bars are set by the inch.

Matplotlib's automatic layouts take minutes for hundreds of panels and let long names run into each
other. Here every place is known before anything is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np

from kerascnn.errors import one_line
from kerascnn.render import palette
from kerascnn.render.figure import new_figure
from kerascnn.render.fonts import families, shortened, wrapped, writable
from kerascnn.render.layout import LINE, MARGIN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

# Inches.
_NARROWEST = 4.0
_TITLE = 0.3
_TALLEST = 400.0  # Agg takes 2^16 pixels at most
_BAR_ITSELF = 0.12
_SMOOTH_FROM = 64  # pixels: smaller pictures are shown as squares


class Look(TypedDict):
    """How numbers become colours: a scale of the palette and its ends."""

    cmap: str
    vmin: float
    vmax: float


class Sheet:
    """A white figure with a title, and a cursor ``y`` below it.

    Places and sizes are in inches from the upper left corner.

    Args:
        width: of what is to be drawn, with its margins.
        height: of what comes below the title.
        title: one line above everything; shortened to the sheet's width.
        subtitle: a smaller line below the title; up to three lines where the sheet is narrow.

    Attributes:
        figure: Matplotlib's figure.
        width: the sheet's width.
        y: where the drawing begins, below the titles.
    """

    def __init__(self, width: float, height: float, title: str = "", subtitle: str = "") -> None:
        self.width = max(width, _NARROWEST)
        inside = self.width - 2 * MARGIN
        lines = wrapped(writable(one_line(subtitle, 400)), inside, 8)
        top = MARGIN + (_TITLE if title else 0.0)
        self.y = top + LINE * len(lines)
        self.height = min(self.y + height + MARGIN, _TALLEST)
        self.figure = new_figure(self.width, self.height, constrained=False)
        self._canvas: Axes = self.figure.add_axes((0, 0, 1, 1))
        self._canvas.set_axis_off()
        self._canvas.set(xlim=(0, self.width), ylim=(self.height, 0))
        if title:
            self.text(MARGIN, MARGIN, title, size=12, width=inside)
        for number, line in enumerate(lines):
            y = top + LINE * number
            self.text(MARGIN, y, line, size=8, width=inside, color=palette.LIGHT.muted)

    def picture(
        self,
        values: np.ndarray,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        cmap: str | None = None,
        vmin: float | None = None,
        vmax: float | None = None,
        alpha: float | np.ndarray | None = None,
        interpolation: str | None = None,
        frame: bool = True,
    ) -> AxesImage:
        """Draw a picture.

        Args:
            values: H×W numbers, drawn by ``cmap``; H×W×1 in [0, 1], grey; H×W×3 in [0, 1], RGB.
            x: left edge.
            y: upper edge.
            width: of the picture.
            height: of the picture.
            cmap: a scale of `kerascnn.render.palette`.
            vmin: where the scale begins; None for the lowest value.
            vmax: where the scale ends; None for the highest value.
            alpha: opacity, of the whole picture or of each pixel.
            interpolation: as Matplotlib's; None for squares where the picture is small.
            frame: whether to draw a thin line around it.
        """
        from matplotlib.image import AxesImage

        values = np.asarray(values)
        if values.ndim == 3:
            grey = values.shape[2] not in (3, 4)
            values = values[..., 0] if grey else values[..., :3]
            cmap, vmin, vmax = palette.AMOUNT if grey else None, 0.0, 1.0
        # Nearest would drop lines of pictures that are made smaller.
        small = min(values.shape[:2]) < _SMOOTH_FROM
        interpolation = interpolation or ("nearest" if small else "antialiased")
        # Not `imshow`, which sets the axes' limits and aspect again for each of hundreds.
        drawn = AxesImage(
            self._canvas,
            cmap=cmap,
            alpha=alpha,
            interpolation=interpolation,
            extent=(x, x + width, y + height, y),
            origin="upper",
        )
        drawn.set_data(values)
        drawn.set_clim(vmin, vmax)
        if values.ndim == 2:
            drawn.autoscale_None()
        drawn.set_zorder(2)
        self._canvas.add_image(drawn)
        if frame:
            self.box(x, y, width, height, color=palette.LIGHT.muted, line=0.5)
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
        color: str = palette.LIGHT.ink,
    ) -> None:
        """Write one line.

        Args:
            x: the line's left edge, centre or right edge, as ``align`` says.
            y: its upper edge.
            text: any text; characters that can't be printed or written are replaced.
            size: of the letters, in points.
            width: shorten the text to so many inches.
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
        """Write on a dark ground at a picture's upper left corner."""
        self._canvas.text(
            x + 0.03,
            y + 0.03,
            writable(one_line(text, 40)),
            fontsize=size,
            ha="left",
            va="top",
            color=palette.ON_VEIL,
            parse_math=False,
            zorder=6,
            fontfamily=families(),
            bbox={"facecolor": palette.VEIL, "alpha": 0.65, "pad": 1.0, "linewidth": 0},
        )

    def bar(self, drawn: AxesImage, x: float, y: float, height: float, label: str = "") -> None:
        """Draw a colour bar, with its numbers and label to the right of it; see `BAR`.

        Args:
            drawn: the picture whose colours it explains.
            x: left edge.
            y: upper edge.
            height: of the bar.
            label: what the numbers are.
        """
        from matplotlib.ticker import MaxNLocator

        bar = self.figure.colorbar(drawn, cax=self.axes(x, y, _BAR_ITSELF, height))
        # Few numbers: the place is narrow.
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
