"""ReLUs wherever they are: layers, activations of other layers, functions in the graph."""

from __future__ import annotations

from collections.abc import Iterable

from kerascnn.graph.activation import activation_name, skip, without_activation
from kerascnn.graph.live_types import Tensor
from kerascnn.graph.model_graph import Args, Kwargs, LayerCall, Replace

_KINDS = frozenset({"ReLU", "Relu", "Relu6"})
_SYMBOLS = frozenset({"nn.relu", "nn.relu6"})
_FUNCTIONS = frozenset({"relu", "relu6"})


def relu_calls(calls: Iterable[LayerCall]) -> tuple[LayerCall, ...]:
    """Return those calls that end in a ReLU."""
    return tuple(call for call in calls if _is_relu(call) or _ends_in_relu(call))


def without_relu(call: LayerCall) -> Replace | None:
    """Return how to do a call without the ReLU that it ends in; None where it ends in none."""
    if call.kind != "Activation" and _ends_in_relu(call):
        return without_activation
    return skip if _is_relu(call) or _ends_in_relu(call) else None


def guided(call: LayerCall, args: Args, kwargs: Kwargs) -> Tensor:
    """Do a call that ends in a ReLU so that only positive gradients go back through it.

    The ReLU itself stops gradients where its input was negative; with what is stopped here, that is
    guided back-propagation (Springenberg, Dosovitskiy, Brox and Riedmiller 2015).
    """
    import tensorflow as tf

    def gate(value: Tensor) -> Tensor:
        return tf.identity(value), lambda upstream: tf.maximum(upstream, 0)

    return tf.nest.map_structure(tf.custom_gradient(gate), call.layer(*args, **kwargs))


def _is_relu(call: LayerCall) -> bool:
    return call.kind in _KINDS or getattr(call.layer, "symbol", None) in _SYMBOLS


def _ends_in_relu(call: LayerCall) -> bool:
    return activation_name(call.layer) in _FUNCTIONS
