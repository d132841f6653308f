"""Flags that several commands share, and `ModelOptions` made from those of a model."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kerascnn.errors import one_line
from kerascnn.network.precision import FLOAT32, check_precision
from kerascnn.plugin.registry import Registry
from kerascnn.run.model_options import ModelOptions
from kerascnn.run.question import PREDICTED
from kerascnn.terminal.progress import say
from kerascnn.terminal.silence import hush

if TYPE_CHECKING:
    from kerascnn.network.network import Network

REGISTRY = "kerascnn.registry"
"""Where in a context's ``meta`` the registry is."""


def registry_of(ctx: click.Context) -> Registry:
    """Return the registry of this run of the program."""
    # The command line puts its own there; a command that is called by itself has none.
    if REGISTRY not in ctx.meta:
        ctx.meta[REGISTRY] = Registry().discover()
    registry: Registry = ctx.meta[REGISTRY]
    return registry


def size(text: str) -> int:
    """Return the number of bytes in the text of a flag like ``--memory``."""
    from kerascnn.network.memory import parse_bytes

    return parse_bytes(text, option="--memory")


def _labels(path: str) -> tuple[str, ...]:
    from kerascnn.network.labels import read_labels

    return read_labels(Path(path), option="--labels")


def _add_files(ctx: click.Context, _parameter: click.Parameter, files: Sequence[str]) -> None:
    for path in files:
        registry_of(ctx).add_file(Path(path))


def _hush_unless(_ctx: click.Context, _parameter: click.Parameter, debug: bool) -> None:
    if not debug:
        hush()


DEBUG = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    callback=_hush_unless,
    help="Show tracebacks and TensorFlow's own messages.",
)
JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout and nothing else."
)
PLUGIN_FILES = click.option(
    "--plugin-file",
    multiple=True,
    is_eager=True,
    expose_value=False,
    callback=_add_files,
    metavar="FILE.py",
    help="Use the plugin in a single file too. Repeatable.",
)
_QUESTION_FLAGS = (
    click.option(
        "--plugin",
        multiple=True,
        expose_value=False,
        metavar="NAME",
        help="Which visualizer to run, or several: a,b,c; see kerascnn plugins.",
    ),
    click.option(
        "--image",
        "images",
        multiple=True,
        metavar="PATH",
        help="A picture or a folder of them. Repeatable; default: packaged samples that fit.",
    ),
    click.option(
        "--target",
        default=PREDICTED,
        metavar="CLASS",
        help="What to explain: a class index or name, LAYER:CHANNEL, or predicted (default).",
    ),
)
# Each that has a value is the field of `ModelOptions` of its name.
_MODEL_FLAGS = (
    click.option("--weights", metavar="FILE", help="Weights of a model saved as JSON."),
    click.option(
        "--architecture",
        metavar="MODULE:FUNCTION",
        help="What builds the model of a file that holds only weights.",
    ),
    click.option(
        "--trust", is_flag=True, help="Load even what could run code. Only for files you made."
    ),
    click.option(
        "--preprocess",
        "preprocessing",
        metavar="NAME",
        help="unit [0,1] | symmetric [-1,1] | caffe | torch | raw 0-255; default: detected.",
    ),
    click.option("--input", metavar="NAME", help="Which input takes the picture."),
    click.option("--output", metavar="NAME", help="Which output to explain."),
    click.option(
        "--labels", type=_labels, metavar="FILE", help="Class names: a line each, or a JSON list."
    ),
    click.option(
        "--memory",
        type=size,
        metavar="SIZE",
        help="The most memory to use, as 500M; default: ¼ of what is free.",
    ),
    click.option(
        "--precision",
        type=check_precision,
        default=FLOAT32,
        metavar="NAME",
        help="float32 (default) | bfloat16 | auto: bfloat16 where the processor has it.",
    ),
    PLUGIN_FILES,
    DEBUG,
)


def question_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a `PluginCommand` its ``--plugin``, and the arguments ``images`` and ``target``."""
    for flag in reversed(_QUESTION_FLAGS):
        command = flag(command)
    return command


def model_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the flags of whatever opens a model, ``--plugin-file`` and ``--debug`` too.

    The command gets their values as one argument, ``model_options``: `ModelOptions`.
    """

    @functools.wraps(command)
    def with_options(**values: Any) -> None:
        given = {f.name: values.pop(f.name) for f in dataclasses.fields(ModelOptions)}
        command(model_options=ModelOptions(**given), **values)

    for flag in reversed(_MODEL_FLAGS):
        with_options = flag(with_options)
    return with_options


def open_network(model: str, model_options: ModelOptions) -> Network:
    """Load a model as the flags say, and print on stderr what the user should know of that.

    Args:
        model: a file or folder of any Keras format, or ``builtin:NAME``.
        model_options: what `model_flags` gave the command.

    Raises:
        KerascnnError: it can't be loaded; in one line.
    """
    registry = registry_of(click.get_current_context())
    # Keras reports its downloads on stdout, which is for results only.
    with contextlib.redirect_stdout(sys.stderr):
        known = len(registry.problems)
        custom_objects = registry.custom_objects()
        for problem in registry.problems[known:]:
            say(f"not used: {problem}")
        network = model_options.open(model, custom_objects)
    if network.precision.why:
        say(f"computing in {network.precision.name}: {network.precision.why}")
    loaded = network.loaded
    if loaded is not None and loaded.trusted:
        say(f"loading {one_line(model)} on trust, SHA-256 {loaded.sha256}")
        for finding in loaded.findings:
            say(f"on trust: {finding}")
    return network


def say_warnings(network: Network) -> None:
    """Print the warnings about a model on stderr."""
    for warning in network.warnings:
        say(f"warning: {warning}")
