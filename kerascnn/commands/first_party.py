"""The commands of kerascnn itself, offered by the hook that plugins offer theirs by."""

from __future__ import annotations

from collections.abc import Iterable

import click

from kerascnn.commands.inspect import inspect
from kerascnn.commands.lecture import lecture
from kerascnn.commands.plugins import plugins
from kerascnn.commands.report import compare, report
from kerascnn.commands.style import style
from kerascnn.commands.visualize import visualize
from kerascnn.plugin.hooks import hookimpl


@hookimpl
def kerascnn_commands() -> Iterable[click.Command]:
    """Yield the commands."""
    return (visualize, report, compare, plugins, inspect, lecture, style)
