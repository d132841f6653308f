"""References in a configuration: the tensors that a layer is called with.

Keras 2 writes ``["name", node, tensor]``, perhaps with keyword arguments behind; a constant is
``["_CONSTANT_VALUE", -1, value]``. Keras 3 writes an object ``__keras_tensor__`` with such a list.
"""

from __future__ import annotations

from collections.abc import Iterator

from kerascnn.loading.scan.strict_json import Json

_CONSTANT = "_CONSTANT_VALUE"

#: A layer's name, and the number of its call (its node).
Call = tuple[str, int]


def reference(value: Json) -> Call | None:
    """Return the call whose output a value refers to, or None where it is no reference."""
    match value:
        case [str(name), int(node), int()] if name != _CONSTANT:
            return name, node
    return None


def references(node: Json) -> Iterator[Call]:
    """Yield the calls whose outputs a node of the graph takes."""
    waiting = [node]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            if (call := reference(value[:3])) is not None:
                yield call
            waiting.extend(value)


def after_reference(values: list[Json]) -> list[Json]:
    """Return what follows the reference at the start of a list; of a constant, also its value."""
    match values:
        case ["_CONSTANT_VALUE", int(), _, *_]:
            return values[2:]
    return values if reference(values[:3]) is None else values[3:]
