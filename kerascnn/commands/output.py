"""What commands print on stdout: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click


def print_columns(rows: Sequence[Sequence[str]]) -> None:
    """Print a table: the first row is its header; a column is as wide as its widest cell."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())
        if number == 0:
            click.echo("  ".join("─" * width for width in widths))


def print_json(value: object) -> None:
    """Print one JSON object; nothing else goes to stdout."""
    click.echo(json.dumps(value, ensure_ascii=False))
