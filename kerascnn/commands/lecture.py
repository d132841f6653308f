"""``kerascnn lecture``: the lecture, measured."""

from __future__ import annotations

from pathlib import Path

import click

from kerascnn.commands.flags import DEBUG, JSON
from kerascnn.commands.output import print_json
from kerascnn.errors import one_line


@click.command()
@click.option("--out", default="lecture", show_default=True, metavar="DIR", help="Where to write.")
@click.option("--seeds", default=1, show_default=True, help="Repeat each training with N seeds.")
@click.option("--epochs", default=20, show_default=True, help="Passes over the training digits.")
@click.option(
    "--examples", default=10_000, show_default=True, help="Training digits; over 10,000: all."
)
@click.option("--data", metavar="PATH", help="Another data set in the layout of mnist.npz.")
@JSON
@DEBUG
def lecture(
    out: str, seeds: int, epochs: int, examples: int, data: str | None, as_json: bool, debug: bool
) -> None:
    """Reproduce the lecture: train, measure, and hold its claims against the numbers."""
    from kerascnn.quiet import hush

    if not debug:
        hush()
    from kerascnn.lecture import reproduce

    results = reproduce(
        Path(out),
        seeds=seeds,
        epochs=epochs,
        examples=examples,
        data=None if data is None else Path(data),
    )
    if as_json:
        print_json(results.to_dict())
        return
    click.echo(results.table())
    click.echo(f"written to {one_line(out)}")
