"""``kerascnn lecture``: the lecture, measured, as a book."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from kerascnn.commands.flags import DEBUG, JSON
from kerascnn.commands.output import print_json
from kerascnn.errors import one_line
from kerascnn.lecture.book.settings import EPOCHS, OPTIONS, QUICK_EPOCHS, Settings


def _own_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add a flag for each of the chapters' own options."""
    for own in reversed(OPTIONS):
        command = click.option(f"--{own.name}", metavar=own.metavar, help=own.help)(command)
    return command


@click.command()
@click.option("--out", default="lecture", show_default=True, metavar="DIR", help="Where to write.")
@click.option(
    "--chapter",
    "chapters",
    multiple=True,
    metavar="NAME",
    help="Make this chapter alone. Repeatable; default: all.",
)
@click.option(
    "--quick", is_flag=True, help="Small versions of everything: less exact numbers, in minutes."
)
@click.option("--seeds", default=1, show_default=True, help="Repeat each training with N seeds.")
@click.option(
    "--epochs",
    type=int,
    help=f"Passes over the training digits; default: {EPOCHS}, with --quick {QUICK_EPOCHS}.",
)
@click.option(
    "--examples", default=10_000, show_default=True, help="Training digits; over 10,000: all."
)
@click.option("--data", metavar="PATH", help="Another data set in the layout of mnist.npz.")
@_own_options
@JSON
@DEBUG
def lecture(
    out: str,
    chapters: tuple[str, ...],
    quick: bool,
    seeds: int,
    epochs: int | None,
    examples: int,
    data: str | None,
    as_json: bool,
    **options: str | None,
) -> None:
    """Reproduce the lecture: train, measure, and write the book of its figures and claims.

    Chapters that are finished are not made again. The book is DIR/index.html.
    """
    from kerascnn.lecture import make_book

    settings = Settings(
        quick=quick,
        seeds=seeds,
        epochs=(QUICK_EPOCHS if quick else EPOCHS) if epochs is None else epochs,
        examples=examples,
        data=None if data is None else Path(data),
        options={name: text for name, text in options.items() if text is not None},
    )
    book = make_book(Path(out), settings, chapters)
    if as_json:
        print_json(book.to_dict())
        return
    click.echo(book.table())
    click.echo(f"written to {one_line(Path(out) / 'index.html')}")
