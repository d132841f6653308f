"""ReLUs wherever they hide: layers, activations of other layers, functions in the graph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kerascnn.graph.head import bare, function_name, passed
from kerascnn.graph.model_graph import LayerCall, Replace

_KINDS = frozenset({"ReLU", "Relu", "Relu6"})
_SYMBOLS = frozenset({"nn.relu", "nn.relu6"})
_FUNCTIONS = frozenset({"relu", "relu6"})


def rectifiers(steps: Iterable[LayerCall]) -> tuple[LayerCall, ...]:
    """Return those steps that end in a ReLU."""
    return tuple(step for step in steps if _rectifies(step))


def _rectifies(step: LayerCall) -> bool:
    if step.kind in _KINDS or getattr(step.layer, "symbol", None) in _SYMBOLS:
        return True
    return _is_its_own(step)


def _is_its_own(step: LayerCall) -> bool:
    return function_name(getattr(step.layer, "activation", None)) in _FUNCTIONS


def unrectified(step: LayerCall) -> Replace | None:
    """Return how to do a step without the ReLU that it ends in; None where it ends in none."""
    if not _rectifies(step):
        return None
    return bare if step.kind != "Activation" and _is_its_own(step) else passed


def guided(step: LayerCall, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a step that ends in a ReLU so that only positive gradients go back through it.

    The ReLU itself stops gradients where its input was negative; with what is stopped here, that is
    guided back-propagation (Springenberg, Dosovitskiy, Brox and Riedmiller 2015).
    """
    import tensorflow as tf

    @tf.custom_gradient
    def gate(value: Any) -> Any:
        return tf.identity(value), lambda upstream: tf.maximum(upstream, 0)

    return tf.nest.map_structure(gate, step.layer(*args, **kwargs))
