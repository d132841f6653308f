"""``kerascnn report`` and ``kerascnn compare``: everything about one model, or two, on one page."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from kerascnn.commands.flags import (
    IMAGES,
    JSON,
    TARGET,
    model_flags,
    open_network,
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

_PLUGINS = click.option(
    "--plugin",
    multiple=True,
    expose_value=False,
    metavar="NAME",
    help="What to run, as a,b,c; default: all but deep-dream and max-activation.",
)


@click.command(cls=PluginCommand)
@click.argument("model")
@_PLUGINS
@IMAGES
@TARGET
@click.option("--units-of", metavar="LAYER", help="Whose units to show; default: last-conv.")
@click.option(
    "-o", "--out", default="report.html", show_default=True, metavar="FILE", help="Where to write."
)
@model_flags
@JSON
def report(
    model: str,
    visualizers: list[Visualizer],
    images: tuple[str, ...],
    target: str,
    units_of: str | None,
    out: str,
    model_options: ModelOptions,
    as_json: bool,
) -> None:
    """Tell everything about a model on one page: kerascnn report model.h5.

    What it is, what it predicts, what every visualizer shows, how faithful the maps are, and the
    units of a layer. The page is one file that needs no network.
    """
    registry = registry_of(click.get_current_context())
    _see_that_it_can_be_written(Path(out))
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
    _write(Path(out), page, as_json, [model], asked)


@click.command(cls=PluginCommand)
@click.argument("first")
@click.argument("second")
@_PLUGINS
@IMAGES
@TARGET
@click.option(
    "-o", "--out", default="compare.html", show_default=True, metavar="FILE", help="Where to write."
)
@model_flags
@JSON
def compare(
    first: str,
    second: str,
    visualizers: list[Visualizer],
    images: tuple[str, ...],
    target: str,
    out: str,
    model_options: ModelOptions,
    as_json: bool,
) -> None:
    """Put two models side by side on one page: kerascnn compare before.h5 after.h5.

    Their layers and how far the weights moved, their predictions, and what each visualizer shows
    of either.
    """
    _see_that_it_can_be_written(Path(out))
    asked = _with_variants(visualizers, registry_of(click.get_current_context()))
    networks = (open_network(first, model_options), open_network(second, model_options))
    for network in networks:
        say_warnings(network)
    from kerascnn.reports import make_comparison

    page = make_comparison(
        networks, (first, second), asked, images=images, target=target, command=_command()
    )
    _write(Path(out), page, as_json, [first, second], asked)


def _with_variants(given: Sequence[Visualizer], registry: Registry) -> list[Visualizer]:
    """Return what to run: what is named, or all; each in the variants that the user left open."""
    if not given:
        kept = [p for name, p in registry.plugins.items() if name not in _LEFT_OUT]
        given = [plugin.visualizer.parse({}) for plugin in kept]
    return [variant for each in given for variant in variants_of(type(each), each)]


def _see_that_it_can_be_written(out: Path) -> None:
    from kerascnn.storage.files import output_folder

    with output_folder(out.parent):
        pass


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
