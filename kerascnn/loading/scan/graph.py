"""Check that a Keras 2 graph can be built at all.

Keras 2 makes the calls of a graph's layers in rounds: a call whose input does not exist yet waits
for the next round. If the input never comes, the rounds never end.
"""

from __future__ import annotations

import collections

from kerascnn.errors import one_line
from kerascnn.loading.scan.references import Call, references
from kerascnn.loading.scan.strict_json import Json


def problem(config: Json) -> str | None:
    """Return why the graph of a model's configuration would never be finished, or None.

    Args:
        config: of a functional model, as Keras 2 writes it. Others have no such problem.
    """
    layers = config.get("layers") if isinstance(config, dict) else None
    if not isinstance(layers, list):
        return None
    calls: dict[Call, set[Call]] = {}
    inputs, names = set(), set()
    for layer in layers:
        if not isinstance(layer, dict):
            return None
        name, nodes = layer.get("name"), layer.get("inbound_nodes")
        if not isinstance(name, str) or not isinstance(nodes, list):
            return None
        if name in names:
            return f"two layers called {one_line(name, 60)!r}"
        names.add(name)
        if layer.get("class_name") == "InputLayer":
            inputs.add(name)
        if any(isinstance(node, dict) and "args" in node for node in nodes):
            return None  # Keras 3, which gives up by itself
        first = _first_call(layer)
        for number, node in enumerate(nodes, first):
            calls[name, number] = set(references(node))
            if number > first:
                calls[name, number].add((name, number - 1))
    return _waiting(calls, inputs, names)


def _first_call(layer: dict[str, Json]) -> int:
    """Return the number of a layer's first call: a model was called once when it was made."""
    config = layer.get("config")
    inner = config.get("layers") if isinstance(config, dict) else None
    first = inner[0] if isinstance(inner, list) and inner else None
    return int(isinstance(first, dict) and first.get("class_name") == "InputLayer")


def _waiting(calls: dict[Call, set[Call]], inputs: set[str], names: set[str]) -> str | None:
    """Make the calls in the order of their needs; return what is left over."""
    needs: dict[Call, int] = {}
    users: dict[Call, list[Call]] = collections.defaultdict(list)
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
