"""What the report's pages are put together from: pictures, predictions, figures, words."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascnn.errors import one_line
from kerascnn.images import Picture
from kerascnn.network.network import Network
from kerascnn.pages import embedded
from kerascnn.reports.batch import Answer
from kerascnn.results.base import Result
from kerascnn.results.heatmap import Heatmap
from kerascnn.sizes import size_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Said = dict[str, str]
"""A text in each language of the page: here English alone."""

_THUMB = 224  # pixels
_BEST = 5

WORDS: dict[str, Said] = {
    name: {"en": text}
    for name, text in {
        "skip": "To the text",
        "contents": "Contents",
        "language": "Language",
        "theme": "Light / dark",
        "enlarge": "Enlarge the picture",
        "enlarged": "Enlarged picture",
        "close": "Close",
        "raw": "raw values",
    }.items()
}


def say(text: object, limit: int = 400) -> Said:
    """Return a text as the templates take it; whatever it holds is shown, not obeyed."""
    return {"en": one_line(text, limit)}


def thumbnail(network: Network, values: np.ndarray) -> str:
    """Return one picture as a data URI.

    Args:
        network: whose values they are.
        values: H×W×C.
    """
    unit = network.input.decode(values[None])[0]
    rgb = np.repeat(unit[..., :1], 3, axis=-1) if unit.shape[-1] != 3 else unit
    return _uri((rgb * 255 + 0.5).astype(np.uint8), False, rgb.shape[:2])


def overlay(result: Heatmap, number: int) -> str:
    """Return one map in its colours as a data URI, as large as the picture's thumbnail."""
    from kerascnn.render.kinds.heatmaps import coloured

    return _uri(coloured(result, number), result.smooth, result.over.shape[1:3])


def _uri(rgb: np.ndarray, smooth: bool, size: tuple[int, int]) -> str:
    from PIL import Image

    factor = max(1, round(_THUMB / max(size)))
    if max(size) > 2 * _THUMB:
        factor_down = 2 * _THUMB / max(size)
        wanted = (round(size[1] * factor_down), round(size[0] * factor_down))
    else:
        wanted = (size[1] * factor, size[0] * factor)
    shrunk = wanted[0] < rgb.shape[1]
    kind = Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
    picture = Image.fromarray(rgb).resize(wanted, Image.Resampling.LANCZOS if shrunk else kind)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return embedded(buffer.getvalue())


def figure(drawn: Figure, alt: str) -> dict[str, Any]:
    """Return a Matplotlib figure as the templates' macro ``figure`` takes it."""
    from kerascnn.render import to_png

    width, height = (round(side) for side in drawn.get_size_inches() * 100)
    uri = embedded(to_png(drawn))
    return {"uri": uri, "width": width, "height": height, "alt": say(alt)}


def drawn(network: Network, result: Result) -> dict[str, Any]:
    """Return a result, drawn, as the templates' macro ``figure`` takes it."""
    from kerascnn.render import draw

    return figure(draw(result, network.input.decode), result.title or "a picture")


def answer_part(answer: Answer, number: int) -> dict[str, Any]:
    """Return one visualizer's answer: its picture, options, notes and command line."""
    from kerascnn.plugin.options import options

    settings = [
        (option.flag, _plain(getattr(answer.visualizer, option.name)))
        for option in options(type(answer.visualizer))
    ]
    part: dict[str, Any] = {
        "id": f"answer-{number}",
        "label": one_line(answer.label, 120),
        "failure": answer.failure,
        "command": answer.command,
        "settings": settings,
        "seconds": f"{answer.seconds:.1f}",
        "notes": [],
        "figure": None,
    }
    if answer.run is not None:
        part["notes"] = [one_line(note) for note in answer.run.result.notes]
        part["figure"] = drawn(answer.run.network, answer.run.result)
    return part


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value) or "–"
    if isinstance(value, bool):
        return "on" if value else "off"
    return "–" if value is None else one_line(value, 80)


def predictions(
    network: Network, pictures: Sequence[Picture], scores: np.ndarray
) -> list[dict[str, Any]]:
    """Return each picture with the classes that score best.

    Args:
        network: whose classes.
        pictures: N.
        scores: N × classes.
    """
    chances = network.to_probabilities(scores)
    found = []
    for row, picture in enumerate(pictures):
        best = [int(index) for index in (-scores[row]).argsort(kind="stable")[:_BEST]]
        found.append(
            {
                "name": one_line(picture.name, 60),
                "label": one_line(picture.label, 60) if picture.label else "",
                "uri": thumbnail(network, picture.values),
                "classes": [
                    (
                        network.class_name(index),
                        f"{scores[row, index]:.3f}",
                        "–" if chances is None else f"{chances[row, index]:.4f}",
                    )
                    for index in best
                ],
            }
        )
    return found


def layer_rows(found: dict[str, Any]) -> list[list[str]]:
    """Return the table of `kerascnn.network.summary.describe`'s layers."""
    rows = []
    for layer in found["layers"]:
        size, stride = layer["receptive_field"], layer["receptive_field_stride"]
        rows.append(
            [
                one_line(layer["path"], 80),
                one_line(layer["class"], 40),
                size_text(layer["output_shape"]),
                f"{layer['parameters']:,}",
                "" if size is None else f"{size_text(size)} every {size_text(stride)}",
            ]
        )
    return rows


def facts_of(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what `kerascnn.network.summary.describe` says of the whole model, as rows."""
    head = found["head"]
    chosen = found["preprocessing"]
    return [
        ("file", one_line(found["path"] or "–", 200)),
        ("SHA-256", found["sha256"] or "–"),
        ("format", f"{found['format'] or '–'}, Keras {found['keras_version'] or '?'}"),
        ("family", found["family"]),
        ("parameters", f"{found['parameters']:,}"),
        ("input", f"{size_text(found['input']['shape'])}, {chosen['name']} ({chosen['source']})"),
        ("head", one_line(f"{head['kind']}, {head['classes'] or '?'} outputs; {head['why']}", 300)),
    ]
