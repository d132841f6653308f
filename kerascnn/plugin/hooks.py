"""The hooks: what a plugin's module may offer, each by a function marked with `hookimpl`.

A module is found by an entry point in the group ``kerascnn`` of an installed distribution. The
functions below are declarations; nobody calls them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click

    from kerascnn.plugin.visualizer import Visualizer

PROJECT = "kerascnn"
"""What pluggy calls these hooks, and the group of the entry points."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def kerascnn_visualizers() -> Iterable[type[Visualizer]]:
    """Yield the visualizer classes of this plugin."""
    return ()


@hookspec
def kerascnn_commands() -> Iterable[click.Command]:
    """Yield click commands; each is run as ``kerascnn NAME``.

    A name that one of kerascnn's own commands has is refused. Whatever is slow to import
    (TensorFlow, NumPy) is to be imported in the command's function, not when the module is.
    """
    return ()


@hookspec
def kerascnn_custom_objects() -> Mapping[str, object]:
    """Return the custom layers and functions of this plugin, by the name a model file uses.

    A model file that names one of them loads; without this hook it is refused. TensorFlow is to be
    imported here or later, not when the plugin's module is.
    """
    return {}
