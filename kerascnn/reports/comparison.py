"""Two models, or two checkpoints of one training, side by side on one page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerascnn.errors import ModelError, UsageError, one_line
from kerascnn.network.network import Network
from kerascnn.network.summary import describe, shape_trace
from kerascnn.pages import render_page
from kerascnn.plugin.visualizer import Visualizer
from kerascnn.reports import parts
from kerascnn.reports.batch import Answer, Asked, ask_all
from kerascnn.results.heatmap import Heatmap
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
    """Ask two networks the same, and return the answers side by side as one page.

    Args:
        networks: whom to ask.
        models: what command lines call them.
        visualizers: what to ask, with their options.
        images: paths of pictures and folders; none takes the packaged ones.
        target: what to explain, as ``--target`` takes it.
        command: the command line that makes this page.

    Raises:
        ImageError: a picture can't be read.
        UsageError: there is no such target, or the packaged pictures of the two differ.
    """
    sides = [
        ask_all(network, visualizers, images, target, model)
        for network, model in zip(networks, models, strict=True)
    ]
    first, second = sides
    names = [[picture.source for picture in side.pictures] for side in sides]
    if names[0] != names[1]:
        raise UsageError(
            "the two models take packaged pictures of different kinds; name some by --image"
        )
    return render_page(
        "compare.html",
        scripts=("report.js",),
        styles=("report.css",),
        title=parts.say(f"{models[0]} and {models[1]}", 120),
        languages={"en": "English"},
        words=parts.WORDS,
        names=[one_line(model, 120) for model in models],
        facts=_facts(first, second),
        layers=_layers(first.network, second.network),
        pictures=_pictures(first, second),
        answers=[_pair(one, other, n) for n, (one, other) in enumerate(_zip(first, second))],
        commands=[command, *(a.command for side in sides for a in side.answers)],
    )


def _zip(first: Asked, second: Asked) -> list[tuple[Answer, Answer]]:
    return list(zip(first.answers, second.answers, strict=True))


def _facts(first: Asked, second: Asked) -> list[tuple[str, str, str, bool]]:
    rows = []
    both = [
        [*parts.facts_of(describe(side.network)), ("shapes", shape_trace(side.network))]
        for side in (first, second)
    ]
    for (name, one), (_, other) in zip(*both, strict=True):
        rows.append((name, one, other, one != other))
    return rows


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


def _pictures(first: Asked, second: Asked) -> list[dict[str, Any]]:
    both = [parts.predictions(s.network, s.pictures, s.scores) for s in (first, second)]
    return [
        {"sides": [one, other], "differs": one["classes"][0][0] != other["classes"][0][0]}
        for one, other in zip(*both, strict=True)
    ]


def _pair(one: Answer, other: Answer, number: int) -> dict[str, Any]:
    alike = ""
    if one.run is not None and other.run is not None and one.is_attribution:
        first, second = one.run.result, other.run.result
        assert isinstance(first, Heatmap)
        assert isinstance(second, Heatmap)
        if first.values.shape == second.values.shape:
            alike = f"{likeness(list(first.values), list(second.values)):+.2f}"
    sides = [parts.answer_part(one, 2 * number), parts.answer_part(other, 2 * number + 1)]
    return {"id": f"both-{number}", "label": one.label, "alike": alike, "sides": sides}
