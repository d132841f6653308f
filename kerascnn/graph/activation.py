"""The activation function of a layer call: its name, and the call without it."""

from __future__ import annotations

from kerascnn.graph.layer_copy import copy_with
from kerascnn.graph.live_types import KerasLayer, Tensor
from kerascnn.graph.model_graph import Args, Kwargs, LayerCall


def activation_name(layer: KerasLayer) -> str:
    """Return the name of a layer's activation function or layer; ``"linear"`` for none."""
    function = getattr(layer, "activation", None)
    if function is None:
        return "linear"
    return getattr(function, "__name__", None) or type(function).__name__.lower()


def without_activation(call: LayerCall, args: Args, kwargs: Kwargs) -> Tensor:
    """Do a call without the activation function that its layer ends in."""
    return copy_with(call.layer, activation=None)(*args, **kwargs)


def skip(_call: LayerCall, args: Args, kwargs: Kwargs) -> Tensor:
    """Return what a call is given, instead of doing it."""
    return args[0] if args else next(iter(kwargs.values()))
