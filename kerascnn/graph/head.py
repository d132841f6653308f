"""Where a model's class scores are: the logit behind a softmax or sigmoid, in any head.

All that depends on the kind of a head is here: how it is found, how its logits become class scores,
and how scores become probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kerascnn.errors import ModelError
from kerascnn.graph.activation import activation_name, skip, without_activation
from kerascnn.graph.live_types import Tensor
from kerascnn.graph.model_graph import Graph, LayerCall, Replace
from kerascnn.graph.receptive import Geometry

# Layers that only move numbers about, and so may stand between the softmax and the output.
_CARRIERS = frozenset({"Reshape", "Flatten", "Permute", "Dropout", "Identity"})
_ACTIVATIONS = ("softmax", "sigmoid")
_SYMBOLS = {"nn.softmax": "softmax", "math.sigmoid": "sigmoid"}  # TensorFlow's, as layers


@dataclass(frozen=True)
class Head:
    """What comes out of a model, and where its logit was found.

    Attributes:
        kind: ``"softmax"`` (classes exclude each other), ``"sigmoid"`` (each class by itself),
            ``"binary"`` (one sigmoid unit for two classes), ``"linear"`` (scores as they are) or
            ``"features"`` (maps, no classes: the channels of the last layer are the targets).
        layer: path of the layer that holds the logit.
        classes: how many logits there are; None where the model does not say.
        why: how the logit was found, in a sentence.
        channel_axis: the axis of the classes in an output of rank 4; in any other it is the last.
        replace: what is done instead of some calls so that logits come out.
    """

    kind: str
    layer: str
    classes: int | None
    why: str
    channel_axis: int
    replace: dict[LayerCall, Replace]

    @property
    def activation(self) -> str | None:
        """The function that turns logits into the model's outputs."""
        return {"softmax": "softmax", "sigmoid": "sigmoid", "binary": "sigmoid"}.get(self.kind)

    @property
    def score_count(self) -> int:
        """How many class scores there are: two for a single sigmoid unit.

        Raises:
            ModelError: the model does not say.
        """
        if self.classes is None:
            raise ModelError("the model does not say how many classes it has")
        return 2 if self.kind == "binary" else self.classes

    def scores(self, logits: Tensor) -> Tensor:
        """Turn the output's logits into N × classes scores, float32; maps into their means."""
        import tensorflow as tf

        logits = tf.cast(logits, tf.float32)
        rank = logits.shape.rank
        if rank and rank > 2:
            axis = self._class_axis(rank) % rank
            logits = tf.reduce_mean(logits, [a for a in range(1, rank) if a != axis])
        if self.kind == "binary":
            logits = tf.reshape(logits, (-1, 1))
            # The log-odds of either class: sigmoid gives the two probabilities.
            return tf.concat([-logits, logits], axis=1)
        return logits

    def outputs(self, logits: Tensor) -> Tensor:
        """Turn the output's logits into what the model itself gives, float32."""
        import tensorflow as tf

        logits = tf.cast(logits, tf.float32)
        if self.activation == "softmax":
            return tf.nn.softmax(logits, axis=self._class_axis(logits.shape.rank))
        return tf.sigmoid(logits) if self.activation == "sigmoid" else logits

    def probabilities(self, scores: np.ndarray) -> np.ndarray | None:
        """Turn scores into probabilities, as the model does; None where it gives none."""
        from scipy import special

        if self.activation == "softmax":
            return np.asarray(special.softmax(scores, axis=-1))
        return None if self.activation is None else np.asarray(special.expit(scores))

    def to_dict(self) -> dict[str, str | int | None]:
        """Return it for JSON."""
        return {"kind": self.kind, "layer": self.layer, "classes": self.classes, "why": self.why}

    def _class_axis(self, rank: int | None) -> int:
        return self.channel_axis if rank == 4 else -1


def find_head(graph: Graph, output: int, geometry: Geometry) -> Head:
    """Find the logit behind an output, given as its tensor's number."""
    axis = geometry.channel_axis(output)
    call = graph.producer(output)
    while call is not None and _carries(call) and len(call.inputs) == 1:
        call = graph.producer(call.inputs[0])
    if call is None:
        return Head("linear", "", None, "the output is the input itself", axis, {})
    shape = geometry.shapes[output]
    classes = None if shape is None else shape[axis if len(shape) == 4 else -1]
    name = _final_activation(call, geometry)
    if name is not None:
        kind = "binary" if name == "sigmoid" and classes == 1 else name
        if call.kind != "Activation" and activation_name(call.layer) in _ACTIVATIONS:
            why = f"{name} is the activation of {call.kind} {call.path!r}; taken off"
            return Head(kind, call.path, classes, why, axis, {call: without_activation})
        before = graph.producer(call.inputs[0])
        path = before.path if before else call.path
        why = f"{call.kind} {call.path!r} is the {name}; its input is the logit"
        return Head(kind, path, classes, why, axis, {call: skip})
    if shape is not None and len(shape) > 2:
        why = f"{call.kind} {call.path!r} gives maps, not classes; its channels are the targets"
        return Head("features", call.path, classes, why, axis, {})
    why = f"{call.kind} {call.path!r} has no softmax or sigmoid; its outputs are the scores"
    return Head("linear", call.path, classes, why, axis, {})


def _carries(call: LayerCall) -> bool:
    if call.kind in _CARRIERS:
        return True
    return call.kind == "Activation" and activation_name(call.layer) == "linear"


def _final_activation(call: LayerCall, geometry: Geometry) -> str | None:
    """Return ``"softmax"`` or ``"sigmoid"`` if the call ends in it over the classes."""
    name = _SYMBOLS.get(getattr(call.layer, "symbol", None) or "")
    over = getattr(call.layer, "axis", -1)
    if call.kind in ("Softmax", "Sigmoid"):
        name = call.kind.lower()
    elif name is None:
        name, over = activation_name(call.layer), -1
    if name not in _ACTIVATIONS:
        return None
    shape = call.shapes[0]
    if name == "softmax" and shape is not None:
        # A softmax over anything but the classes is no head (attention, say).
        rank = len(shape)
        wanted = geometry.channel_axis(call.outputs[0]) if rank == 4 else rank - 1
        if not isinstance(over, int) or over % rank != wanted:
            return None
    return name
