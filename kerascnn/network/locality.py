"""Which layers can be computed on a window of their maps, exactly, and how.

A layer counts as local only where it is known to be: custom layers, attention, resizing, layer and
group normalization, squeeze-and-excitation all see more than a window.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from kerascnn.graph.activation import activation_name
from kerascnn.graph.connectivity import WINDOWED, Axis, Sliding, is_elementwise, sliding
from kerascnn.graph.layout import channel_axis
from kerascnn.graph.live_types import KerasLayer
from kerascnn.graph.model_graph import LayerCall

Sizes: TypeAlias = tuple[int, ...]
"""A tensor's sizes, the batch included, all known."""

Shapes: TypeAlias = Mapping[int, Sizes]
"""Tensor number → its sizes."""

ChannelAxis: TypeAlias = Callable[[int], int]
"""Tensor number → its channel axis where it has rank 4."""

_OWN = frozenset({"keras", "tf_keras", "tensorflow"})
_CHANNELS = (-1, 3)
# Activations that look at one place at a time (softmax at its channels).
_ACTIVATIONS = frozenset().union(
    {"linear", "relu", "relu6", "leaky_relu", "leakyrelu", "elu", "selu", "celu", "gelu"},
    {"silu", "swish", "mish", "hard_silu", "hard_swish", "softplus", "softsign", "exponential"},
    {"sigmoid", "hard_sigmoid", "tanh", "hard_tanh", "softmax", "log_softmax"},
)


@dataclass(frozen=True, eq=False)
class Local:
    """How a call is done on windows.

    Attributes:
        stride: how its window slides along the rows and along the columns, see `Sliding`.
        reach: the same.
        before: the same.
        kind: ``"slide"``: the layer itself, without its padding; ``"point"``: the layer itself;
            ``"shift"``: nothing to compute, places only get other numbers.
        pad: what its padding holds.
    """

    stride: np.ndarray
    reach: np.ndarray
    before: np.ndarray
    kind: str
    pad: float = 0.0


def local(rows: Sliding, columns: Sliding, kind: str, pad: float = 0.0) -> Local:
    """Return how a call is done on windows that slide so along the rows and the columns."""
    moves = np.array([(move.stride, move.reach, move.before) for move in (rows, columns)])
    stride, reach, before = moves.T
    return Local(stride, reach, before, kind, pad)


def locality(call: LayerCall, shapes: Shapes, axis: ChannelAxis) -> Local | str:
    """Return how a call can be done on windows, or why it can't."""
    layer, tensors = call.layer, (*call.inputs, *call.outputs)
    if any(len(shapes[index]) != 4 for index in tensors):
        return "it has inputs or outputs that are no maps"
    if len(call.outputs) != 1:
        return "it has several outputs"
    if any(axis(index) != 3 for index in tensors) or channel_axis(layer) == 1:
        return "channels come first"
    if type(layer).__module__.partition(".")[0] not in _OWN:
        return "it is a custom layer"
    if call.kwargs.get("training"):
        return "it runs as in training"
    if not _is_local_activation(layer):
        return f"its activation {activation_name(layer)!r} is not known"
    if call.kind in WINDOWED:
        if layer.padding not in ("same", "valid"):
            return f"its padding {layer.padding!r} is not known"
        return _sliding(call, shapes, "slide", -np.inf if call.kind == "MaxPooling2D" else 0.0)
    if call.kind in ("ZeroPadding2D", "Cropping2D"):
        return _sliding(call, shapes, "shift")
    if is_elementwise(layer) or call.kind == "Softmax":
        return _why_not_in_place(call, shapes) or local(Sliding(), Sliding(), "point")
    return "its kind is not known to be local"


def _sliding(call: LayerCall, shapes: Shapes, kind: str, pad: float = 0.0) -> Local | str:
    before, after = shapes[call.inputs[0]], shapes[call.outputs[0]]
    rows, columns = (sliding(call, Axis(n, 3, before[n + 1], after[n + 1])) for n in (0, 1))
    if rows is None or columns is None:
        return "its window does not slide evenly"
    return local(rows, columns, kind, pad)


def _why_not_in_place(call: LayerCall, shapes: Shapes) -> str | None:
    """Return why a layer does not keep each place in its place; None where it does."""
    if len({shapes[index][1:3] for index in (*call.inputs, *call.outputs)}) > 1:
        return "its inputs differ in size"
    for name in ("axis", "mean", "scale", "offset", "alpha"):
        if not _is_per_channel(name, getattr(call.layer, name, None)):
            return f"its {name} goes over places"
    if not _is_per_channel("axis", call.kwargs.get("axis")):
        return "its axis goes over places"
    for value in (*call.args, *call.kwargs.values()):
        # Constants among the arguments: a map of them belongs to its place.
        if hasattr(value, "shape") and len(value.shape) > 1:
            return "it has a map of constants"
    return None


def _is_per_channel(name: str, value: object) -> bool:
    if value is None or isinstance(value, (str, bool)):
        return True
    if name == "axis":
        axes = list(value) if isinstance(value, (list, tuple)) else [value]
        return all(axis in _CHANNELS for axis in axes)
    shape = value.shape if hasattr(value, "shape") else np.asarray(value).shape
    return all(int(n) == 1 for n in shape[:-1])


def _is_local_activation(layer: KerasLayer) -> bool:
    function = getattr(layer, "activation", None)
    if function is None:
        return True
    module = getattr(function, "__module__", None) or type(function).__module__
    return activation_name(layer) in _ACTIVATIONS and module.partition(".")[0] in _OWN
