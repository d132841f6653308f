"""``kerascnn report`` and ``kerascnn compare``: everything about one model, or two, on one page."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from kerascnn.commands.flags import (
    JSON,
    model_flags,
    open_network,
    question_flags,
    registry_of,
    say_warnings,
)
from kerascnn.commands.output import print_json
from kerascnn.commands.plugin_flags import PluginCommand
from kerascnn.errors import one_line
from kerascnn.plugin.registry import Registry
from kerascnn.plugin.visualizer import Visualizer, variants_of
from kerascnn.run.model_options import ModelOptions

# Long computations: Deep Dream explains nothing of the model, and the page of units has maximal
# activation.
_LEFT_OUT = ("deep-dream", "max-activation")


@click.command(cls=PluginCommand)
@click.argument("model")
@question_flags
@click.option("--units-of", metavar="LAYER", help="Whose units to show; default: last-conv.")
@click.option(
    "-o", "--out", type=Path, default="report.html", show_default=True, metavar="FILE",
    help="Where to write.",
)  # fmt: skip
@model_flags
@JSON
def report(
    model: str,
    visualizers: list[Visualizer],
    images: tuple[str, ...],
    target: str,
    units_of: str | None,
    out: Path,
    model_options: ModelOptions,
    as_json: bool,
) -> None:
    """Write a page about a model: kerascnn report model.h5.

    Its layers, what it predicts, what every visualizer shows (but for deep-dream and
    max-activation, unless --plugin names them), how faithful the maps are, and the units of a
    layer. The page is one file that needs no network.
    """
    from kerascnn.storage.files import check_writable

    registry = registry_of(click.get_current_context())
    check_writable(out.parent)
    asked = _with_variants(visualizers, registry)
    network = open_network(model, model_options)
    say_warnings(network)
    from kerascnn.reports import make_report

    page = make_report(
        network,
        asked,
        registry,
        images=images,
        target=target,
        layer=units_of,
        model=model,
        options=model_options,
        command=_command(),
    )
    _write(out, page, as_json, [model], asked)


@click.command(cls=PluginCommand)
@click.argument("first")
@click.argument("second")
@question_flags
@click.option(
    "-o", "--out", type=Path, default="compare.html", show_default=True, metavar="FILE",
    help="Where to write.",
)  # fmt: skip
@model_flags
@JSON
def compare(
    first: str,
    second: str,
    visualizers: list[Visualizer],
    images: tuple[str, ...],
    target: str,
    out: Path,
    model_options: ModelOptions,
    as_json: bool,
) -> None:
    """Put two models side by side on one page: kerascnn compare before.h5 after.h5.

    Their layers and how far the weights moved, their predictions, and what each visualizer shows
    of either (but for deep-dream and max-activation, unless --plugin names them).
    """
    from kerascnn.storage.files import check_writable

    check_writable(out.parent)
    asked = _with_variants(visualizers, registry_of(click.get_current_context()))
    networks = (open_network(first, model_options), open_network(second, model_options))
    for network in networks:
        say_warnings(network)
    from kerascnn.reports import make_comparison

    page = make_comparison(
        networks, (first, second), asked, images=images, target=target, command=_command()
    )
    _write(out, page, as_json, [first, second], asked)


def _with_variants(given: Sequence[Visualizer], registry: Registry) -> list[Visualizer]:
    """Return what to run: what is named, or all; in each variant that the user did not decide."""
    if not given:
        kept = [p for name, p in registry.plugins.items() if name not in _LEFT_OUT]
        given = [plugin.visualizer.parse({}) for plugin in kept]
    return [variant for each in given for variant in variants_of(type(each), each)]


def _command() -> str:
    return one_line(shlex.join(["kerascnn", *sys.argv[1:]]), 2000)


def _write(
    out: Path, page: str, as_json: bool, models: Sequence[str], asked: Sequence[Visualizer]
) -> None:
    from kerascnn.storage.files import write_text

    write_text(out, page)
    if as_json:
        plugins = list(dict.fromkeys(visualizer.name for visualizer in asked))
        print_json({"models": list(models), "plugins": plugins, "file": str(out)})
        return
    click.echo(str(out))
