"""Nested lists, tuples and dicts, as the arguments and results of a layer's call are.

Not TensorFlow's `nest`: that one sorts dicts and treats some of TensorFlow's own types as
containers, while arguments of a layer's call are ordinary containers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kerascnn.graph.live_types import Structure


def leaves(structure: Structure) -> list[Any]:
    """Return what a structure holds, in order; dicts by their sorted keys, as Keras does."""
    if isinstance(structure, Mapping):
        return [leaf for key in sorted(structure) for leaf in leaves(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for item in structure for leaf in leaves(item)]
    return [structure]


def map_leaves(structure: Structure, change: Callable[[Any], Any]) -> Structure:
    """Return a structure of the same form with each leaf changed."""
    if isinstance(structure, Mapping):
        return {key: map_leaves(value, change) for key, value in structure.items()}
    if not isinstance(structure, (list, tuple)):
        return change(structure)
    items = [map_leaves(item, change) for item in structure]
    if hasattr(structure, "_fields"):  # a named tuple
        return type(structure)(*items)
    return items if isinstance(structure, list) else tuple(items)
