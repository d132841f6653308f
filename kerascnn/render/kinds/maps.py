"""What layers return for pictures: filters on top, their maps below, a row a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kerascnn.render import palette
from kerascnn.render.figure import Decode, draw
from kerascnn.render.fonts import families, shortened, writable
from kerascnn.render.kinds.kernels import colour_kernel, is_colour, signed_look
from kerascnn.render.layout import BAR, LINE, MARGIN, WIDEST, bounded_aspect, first_of
from kerascnn.render.sheet import Look, Sheet
from kerascnn.results.maps import LayerMaps, Maps
from kerascnn.sizes import size_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

_MOST_PICTURES = 24
_MOST_CHANNELS = 400
_MOST_BARS = 48
_MOST_BANDS = 12  # rows of maps in all
_FEW = 4  # pictures
_STRIP = 128  # neurons in a line of a strip, at most
# Inches.
_GAP = 0.08
_BETWEEN_LAYERS = 0.15
_HEADING = LINE * 1.2
_NAME = 0.16  # of a channel, above its maps
_EXTREME = 0.14  # a map's largest value, below it
_BESIDE = 0.2  # from a picture to its maps
_BAND_GAP = 0.06
_LARGEST_KERNEL = 0.8
_PICTURE = 1.1  # beside bars and strips
_TO_CHART = 0.6
_ROW_GAP = 0.15
_CHART = 8.0


@draw.register(Maps)
def draw_maps(result: Maps, decode: Decode) -> Figure:
    """Draw a block for each layer."""
    count = min(len(result.over), _MOST_PICTURES)
    pictures = decode(result.over[:count])
    blocks: list[_Grid | _Neurons] = [
        (_Grid if layer.values.ndim == 4 else _Neurons)(result, layer, pictures)
        for layer in result.layers
    ]
    width = max(block.width for block in blocks)
    height = sum(block.height + _BETWEEN_LAYERS for block in blocks) - _BETWEEN_LAYERS
    more = first_of(count, len(result.over), " pictures")
    sheet = Sheet(width + 2 * MARGIN, height, result.title, more)
    y = sheet.y
    for block in blocks:
        sheet.text(MARGIN, y, block.heading, size=9, width=sheet.width - 2 * MARGIN)
        block.draw(sheet, y + _HEADING)
        y += block.height + _BETWEEN_LAYERS
    return sheet.figure


class _Grid:
    """Maps of one layer: a column for each channel, in several bands where there are many.

    A band is made of the channels' names, their filters, and a row of maps for each picture, which
    is drawn to the left of its row.
    """

    def __init__(self, result: Maps, layer: LayerMaps, pictures: np.ndarray) -> None:
        self.layer, self.pictures = layer, pictures
        self.shared, self.unit = result.shared_scale, result.unit
        count, height, width, channels = layer.values[: len(pictures)].shape
        channels = min(channels, _MOST_CHANNELS)
        side = 1.2 if channels <= 8 else 0.8 if count <= _FEW else 0.62
        aspect = bounded_aspect(height, width)
        self.cell = side / max(aspect, 1.0) ** 0.5
        self.tall = self.cell * aspect
        self.picture = _beside(pictures, self.tall, most=2 * self.cell)
        self.left = MARGIN + self.picture[0] + _BESIDE
        space = WIDEST - self.left - MARGIN - BAR
        columns = min(channels, max(1, int(space / (self.cell + _GAP))))
        self.bands = -(-channels // columns)
        most = max(1, _MOST_BANDS // count)
        if self.bands > most:  # many pictures: fewer maps of each, or the page has no end
            self.bands, channels = most, columns * most
        self.columns = -(-channels // self.bands)  # bands of equal length
        self.values = layer.values[:count, :, :, :channels]
        # One sort of scale for all maps of a layer, even where a map has nothing below zero.
        self.signed = bool(self.values.min() < 0)
        self.look = _look(self.values, self.signed)
        self.kernel = 0.0 if layer.kernels is None else min(self.cell, _LARGEST_KERNEL) + _GAP
        extreme = 0.0 if self.shared else _EXTREME
        self.row = max(self.tall, self.picture[1]) + extreme + _GAP
        self.band = _NAME + self.kernel + count * self.row + _BAND_GAP
        self.height = _HEADING + self.bands * self.band
        self.width = self.left - MARGIN + self.columns * (self.cell + _GAP) + BAR

    @property
    def heading(self) -> str:
        """What the maps are."""
        shown, stored = self.values.shape[3], self.layer.values.shape[3]
        size = size_text(self.values.shape[1:3])
        of = f"{shown} of {self.layer.total}" if shown < self.layer.total else f"{shown}"
        parts = [f"{self.layer.layer}: {of} maps, {size}"]
        if shown < stored:
            parts[0] += f" ({stored} are in the NPZ)"
        if self.kernel:
            parts.append("filters on top")
        if not self.shared:
            most = "farthest from zero" if self.signed else "largest"
            what = self.unit or "value"
            parts.append(f"each map on its own scale, below it the {what} that is {most}")
        return "; ".join(parts)

    def draw(self, sheet: Sheet, y: float) -> None:
        """Draw the bands below ``y``."""
        rows = y + _NAME + self.kernel
        for band in range(self.bands):
            for number, picture in enumerate(self.pictures):
                at = rows + band * self.band + number * self.row
                sheet.picture(picture, MARGIN, at, *self.picture)
        names = self.layer.names or [str(number) for number in self.layer.channels]
        for channel in range(self.values.shape[3]):
            band, column = divmod(channel, self.columns)
            x, top = self.left + column * (self.cell + _GAP), y + band * self.band
            sheet.text(x, top, names[channel], size=7, width=self.cell)
            self._draw_kernel(sheet, channel, x, top + _NAME)
            for number in range(len(self.pictures)):
                at = rows + band * self.band + number * self.row
                drawn = self._draw_map(sheet, self.values[number, :, :, channel], x, at)
        if self.shared:
            x = self.left + 0.05 + self.columns * (self.cell + _GAP)
            height = min(max(self.tall, 0.9), 2.0, self.band - 0.2)
            sheet.bar(drawn, x, rows, height, self.unit)

    def _draw_map(self, sheet: Sheet, values: np.ndarray, x: float, y: float) -> AxesImage:
        look = self.look if self.shared else _look(values, self.signed)
        if not self.shared:
            low, high = float(values.min()), float(values.max())
            most = f"{high if high >= -low else low:.3g}"
            sheet.text(x + self.cell, y + self.tall + 0.02, most, size=5.5, align="right")
        return sheet.picture(values, x, y, self.cell, self.tall, interpolation="nearest", **look)

    def _draw_kernel(self, sheet: Sheet, channel: int, x: float, y: float) -> None:
        if self.layer.kernels is None:
            return
        kernel, side = self.layer.kernels[channel], self.kernel - _GAP
        aspect = bounded_aspect(*kernel.shape[:2])
        size = side / max(aspect, 1.0), side * min(aspect, 1.0)
        if is_colour(self.layer.kernels, self.layer.colour):
            sheet.picture(colour_kernel(kernel), x, y, *size, interpolation="nearest")
        else:
            look = signed_look(kernel)
            sheet.picture(kernel.mean(axis=-1), x, y, *size, interpolation="nearest", **look)


class _Neurons:
    """Neurons of one layer: bars with names where they are few, otherwise a folded strip."""

    def __init__(self, result: Maps, layer: LayerMaps, pictures: np.ndarray) -> None:
        self.layer, self.pictures, self.shared = layer, pictures, result.shared_scale
        self.values = layer.values[: len(pictures)]
        self.signed = bool(self.values.min() < 0)
        self.look = _look(self.values, self.signed)
        neurons = self.values.shape[1]
        self.as_bars = neurons <= _MOST_BARS
        self.lines = -(-neurons // _STRIP)
        self.in_line = -(-neurons // self.lines)
        if self.as_bars:
            self.tall = 1.1 if len(pictures) <= _FEW else 0.6
            self.chart = max(2.6, min(0.3 * neurons, _CHART))
        else:
            self.tall = min(max(0.12 * self.lines, 0.3), 3.0)
            self.chart = _CHART
        height, width = pictures.shape[1:3]
        side = min(self.tall, _PICTURE) / max(bounded_aspect(height, width), 0.5)
        self.picture = side, side * bounded_aspect(height, width)
        self.row = max(self.tall, self.picture[1]) + _ROW_GAP
        names = 0.5 if self.as_bars and any(layer.names) else 0.25
        self.height = _HEADING + len(self.values) * self.row + names
        self.width = self.picture[0] + _TO_CHART + self.chart + BAR

    @property
    def heading(self) -> str:
        """What the numbers are."""
        shown, total = self.values.shape[1], self.layer.total
        of = f"{shown} of {total}" if shown < total else f"{shown}"
        line = "" if self.as_bars else f", {self.in_line} in a line"
        return f"{self.layer.layer}: {of} neurons{line}"

    def draw(self, sheet: Sheet, y: float) -> None:
        """Draw a row a picture below ``y``."""
        x = MARGIN + self.picture[0] + _TO_CHART
        for number, values in enumerate(self.values):
            top = y + number * self.row
            sheet.picture(self.pictures[number], MARGIN, top, *self.picture)
            if self.as_bars:
                self._draw_bars(sheet, values, x, top, last=number == len(self.values) - 1)
            else:
                self._draw_strip(sheet, values, x, top)

    def _draw_bars(self, sheet: Sheet, values: np.ndarray, x: float, y: float, last: bool) -> None:
        axes = sheet.axes(x, y, self.chart, self.tall)
        colours = [palette.POSITIVE if value > 0 else palette.NEGATIVE for value in values]
        axes.bar(np.arange(len(values)), values, width=0.75, color=colours)
        axes.axhline(0, color=palette.LIGHT.muted, linewidth=0.5)
        axes.set_xlim(-0.6, len(values) - 0.4)
        whole = self.values if self.shared else values
        low, high = min(float(whole.min()), 0.0), max(float(whole.max()), 0.0)
        beyond = (high - low) * 0.05 or 1.0
        axes.set_ylim(low - (beyond if low < 0 else 0), high + beyond)
        axes.tick_params(labelsize=6.5, width=0.5, length=2)
        axes.spines[["top", "right"]].set_visible(False)
        if not last:
            axes.set_xticks([])
            return
        names = list(self.layer.names) or [str(number) for number in self.layer.channels]
        turned = any(len(name) > 3 for name in names)
        names = [shortened(writable(name), 1.0, 6.5) for name in names]
        angle, align = (35, "right") if turned else (0, "center")
        axes.set_xticks(np.arange(len(values)), names, rotation=angle, ha=align)
        for label in axes.get_xticklabels():
            label.set_parse_math(False)
            label.set_fontfamily(families())

    def _draw_strip(self, sheet: Sheet, values: np.ndarray, x: float, y: float) -> None:
        folded = np.full((self.lines, self.in_line), np.nan)
        folded.flat[: len(values)] = values
        look = self.look if self.shared else _look(values, self.signed)
        place = x, y, self.chart, self.tall
        drawn = sheet.picture(folded, *place, interpolation="nearest", **look)
        sheet.bar(drawn, x + self.chart + _GAP, y, self.tall)


def _beside(pictures: np.ndarray, tall: float, most: float) -> tuple[float, float]:
    """Return the size of a picture beside its maps: as high as they are, but not too wide."""
    aspect = bounded_aspect(*pictures.shape[1:3])
    width = min(tall / aspect, most)
    return width, width * aspect


def _look(values: np.ndarray, signed: bool) -> Look:
    """Return the scale of activations: from zero, or centred on zero where some are below it."""
    low, high = float(values.min()), float(values.max())
    if signed:
        end = max(-low, high) or 1.0
        return {"cmap": palette.SIGNED, "vmin": -end, "vmax": end}
    return {"cmap": palette.AMOUNT, "vmin": 0.0, "vmax": high or 1.0}
