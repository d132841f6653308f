"""The report on one model, as one page of HTML."""

from __future__ import annotations

import json
from collections.abc import Sequence

from kerascnn.errors import one_line
from kerascnn.network.network import Network
from kerascnn.network.summary import shape_trace
from kerascnn.plugin.registry import Registry
from kerascnn.plugin.visualizer import Visualizer
from kerascnn.render import draw
from kerascnn.reports.batch import Answer, Batch, ask_all
from kerascnn.reports.faithfulness_checks import FaithfulnessCheck, as_curves, check_faithfulness
from kerascnn.reports.figures import (
    EmbeddedFigure,
    embedded_answer,
    embedded_result,
    overlay,
    thumbnail,
)
from kerascnn.reports.model_facts import layer_rows, model_facts
from kerascnn.reports.page import report_page
from kerascnn.reports.predictions import predictions
from kerascnn.reports.units import UnitRow, best_units
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
    """Run all visualizers on a network, and return the answers as one self-contained page.

    Args:
        network: what to report on.
        visualizers: with their options.
        registry: where the section on units finds its visualizers.
        images: paths of pictures and folders; empty for the packaged ones. Only the first dozen
            are used.
        target: what to explain, as ``--target`` takes it.
        layer: the layer whose units are shown; None for the last convolution.
        model: what command lines call the network.
        options: how the network was opened; None: with the defaults.
        command: the command line that makes this page.

    Raises:
        ImageError: a picture can't be read.
        UsageError: there is no such target or layer.
    """
    if layer is not None:
        network.layer(layer)
    batch = ask_all(network, visualizers, images, target, model)
    answers = batch.answers
    checks = check_faithfulness(network, answers, options or ModelOptions())
    units = best_units(network, registry, list(images), layer)
    loaded = network.loaded
    warnings = [*(loaded.warnings if loaded else ()), *network.warnings]
    return report_page(
        "report.html",
        f"{model}: a report",
        model=one_line(model, 120),
        facts=model_facts(network),
        layers=layer_rows(network),
        trace=shape_trace(network),
        warnings=[one_line(warning) for warning in warnings],
        pictures=predictions(batch),
        target="" if target == "predicted" else one_line(target, 80),
        maps=_maps(batch),
        checks=checks,
        curves=_curves(checks, network),
        answers=[(answer, embedded_answer(answer)) for answer in answers],
        units=units,
        unit_figures=[_unit_figures(network, row) for row in units.rows],
        manifest=_manifest(network, answers, checks, command),
        commands=[command, *(answer.command for answer in answers)],
    )


def _maps(batch: Batch) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return for each picture its name, itself, and its maps with their labels."""
    attributions = [
        (answer.label, answer.attribution)
        for answer in batch.answers
        if answer.run is not None and answer.run.target is not None and answer.attribution
    ]
    if not attributions:
        return []
    return [
        (
            one_line(picture.name, 60),
            thumbnail(batch.network, picture.values),
            [(label, overlay(maps, number)) for label, maps in attributions],
        )
        for number, picture in enumerate(batch.pictures)
    ]


def _curves(checks: Sequence[FaithfulnessCheck], network: Network) -> list[EmbeddedFigure]:
    if not checks:
        return []
    unit = "score" if network.head.classes is None else "score or probability of the class"
    results = (as_curves(checks, "deletion", unit), as_curves(checks, "insertion", unit))
    return [
        EmbeddedFigure.of(draw(result, network.input.decode), result.title.partition(":")[0])
        for result in results
    ]


def _unit_figures(network: Network, row: UnitRow) -> list[tuple[str, EmbeddedFigure]]:
    """Return the figures of one unit, each with what it is."""
    found = (
        ("its weights", row.weights),
        ("what activates it most", row.ideal),
        ("the pictures that activate it most", row.pictures),
    )
    return [(words, embedded_result(network, each)) for words, each in found if each is not None]


def _manifest(
    network: Network,
    answers: Sequence[Answer],
    checks: Sequence[FaithfulnessCheck],
    command: str,
) -> str:
    """Return how the page came about, as JSON."""
    asked: list[dict[str, object]] = []
    shared: dict[str, object] = {}
    for answer in answers:
        if answer.run is None:
            asked.append({"command": answer.command, "failure": answer.failure})
            continue
        found = answer.run.manifest()
        shared = shared or {key: found[key] for key in ("model", "input", "versions", "created")}
        keys = ("plugin", "options", "seed", "target", "images", "predictions")
        asked.append({"command": answer.command, **{key: found[key] for key in keys}})
    numbers = [
        {
            "attribution": each.label,
            "deletion": each.deletion.area,
            "insertion": each.insertion.area,
            "rank_correlation_under_shuffled_weights": each.alike,
        }
        for each in checks
    ]
    whole = {"command": command, **shared, "warnings": list(network.warnings)}
    return json.dumps({**whole, "asked": asked, "checks": numbers}, indent=1, ensure_ascii=False)
