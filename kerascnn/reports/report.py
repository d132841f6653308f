"""The report on one model, as one page of HTML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from kerascnn.errors import one_line
from kerascnn.network.network import Network
from kerascnn.network.summary import describe, shape_trace
from kerascnn.pages import render_page
from kerascnn.plugin.registry import Registry
from kerascnn.plugin.visualizer import Visualizer
from kerascnn.render import draw
from kerascnn.reports import parts
from kerascnn.reports.batch import Answer, ask_all
from kerascnn.reports.faithfulness_checks import Trust, as_curves, examine
from kerascnn.reports.units import UnitPage, unit_page
from kerascnn.results.heatmap import Heatmap
from kerascnn.run.model_options import ModelOptions


def make_report(
    network: Network,
    visualizers: Sequence[Visualizer],
    registry: Registry,
    *,
    images: Sequence[str] = (),
    target: str = "predicted",
    layer: str | None = None,
    model: str = "model.h5",
    options: ModelOptions | None = None,
    command: str = "kerascnn report",
) -> str:
    """Ask a network everything, and return the answers as one self-contained page.

    Args:
        network: whom to ask.
        visualizers: what to ask, with their options.
        registry: where the unit page finds its visualizers.
        images: paths of pictures and folders; none takes the packaged ones. The first dozen counts.
        target: what to explain, as ``--target`` takes it.
        layer: whose units have a page; None for the last convolution.
        model: what command lines call the network.
        options: how the network was opened; None: with the defaults.
        command: the command line that makes this page.

    Raises:
        ImageError: a picture can't be read.
        UsageError: there is no such target or layer.
    """
    if layer is not None:
        network.layer(layer)
    asked = ask_all(network, visualizers, images, target, model)
    answers = asked.answers
    trust = examine(network, answers, options or ModelOptions())
    units = unit_page(network, registry, list(images), layer)
    return render_page(
        "report.html",
        scripts=("report.js",),
        styles=("report.css",),
        title=parts.say(f"{model}: a report", 120),
        languages={"en": "English"},
        words=parts.WORDS,
        model=one_line(model, 120),
        **_model(network),
        pictures=parts.predictions(network, asked.pictures, asked.scores),
        target="" if target == "predicted" else one_line(target, 80),
        maps=_maps(network, answers, asked.pictures),
        trust=_trust(trust, network),
        answers=[parts.answer_part(answer, number) for number, answer in enumerate(answers)],
        units=_units(network, units),
        manifest=_manifest(network, answers, trust, command),
        commands=[command, *(answer.command for answer in answers)],
    )


def _model(network: Network) -> dict[str, Any]:
    found = describe(network)
    return {
        "facts": parts.facts_of(found),
        "layers": parts.layer_rows(found),
        "trace": shape_trace(network),
        "warnings": [one_line(warning) for warning in found["warnings"]],
    }


def _maps(
    network: Network, answers: Sequence[Answer], pictures: Sequence[Any]
) -> list[dict[str, Any]]:
    """Return for each picture its maps, each to be laid over it."""
    rows = []
    for number, picture in enumerate(pictures):
        row = []
        for answer in answers:
            if answer.is_attribution and answer.run is not None and answer.run.target is not None:
                result = answer.run.result
                assert isinstance(result, Heatmap)
                row.append({"label": answer.label, "uri": parts.overlay(result, number)})
        uri = parts.thumbnail(network, picture.values)
        rows.append({"name": one_line(picture.name, 60), "uri": uri, "maps": row})
    return rows if rows and rows[0]["maps"] else []


def _trust(found: Sequence[Trust], network: Network) -> dict[str, Any] | None:
    if not found:
        return None
    unit = "score" if network.head.classes is None else "score or probability of the class"
    figures = []
    for what in ("deletion", "insertion"):
        figures.append(parts.figure(draw(as_curves(found, what, unit), network.input.decode), what))
    rows = [
        {
            "label": each.label,
            "deletion": f"{each.deletion.area:.4f}",
            "insertion": f"{each.insertion.area:.4f}",
            "alike": "–" if each.alike is None else f"{each.alike:+.2f}",
            "reason": each.reason,
            "unchanged": each.is_unchanged,
        }
        for each in found
    ]
    return {"figures": figures, "rows": rows}


def _units(network: Network, page: UnitPage) -> dict[str, Any]:
    rows = []
    for unit, kinds in zip(page.units, page.parts, strict=True):
        shown = [
            (name, {**parts.drawn(network, kinds[key]), "id": f"unit-{unit}-{key}"})
            for key, name in (
                ("weights", "its weights"),
                ("ideal", "what excites it most"),
                ("pictures", "the pictures that did"),
            )
            if key in kinds
        ]
        rows.append({"unit": unit, "figures": shown})
    return {"layer": page.layer, "rows": rows, "notes": page.notes}


def _manifest(
    network: Network, answers: Sequence[Answer], trust: Sequence[Trust], command: str
) -> str:
    asked: list[dict[str, Any]] = []
    shared: dict[str, Any] = {}
    for answer in answers:
        if answer.run is None:
            asked.append({"command": answer.command, "failure": answer.failure})
            continue
        found = answer.run.manifest()
        shared = shared or {key: found[key] for key in ("model", "input", "versions", "created")}
        keys = ("plugin", "options", "seed", "target", "images", "predictions")
        asked.append({"command": answer.command, **{key: found[key] for key in keys}})
    checks = [
        {
            "attribution": each.label,
            "deletion": each.deletion.area,
            "insertion": each.insertion.area,
            "rank_correlation_under_shuffled_weights": each.alike,
        }
        for each in trust
    ]
    whole = {"command": command, **shared, "warnings": list(network.warnings)}
    return json.dumps({**whole, "asked": asked, "checks": checks}, indent=1, ensure_ascii=False)
