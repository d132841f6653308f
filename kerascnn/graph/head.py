"""Where a model's class scores are: the logit behind a softmax or sigmoid, in any head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerascnn.graph.model_graph import Graph, LayerCall, Replace, without_activation

# Layers that only move numbers about, and so may stand between the softmax and the output.
_CARRIERS = frozenset({"Reshape", "Flatten", "Permute", "Dropout", "Identity"})


@dataclass(frozen=True)
class Head:
    """What comes out of a model, and where its logit was found.

    Attributes:
        kind: ``"softmax"`` (classes exclude each other), ``"sigmoid"`` (each class by itself),
            ``"binary"`` (one sigmoid unit for two classes), ``"linear"`` (scores as they are) or
            ``"features"`` (maps, no classes: the channels of the last layer are the targets).
        layer: path of the layer that holds the logit.
        classes: how many scores there are; None where the model does not say.
        why: how the logit was found, in a sentence.
        replace: what is done in place of some steps so that logits come out.
    """

    kind: str
    layer: str
    classes: int | None
    why: str
    replace: dict[LayerCall, Replace]

    @property
    def activation(self) -> str | None:
        """The function that turns logits into the model's outputs."""
        return {"softmax": "softmax", "sigmoid": "sigmoid", "binary": "sigmoid"}.get(self.kind)

    def probabilities(self, scores: np.ndarray) -> np.ndarray | None:
        """Turn scores into probabilities, as the model does; None where it gives none."""
        from scipy import special

        if self.activation == "softmax":
            return np.asarray(special.softmax(scores, axis=-1))
        return None if self.activation is None else np.asarray(special.expit(scores))

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"kind": self.kind, "layer": self.layer, "classes": self.classes, "why": self.why}


def find_head(graph: Graph, output: int, axis: Callable[[int], int]) -> Head:
    """Find the logit behind an output.

    Args:
        graph: the flattened model.
        output: the number of the output's tensor.
        axis: tensor number → its channel axis.
    """
    step = graph.producer(output)
    while step is not None and _carries(step) and len(step.inputs) == 1:
        step = graph.producer(step.inputs[0])
    if step is None:
        return Head("linear", "", None, "the output is the input itself", {})
    shape = _shape(graph, output)
    classes, spatial = _classes(shape, axis(output))
    name = _activation_name(step, axis)
    if name in ("softmax", "sigmoid"):
        kind = "binary" if name == "sigmoid" and classes == 1 else name
        if _has_own_activation(step):
            why = f"{name} is the activation of {step.kind} {step.path!r}; taken off"
            return Head(kind, step.path, classes, why, {step: bare})
        before = graph.producer(step.inputs[0])
        path = before.path if before else step.path
        why = f"{step.kind} {step.path!r} is the {name}; its input is the logit"
        return Head(kind, path, classes, why, {step: passed})
    if spatial:
        why = f"{step.kind} {step.path!r} gives maps, not classes; its channels are the targets"
        return Head("features", step.path, classes, why, {})
    why = f"{step.kind} {step.path!r} has no softmax or sigmoid; its outputs are the scores"
    return Head("linear", step.path, classes, why, {})


def _carries(step: LayerCall) -> bool:
    if step.kind in _CARRIERS:
        return True
    return step.kind == "Activation" and function_name(step.layer.activation) == "linear"


def _has_own_activation(step: LayerCall) -> bool:
    return step.kind != "Activation" and function_name(getattr(step.layer, "activation", None)) in (
        "softmax",
        "sigmoid",
    )


def _activation_name(step: LayerCall, axis: Callable[[int], int]) -> str | None:
    """Return ``"softmax"`` or ``"sigmoid"`` if the step ends in it over the classes."""
    symbol = getattr(step.layer, "symbol", None) or ""
    if step.kind in ("Softmax", "Sigmoid") or symbol in ("nn.softmax", "math.sigmoid"):
        name = "softmax" if "oftmax" in step.kind + symbol else "sigmoid"
        over = getattr(step.layer, "axis", -1)
    else:
        function = getattr(step.layer, "activation", None)
        found = function_name(function)
        if found not in ("softmax", "sigmoid"):
            return None
        name, over = found, -1
    if name == "softmax" and step.shapes[0] is not None:
        # A softmax over anything but the classes is no head (attention, say).
        rank = len(step.shapes[0])
        wanted = axis(step.outputs[0]) if rank == 4 else rank - 1
        if not isinstance(over, int) or over % rank != wanted:
            return None
    return name


def function_name(function: Any) -> str | None:
    """Return the name of an activation function or layer; ``"linear"`` for none."""
    if function is None:
        return "linear"
    return getattr(function, "__name__", None) or type(function).__name__.lower()


def _shape(graph: Graph, index: int) -> tuple[int | None, ...] | None:
    step = graph.producer(index)
    return None if step is None else step.shapes[step.outputs.index(index)]


def _classes(shape: tuple[int | None, ...] | None, axis: int) -> tuple[int | None, bool]:
    if shape is None:
        return None, False
    if len(shape) == 4:
        return shape[axis], True
    return shape[-1], len(shape) > 2


def bare(step: LayerCall, args: Any, kwargs: Any) -> Any:
    """Run a step without the activation function of its layer."""
    with without_activation(step.layer):
        return step.layer(*args, **kwargs)


def passed(_step: LayerCall, args: Any, kwargs: Any) -> Any:
    """Hand on what a step is given, instead of running it."""
    return args[0] if args else next(iter(kwargs.values()))
