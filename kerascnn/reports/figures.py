"""Pictures of a page: photographs, maps to lay over them, and drawn results, each as a data URI."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kerascnn.network.network import Network
from kerascnn.pages import embedded
from kerascnn.render import draw, to_png
from kerascnn.reports.batch import Answer
from kerascnn.reports.page import InLanguages, in_english
from kerascnn.results.base import Result
from kerascnn.results.heatmap import Heatmap

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_THUMBNAIL = 224  # pixels; larger pictures have up to twice as many


@dataclass(frozen=True)
class EmbeddedFigure:
    """A figure as the templates' macro ``figure`` takes it.

    Attributes:
        uri: the picture.
        width: in CSS pixels.
        height: in CSS pixels.
        alt: what it shows, in each language.
    """

    uri: str
    width: int
    height: int
    alt: InLanguages

    @classmethod
    def of(cls, figure: Figure, alt: str) -> EmbeddedFigure:
        """Return a Matplotlib figure for a page."""
        width, height = (round(side) for side in figure.get_size_inches() * 100)
        return cls(embedded(to_png(figure)), width, height, in_english(alt))


def embedded_answer(answer: Answer) -> EmbeddedFigure | None:
    """Return an answer's result, drawn; None if the visualizer failed."""
    return None if answer.run is None else embedded_result(answer.run.network, answer.run.result)


def embedded_result(network: Network, result: Result) -> EmbeddedFigure:
    """Return a result, drawn in the network's colours."""
    return EmbeddedFigure.of(draw(result, network.input.decode), result.title or "a picture")


def thumbnail(network: Network, values: np.ndarray) -> str:
    """Return one picture as a data URI.

    Args:
        network: whose input it is.
        values: H×W×C in the network's values.
    """
    unit = network.input.decode(values[None])[0]
    rgb = np.repeat(unit[..., :1], 3, axis=-1) if unit.shape[-1] != 3 else unit
    return _uri((rgb * 255 + 0.5).astype(np.uint8), False, rgb.shape[:2])


def overlay(result: Heatmap, number: int) -> str:
    """Return one map in its colours as a data URI, as large as its picture's thumbnail."""
    from kerascnn.render.kinds.heatmaps import coloured

    return _uri(coloured(result, number), result.smooth, result.over.shape[1:3])


def _uri(rgb: np.ndarray, smooth: bool, size: tuple[int, ...]) -> str:
    """Return a picture as a data URI, scaled from ``size`` by a whole number where it is small."""
    from PIL import Image

    factor: float = max(1, round(_THUMBNAIL / max(size)))
    if max(size) > 2 * _THUMBNAIL:
        factor = 2 * _THUMBNAIL / max(size)
    wanted = round(size[1] * factor), round(size[0] * factor)
    enlarged = Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
    method = Image.Resampling.LANCZOS if wanted[0] < rgb.shape[1] else enlarged
    buffer = io.BytesIO()
    Image.fromarray(rgb).resize(wanted, method).save(buffer, "PNG")
    return embedded(buffer.getvalue())
