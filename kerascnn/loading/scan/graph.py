"""See that a Keras 2 graph can be put together at all.

Keras 2 makes the calls of a graph's layers in rounds: what waits for a tensor that is not there yet
waits for the next round. If that tensor never comes, there is no last round.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator
from typing import Any

from kerascnn.errors import one_line
from kerascnn.loading.scan.references import is_reference

_Call = tuple[str, int]


def problem(config: Any) -> str | None:
    """Return why the graph of a model's configuration would never be finished, or None.

    Args:
        config: of a functional model, as Keras 2 writes it. Others have no such problem.
    """
    layers = config.get("layers") if isinstance(config, dict) else None
    if not isinstance(layers, list):
        return None
    calls: dict[_Call, set[_Call]] = {}
    inputs, names = set(), set()
    for layer in layers:
        if not isinstance(layer, dict) or not isinstance(layer.get("inbound_nodes"), list):
            return None
        name = layer.get("name")
        if not isinstance(name, str):
            return None
        if name in names:
            return f"two layers called {one_line(name, 60)!r}"
        names.add(name)
        if layer.get("class_name") == "InputLayer":
            inputs.add(name)
        if any(isinstance(node, dict) and "args" in node for node in layer["inbound_nodes"]):
            return None  # Keras 3, which gives up by itself
        first = _first_call(layer)
        for number, node in enumerate(layer["inbound_nodes"], first):
            wanted = set(_references(node))
            if number > first:
                wanted.add((name, number - 1))
            calls[name, number] = wanted
    return _waiting(calls, inputs, names)


def _first_call(layer: dict[str, Any]) -> int:
    """Return the number of a layer's first call: a model was called once when it was made."""
    config = layer.get("config")
    inner = config.get("layers") if isinstance(config, dict) else None
    if not isinstance(inner, list) or not inner or not isinstance(inner[0], dict):
        return 0
    return int(inner[0].get("class_name") == "InputLayer")


def _references(node: Any) -> Iterator[_Call]:
    waiting = [node]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            if is_reference(value[:3]) and value[0] != "_CONSTANT_VALUE":
                yield value[0], value[1]
            waiting.extend(value)


def _waiting(calls: dict[_Call, set[_Call]], inputs: set[str], names: set[str]) -> str | None:
    """Make the calls in the order of their needs; return what is left over."""
    needs: dict[_Call, int] = {}
    users: dict[_Call, list[_Call]] = collections.defaultdict(list)
    for call, wanted in calls.items():
        # A name that no layer has makes Keras stop with an error.
        waits = {other for other in wanted if other[0] in names and other[0] not in inputs}
        needs[call] = len(waits)
        for other in waits:
            users[other].append(call)
    ready = [call for call, count in needs.items() if not count]
    made = 0
    while ready:
        call = ready.pop()
        made += 1
        for user in users[call]:
            needs[user] -= 1
            if not needs[user]:
                ready.append(user)
    if made == len(calls):
        return None
    name = next(call[0] for call, count in needs.items() if count)
    return f"a call of {one_line(name, 60)!r} that waits for a tensor that never comes"
