"""What layers give for pictures: filters on top, their maps below, a row a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kerascnn.render.kernels import colour_kernel, is_colour, signed_look
from kerascnn.render.sheet import BAR, LINE, MARGIN, WIDEST, Decode, Sheet, bounded_aspect
from kerascnn.results.maps import LayerMaps, Maps
from kerascnn.sizes import size_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_PICTURES = 24
_MOST_CHANNELS = 400
_MOST_BARS = 48
_MOST_BANDS = 12  # rows of maps in all
_FEW = 4  # pictures
_GAP = 0.08
_STRIP = 128  # neurons in a line of a strip, at most


def draw_maps(result: Maps, decode: Decode) -> Figure:
    """Draw a block a layer."""
    count = min(len(result.over), _MOST_PICTURES)
    pictures = decode(result.over[:count])
    blocks: list[_Grid | _Bars] = [
        _Grid(result, layer, pictures) if layer.values.ndim == 4 else _Bars(result, layer, pictures)
        for layer in result.layers
    ]
    width = max(block.width for block in blocks)
    height = sum(block.height for block in blocks) + 0.15 * (len(blocks) - 1)
    more = ""
    if count < len(result.over):
        more = f"the first {count} of {len(result.over)} pictures; all of them are in the NPZ"
    sheet = Sheet(width + 2 * MARGIN, height, result.title, more)
    y = sheet.y
    for block in blocks:
        block.draw(sheet, y)
        y += block.height + 0.15
    return sheet.figure


class _Grid:
    """Maps of one layer: a column a channel, folded into several bands where they are many."""

    def __init__(self, result: Maps, layer: LayerMaps, pictures: np.ndarray) -> None:
        self.result, self.layer, self.pictures = result, layer, pictures
        self.values = layer.values[: len(pictures), :, :, :_MOST_CHANNELS]
        count, height, width, channels = self.values.shape
        side = 1.2 if channels <= 8 else 0.8 if count <= _FEW else 0.62
        self.cell = side / max(bounded_aspect(height, width), 1.0) ** 0.5
        self.tall = self.cell * bounded_aspect(height, width)
        aspect = bounded_aspect(*pictures.shape[1:3])
        self.own = (self.tall / aspect, self.tall)  # the picture's place beside its maps
        if self.own[0] > 2 * self.cell:
            self.own = (2 * self.cell, 2 * self.cell * aspect)
        room = WIDEST - 2 * MARGIN - BAR - self.own[0] - 0.2
        self.columns = min(channels, max(1, int(room / (self.cell + _GAP))))
        self.bands = -(-channels // self.columns)
        most = max(1, _MOST_BANDS // count)
        if self.bands > most:  # many pictures: fewer maps of each, or the page has no end
            self.bands = most
            self.values = self.values[..., : self.columns * most]
        else:
            self.columns = -(-channels // self.bands)  # bands of equal length
        self.filter = 0.0
        if layer.kernels is not None:
            self.filter = min(self.cell, 0.8) + _GAP
        self.note = 0.0 if result.shared_scale else 0.14
        self.row = max(self.tall, self.own[1]) + self.note + _GAP
        self.band = 0.16 + self.filter + count * self.row + 0.06
        self.height = LINE * 1.2 + self.bands * self.band
        self.width = self.own[0] + 0.2 + self.columns * (self.cell + _GAP) + BAR

    def draw(self, sheet: Sheet, y: float) -> None:
        """Draw the block below ``y``."""
        sheet.text(MARGIN, y, self._heading(), size=9, width=sheet.width - 2 * MARGIN)
        y += LINE * 1.2
        # One sort of scale for all maps of a layer, even where a map has nothing below zero.
        signed = bool(self.values.min() < 0)
        look = _map_look(self.values, signed)
        drawn = None
        for channel in range(self.values.shape[3]):
            band, column = divmod(channel, self.columns)
            x = MARGIN + self.own[0] + 0.2 + column * (self.cell + _GAP)
            top = y + band * self.band
            if column == 0:
                self._pictures(sheet, top)
            names = self.layer.names or [str(number) for number in self.layer.channels]
            sheet.text(x, top, names[channel], size=7, width=self.cell)
            self._kernel(sheet, channel, x, top + 0.16)
            for number, values in enumerate(self.values[..., channel]):
                place = top + 0.16 + self.filter + number * self.row
                shown = look if self.result.shared_scale else _map_look(values, signed)
                drawn = sheet.picture(
                    values, x, place, self.cell, self.tall, interpolation="nearest", **shown
                )
                if self.note:
                    most = _extreme(values)
                    sheet.text(
                        x + self.cell, place + self.tall + 0.02, most, size=5.5, align="right"
                    )
        if self.result.shared_scale:
            x = MARGIN + self.own[0] + 0.25 + self.columns * (self.cell + _GAP)
            height = min(max(self.tall, 0.9), 2.0, self.band - 0.2)
            sheet.bar(drawn, x, y + 0.16 + self.filter, height, self.result.unit)

    def _heading(self) -> str:
        layer = self.layer
        shown = self.values.shape[3]
        size = size_text(self.values.shape[1:3])
        parts = [f"{layer.layer}: {shown} of {layer.total} maps, {size}"]
        if shown < layer.values.shape[3]:
            parts[0] += f" ({layer.values.shape[3]} are in the NPZ)"
        if shown == layer.total:
            parts = [f"{layer.layer}: {layer.total} maps, {size}"]
        if self.filter:
            parts.append("filters on top")
        if not self.result.shared_scale:
            most = "farthest from zero" if self.values.min() < 0 else "largest"
            what = self.result.unit or "value"
            parts.append(f"each map on its own scale, below it the {what} that is {most}")
        return "; ".join(parts)

    def _pictures(self, sheet: Sheet, top: float) -> None:
        for number, picture in enumerate(self.pictures):
            y = top + 0.16 + self.filter + number * self.row
            sheet.picture(picture, MARGIN, y, *self.own)

    def _kernel(self, sheet: Sheet, channel: int, x: float, y: float) -> None:
        kernels = self.layer.kernels
        if kernels is None:
            return
        kernel, side = kernels[channel], self.filter - _GAP
        aspect = bounded_aspect(*kernel.shape[:2])
        width, height = side / max(aspect, 1.0), side * min(aspect, 1.0)
        if is_colour(kernels, self.layer.colour):
            sheet.picture(colour_kernel(kernel), x, y, width, height, interpolation="nearest")
        else:
            sheet.picture(kernel.mean(axis=-1), x, y, width, height, **signed_look(kernel))


class _Bars:
    """Neurons of one layer: bars with names where they are few, else a folded strip."""

    def __init__(self, result: Maps, layer: LayerMaps, pictures: np.ndarray) -> None:
        self.result, self.layer, self.pictures = result, layer, pictures
        self.values = layer.values[: len(pictures)]
        neurons = self.values.shape[1]
        self.as_bars = neurons <= _MOST_BARS
        self.lines = -(-neurons // _STRIP)
        bar = 1.1 if len(pictures) <= _FEW else 0.6
        self.tall = bar if self.as_bars else min(max(0.12 * self.lines, 0.3), 3.0)
        self.chart = max(2.6, min(0.3 * neurons, 8.0)) if self.as_bars else 8.0
        aspect = bounded_aspect(*pictures.shape[1:3])
        self.own = (min(self.tall, 1.1) / max(aspect, 0.5), min(self.tall, 1.1) / max(aspect, 0.5))
        self.own = (self.own[0], self.own[0] * aspect)
        self.names_below = 0.5 if self.as_bars and any(layer.names) else 0.25
        self._in_line = -(-neurons // self.lines)
        self._signed = bool(self.values.min() < 0)
        self.row = max(self.tall, self.own[1]) + 0.15
        self.height = LINE * 1.2 + len(self.values) * self.row + self.names_below
        self.width = self.own[0] + 0.6 + self.chart + BAR

    def draw(self, sheet: Sheet, y: float) -> None:
        """Draw the block below ``y``."""
        heading = f"{self.layer.layer}: {self.values.shape[1]} neurons"
        if self.values.shape[1] < self.layer.total:
            heading = f"{self.layer.layer}: {self.values.shape[1]} of {self.layer.total} neurons"
        if not self.as_bars:
            heading += f", {self._in_line} in a line"
        sheet.text(MARGIN, y, heading, size=9, width=sheet.width - 2 * MARGIN)
        y += LINE * 1.2
        for number, values in enumerate(self.values):
            top = y + number * self.row
            sheet.picture(self.pictures[number], MARGIN, top, *self.own)
            x = MARGIN + self.own[0] + 0.6
            if self.as_bars:
                self._chart(sheet, values, x, top, last=number == len(self.values) - 1)
            else:
                self._strip(sheet, values, x, top)

    def _chart(self, sheet: Sheet, values: np.ndarray, x: float, y: float, last: bool) -> None:
        from kerascnn.render.fonts import families, shortened, writable

        axes = sheet.axes(x, y, self.chart, self.tall)
        at = np.arange(len(values))
        axes.bar(at, values, width=0.75, color=["#b2182b" if v > 0 else "#2166ac" for v in values])
        axes.axhline(0, color="0.3", linewidth=0.5)
        axes.set_xlim(-0.6, len(values) - 0.4)
        whole = self.values if self.result.shared_scale else values
        low, high = min(float(whole.min()), 0.0), max(float(whole.max()), 0.0)
        room = (high - low) * 0.05 or 1.0
        axes.set_ylim(low - (room if low < 0 else 0), high + room)
        axes.tick_params(labelsize=6.5, width=0.5, length=2)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        names = list(self.layer.names) or [str(number) for number in self.layer.channels]
        if not last:
            axes.set_xticks([])
            return
        turned = any(len(name) > 3 for name in names)
        names = [shortened(writable(name), 1.0, 6.5) for name in names]
        axes.set_xticks(at, names, rotation=35 if turned else 0, ha="right" if turned else "center")
        for label in axes.get_xticklabels():
            label.set_parse_math(False)
            label.set_fontfamily(families())

    def _strip(self, sheet: Sheet, values: np.ndarray, x: float, y: float) -> None:
        folded = np.full(self.lines * self._in_line, np.nan)
        folded[: len(values)] = values
        look = _map_look(self.values if self.result.shared_scale else values, self._signed)
        drawn = sheet.picture(
            folded.reshape(self.lines, self._in_line),
            x,
            y,
            self.chart,
            self.tall,
            interpolation="nearest",
            **look,
        )
        sheet.bar(drawn, x + self.chart + 0.08, y, self.tall)


def _map_look(values: np.ndarray, signed: bool) -> dict[str, Any]:
    """Return the scale of activations: from zero, or centred on zero where some are below it."""
    low, high = float(values.min()), float(values.max())
    if signed:
        end = max(-low, high) or 1.0
        return {"cmap": "RdBu_r", "vmin": -end, "vmax": end}
    return {"cmap": "gray", "vmin": 0.0, "vmax": high or 1.0}


def _extreme(values: np.ndarray) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{high if high >= -low else low:.3g}"
