"""``kerascnn inspect``: what a saved model is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from kerascnn.commands.flags import JSON, model_flags, open_network
from kerascnn.commands.output import print_columns, print_json
from kerascnn.errors import one_line
from kerascnn.run.model_options import ModelOptions
from kerascnn.sizes import size_text


@click.command()
@click.argument("model")
@model_flags
@JSON
def inspect(model: str, model_options: ModelOptions, as_json: bool) -> None:
    """Show what a saved model is: its layers, shapes, receptive fields, head and input."""
    network = open_network(model, model_options)
    from kerascnn.network.summary import describe, shape_trace

    found = describe(network)
    found["shape_trace"] = shape_trace(network)
    if as_json:
        print_json(found)
        return
    _print_summary(found)


def _print_summary(found: Mapping[str, Any]) -> None:
    head, chosen = found["head"], found["preprocessing"]
    rows = [("layer", "class", "output", "parameters", "a filter", "receptive field")]
    for layer in found["layers"]:
        size, stride = layer["receptive_field"], layer["receptive_field_stride"]
        rows.append(
            (
                layer["path"],
                layer["class"],
                size_text(layer["output_shape"]),
                f"{layer['parameters']:,}",
                "" if layer["weights_per_filter"] is None else f"{layer['weights_per_filter']:,}",
                "" if size is None else f"{size_text(size)} every {size_text(stride)}",
            )
        )
    click.echo(
        f"{one_line(found['path'])}: {found['format']}, Keras {found['keras_version'] or '?'} "
        f"({found['family']}), {found['parameters']:,} parameters"
    )
    click.echo(
        f"input {found['input']['name']!r}: {size_text(found['input']['shape'])}, "
        f"{chosen['name']} ({chosen['source']})"
    )
    click.echo(f"shapes: {found['shape_trace']}")
    click.echo()
    print_columns(rows)
    click.echo()
    click.echo(f"head: {head['kind']}, {head['classes'] or '?'} outputs; {head['why']}")
    for warning in found["warnings"]:
        click.echo(f"warning: {warning}")
