"""Flags that several commands share, and what they stand for."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kerascnn.errors import one_line
from kerascnn.network.precision import FLOAT32, check_precision
from kerascnn.plugin.registry import Registry
from kerascnn.terminal.progress import say

if TYPE_CHECKING:
    from kerascnn.network.network import Network

DEBUG = click.option(
    "--debug", is_flag=True, help="Show tracebacks and what TensorFlow says by itself."
)
# Commands without TensorFlow take the flag too; `_fail` looks for it among the arguments.
DEBUG_UNUSED = click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks.")
JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout, nothing else there."
)
PLUGIN_FILES = click.option(
    "--plugin-file",
    "plugin_files",
    multiple=True,
    metavar="FILE.py",
    help="Take the plugin in a single file too. Repeatable.",
)
_MODEL_FLAGS = [
    click.option("--weights", metavar="FILE", help="Weights of a model saved as JSON."),
    click.option(
        "--architecture",
        metavar="MODULE:FUNCTION",
        help="What builds the model of a file that holds weights alone.",
    ),
    click.option(
        "--trust", is_flag=True, help="Load even what could run code. Only for files you made."
    ),
    click.option(
        "--preprocess",
        metavar="NAME",
        help="unit [0,1] | symmetric [-1,1] | caffe | torch | raw 0-255; default: found out.",
    ),
    click.option("--input", "input_name", metavar="NAME", help="Which input takes the picture."),
    click.option("--output", "output_name", metavar="NAME", help="Which output to explain."),
    click.option("--labels", metavar="FILE", help="Class names: a line each, or a JSON list."),
    click.option(
        "--memory", metavar="SIZE", help="What work may take, as 500M; default: ¼ of what is free."
    ),
    click.option(
        "--precision",
        default=FLOAT32,
        metavar="NAME",
        help="float32 (default) | bfloat16 | auto: bfloat16 where the processor has it.",
    ),
]


def model_flags(command: Any) -> Any:
    """Give a command the flags of whatever opens a model."""
    for flag in reversed(_MODEL_FLAGS):
        command = flag(command)
    return command


def open_network(registry: Registry, model: str, flags: Mapping[str, Any]) -> Network:
    """Load a model as the shared flags say, and tell what the user should know of it."""
    from kerascnn.network.labels import read_labels
    from kerascnn.network.memory import parse_bytes
    from kerascnn.terminal.silence import hush

    memory = None if flags["memory"] is None else parse_bytes(flags["memory"], option="--memory")
    check_precision(flags["precision"])
    labels = (
        None if flags["labels"] is None else read_labels(Path(flags["labels"]), option="--labels")
    )
    if not flags["debug"]:
        hush()
    from kerascnn.network.network import Network

    # Keras tells of its downloads on stdout, which is kept for results.
    with contextlib.redirect_stdout(sys.stderr):
        network = Network.load(
            model,
            weights=flags["weights"],
            architecture=flags["architecture"],
            trust=flags["trust"],
            custom_objects=registry.custom_objects(),
            preprocessing=flags["preprocess"],
            labels=labels,
            input=flags["input_name"],
            output=flags["output_name"],
            memory=memory,
            precision=flags["precision"],
        )
    if network.precision.why:
        say(f"computing in {network.precision.name}: {network.precision.why}")
    loaded = network.loaded
    if loaded is not None and loaded.trusted:
        say(f"loading {one_line(model)} on trust, SHA-256 {loaded.sha256}")
        for finding in loaded.findings:
            say(f"on trust: {finding}")
    return network
