"""How a configuration names the tensors that a layer is called with.

Keras 2 writes ``["name", node, tensor]``, perhaps with keyword arguments behind; a constant is
``["_CONSTANT_VALUE", -1, value]``. Keras 3 writes an object ``__keras_tensor__``.
"""

from __future__ import annotations

from typing import Any


def is_reference(value: list[Any]) -> bool:
    """Tell whether a value names an output of a layer: its name and two numbers."""
    return (
        isinstance(value, list)
        and len(value) == 3
        and isinstance(value[0], str)
        and isinstance(value[1], int)
        and (isinstance(value[2], int) or value[0] == "_CONSTANT_VALUE")
    )


def has_tensor(node: Any) -> bool:
    """Tell whether a node of the graph takes any tensor."""
    waiting = [node]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            if is_reference(value[:3]) and value[0] != "_CONSTANT_VALUE":
                return True
            waiting.extend(value)
        elif isinstance(value, dict):
            if value.get("class_name") == "__keras_tensor__":
                return True
            waiting.extend(value.values())
    return False
