"""``kerascnn report`` and ``kerascnn compare``: everything about one model, or two, on one page."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kerascnn.commands.flags import DEBUG, JSON, PLUGIN_FILES, model_flags, open_network
from kerascnn.commands.output import print_json
from kerascnn.commands.plugin_flags import PluginCommand, make_visualizers
from kerascnn.errors import one_line
from kerascnn.plugin.registry import Plugin, Registry
from kerascnn.terminal.progress import say

if TYPE_CHECKING:
    from kerascnn.plugin.visualizer import Visualizer

# Long work: Deep Dream explains nothing of the model, and the unit page has maximal activation.
_LEFT_OUT = ("deep-dream", "max-activation")

_PLUGINS = click.option(
    "--plugin",
    multiple=True,
    metavar="NAME",
    help="What to ask, as a,b,c; default: all but deep-dream and max-activation.",
)
_IMAGES = click.option(
    "--image",
    "images",
    multiple=True,
    metavar="PATH",
    help="A picture or a folder of them. Repeatable; default: packaged samples that fit.",
)
_TARGET = click.option(
    "--target",
    default="predicted",
    metavar="CLASS",
    help="What to explain: a class index or name, LAYER:CHANNEL, or predicted (default).",
)


@click.command(cls=PluginCommand)
@click.argument("model")
@_PLUGINS
@PLUGIN_FILES
@_IMAGES
@_TARGET
@click.option("--units-of", metavar="LAYER", help="Whose units to show; default: last-conv.")
@click.option(
    "-o", "--out", default="report.html", show_default=True, metavar="FILE", help="Where to write."
)
@model_flags
@JSON
@DEBUG
@click.pass_context
def report(ctx: click.Context, model: str, plugin: Sequence[str], **flags: Any) -> None:
    """Tell everything about a model on one page: kerascnn report model.h5.

    What it is, what it predicts, what every visualizer shows, what the maps are worth, and the
    units of a layer. The page is one file that needs no network.
    """
    from kerascnn.storage.files import write_text

    registry: Registry = ctx.meta["registry"]
    out = Path(flags["out"])
    _see_that_it_can_be_written(out)
    asked = _asked(ctx, plugin, flags)
    network = open_network(registry, model, flags)
    _say_warnings(network)
    from kerascnn.reports import make_report

    page = make_report(
        network,
        asked,
        registry,
        images=flags["images"],
        target=flags["target"],
        layer=flags["units_of"],
        model=model,
        options={"input": flags["input_name"], "output": flags["output_name"]},
        command=_command(),
    )
    write_text(out, page)
    _tell(out, flags["as_json"], models=[model], asked=asked)


@click.command(cls=PluginCommand)
@click.argument("first")
@click.argument("second")
@_PLUGINS
@PLUGIN_FILES
@_IMAGES
@_TARGET
@click.option(
    "-o", "--out", default="compare.html", show_default=True, metavar="FILE", help="Where to write."
)
@model_flags
@JSON
@DEBUG
@click.pass_context
def compare(
    ctx: click.Context, first: str, second: str, plugin: Sequence[str], **flags: Any
) -> None:
    """Put two models side by side on one page: kerascnn compare before.h5 after.h5.

    Their layers and how far the weights moved, their predictions, and what each visualizer shows
    of either.
    """
    from kerascnn.storage.files import write_text

    registry: Registry = ctx.meta["registry"]
    out = Path(flags["out"])
    _see_that_it_can_be_written(out)
    asked = _asked(ctx, plugin, flags)
    networks = [open_network(registry, model, flags) for model in (first, second)]
    for network in networks:
        _say_warnings(network)
    from kerascnn.reports import make_comparison

    page = make_comparison(
        (networks[0], networks[1]),
        (first, second),
        asked,
        images=flags["images"],
        target=flags["target"],
        command=_command(),
    )
    write_text(out, page)
    _tell(out, flags["as_json"], models=[first, second], asked=asked)


def _asked(ctx: click.Context, plugin: Sequence[str], flags: dict[str, Any]) -> list[Visualizer]:
    """Return what is asked, each plugin in all its variants unless the user chose."""
    registry: Registry = ctx.meta["registry"]
    chosen: list[Plugin] = ctx.meta["plugins"]
    if not plugin:
        chosen = [p for name, p in registry.plugins.items() if name not in _LEFT_OUT]
    from kerascnn.plugin.visualizer import variants_of

    made = make_visualizers(chosen, flags)
    return [one for found, given in made for one in variants_of(found.visualizer, given)]


def _see_that_it_can_be_written(out: Path) -> None:
    from kerascnn.storage.files import output_folder

    with output_folder(out.parent):
        pass


def _say_warnings(network: Any) -> None:
    for warning in network.warnings:
        say(f"warning: {warning}")


def _command() -> str:
    return one_line(shlex.join(["kerascnn", *sys.argv[1:]]), 2000)


def _tell(out: Path, as_json: bool, models: Sequence[str], asked: Sequence[Visualizer]) -> None:
    if as_json:
        plugins = list(dict.fromkeys(visualizer.name for visualizer in asked))
        print_json({"models": list(models), "plugins": plugins, "file": str(out)})
        return
    click.echo(str(out))
