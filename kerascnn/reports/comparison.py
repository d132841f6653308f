"""Two models, or two checkpoints of one training, side by side on one page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kerascnn.errors import ModelError, UsageError, one_line
from kerascnn.network.network import Network
from kerascnn.network.summary import shape_trace
from kerascnn.plugin.visualizer import Visualizer
from kerascnn.reports.batch import Answer, Batch, ask_all
from kerascnn.reports.figures import EmbeddedFigure, embedded_answer
from kerascnn.reports.model_facts import model_facts
from kerascnn.reports.page import report_page
from kerascnn.reports.predictions import Prediction, predictions
from kerascnn.run.faithfulness import likeness
from kerascnn.sizes import size_text


def make_comparison(
    networks: tuple[Network, Network],
    models: tuple[str, str],
    visualizers: Sequence[Visualizer],
    *,
    images: Sequence[str] = (),
    target: str = "predicted",
    command: str = "kerascnn compare",
) -> str:
    """Run the same visualizers on two networks, and return the answers as one page of HTML.

    Args:
        networks: what to compare.
        models: what command lines call them.
        visualizers: with their options.
        images: paths of pictures and folders; empty for the packaged ones.
        target: what to explain, as ``--target`` takes it.
        command: the command line that makes this page.

    Raises:
        ImageError: a picture can't be read.
        UsageError: there is no such target, or the two networks take different packaged pictures.
    """
    first, second = (
        ask_all(network, visualizers, images, target, model)
        for network, model in zip(networks, models, strict=True)
    )
    if _sources(first) != _sources(second):
        raise UsageError(
            "the two models take packaged pictures of different kinds; name some by --image"
        )
    return report_page(
        "compare.html",
        f"{models[0]} and {models[1]}",
        names=[one_line(model, 120) for model in models],
        facts=list(zip(_facts(first.network), _facts(second.network), strict=True)),
        layers=_layers(first.network, second.network),
        pictures=_pictures(first, second),
        answers=[_pair(*both) for both in zip(first.answers, second.answers, strict=True)],
        commands=[command, *(a.command for side in (first, second) for a in side.answers)],
    )


def _sources(batch: Batch) -> list[str]:
    return [picture.source for picture in batch.pictures]


def _facts(network: Network) -> list[tuple[str, str]]:
    return [*model_facts(network), ("shapes", shape_trace(network))]


def _layers(one: Network, other: Network) -> list[tuple[str, str, str, str]]:
    """Return each layer's shape in both, and how far its kernel has moved."""
    found = {layer.name: layer for layer in other.layers}
    rows = []
    for layer in one.layers:
        twin = found.pop(layer.name, None)
        shape = "–" if twin is None else size_text(twin.stored_shape)
        moved = "" if twin is None else _moved(one, other, layer.name)
        rows.append((one_line(layer.name, 80), size_text(layer.stored_shape), shape, moved))
    rows += [(one_line(n, 80), "–", size_text(e.stored_shape), "") for n, e in found.items()]
    return rows


def _moved(one: Network, other: Network, layer: str) -> str:
    try:
        first, second = (np.asarray(n.weights(layer), np.float64) for n in (one, other))
    except ModelError:  # a layer without weights
        return ""
    if first.shape != second.shape:
        return "other shape"
    size = float(np.sqrt((first**2).sum()))
    return f"{np.sqrt(((first - second) ** 2).sum()) / size:.4f}" if size else "–"


def _pictures(first: Batch, second: Batch) -> list[tuple[bool, tuple[Prediction, Prediction]]]:
    """Return the predictions of both for each picture, and whether they differ."""
    return [
        (one.classes[0][0] != other.classes[0][0], (one, other))
        for one, other in zip(predictions(first), predictions(second), strict=True)
    ]


def _pair(
    one: Answer, other: Answer
) -> tuple[float | None, list[tuple[Answer, EmbeddedFigure | None]]]:
    """Return how alike two answers' maps are, if they are maps; and both with their figures."""
    alike = None
    if one.attribution is not None and other.attribution is not None:
        first, second = one.attribution.values, other.attribution.values
        if first.shape == second.shape:
            alike = likeness(list(first), list(second))
    return alike, [(each, embedded_answer(each)) for each in (one, other)]
