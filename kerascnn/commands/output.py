"""What commands print on stdout: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click


def print_columns(rows: Sequence[Sequence[str]]) -> None:
    """Print a table: the first row is its head; the widest cells make the columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())
        if number == 0:
            click.echo("  ".join("─" * width for width in widths))


def print_json(value: Any) -> None:
    """Print one JSON object, the whole of stdout."""
    click.echo(json.dumps(value, ensure_ascii=False))
