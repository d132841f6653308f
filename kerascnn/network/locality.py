"""Which layers can be computed on a window of their maps, exactly, and how.

What is not known to be local is not: a layer of somebody's own, attention, resizing, layer and
group normalization, squeeze-and-excitation all see more than a window.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerascnn.graph.head import function_name
from kerascnn.graph.model_graph import LayerCall
from kerascnn.graph.receptive import WINDOWED, Sliding, channel_axis, is_elementwise, sliding

Shape = tuple[int, ...]

_OWN = frozenset({"keras", "tf_keras", "tensorflow"})
_CHANNELS = (-1, 3)
# Activations that look at one place at a time (softmax at its channels).
_ACTIVATIONS = frozenset(
    [
        "linear",
        "relu",
        "relu6",
        "leaky_relu",
        "leakyrelu",
        "elu",
        "selu",
        "celu",
        "gelu",
        "silu",
        "swish",
        "mish",
        "sigmoid",
        "hard_sigmoid",
        "hard_silu",
        "hard_swish",
        "tanh",
        "hard_tanh",
        "softplus",
        "softsign",
        "exponential",
        "softmax",
        "log_softmax",
    ]
)


@dataclass(frozen=True)
class Local:
    """A step that can be computed on windows.

    Attributes:
        rows: how its window slides along the rows; reach 1 and stride 1 for what stays in place.
        columns: the same along the columns.
        kind: ``"slide"``: the layer itself, without its padding; ``"point"``: the layer itself;
            ``"shift"``: nothing to compute, places only get other numbers.
        pad: what its padding holds.
    """

    rows: Sliding
    columns: Sliding
    kind: str
    pad: float = 0.0


_HERE = Sliding(1, 1, 0)


def locality(
    step: LayerCall, shapes: Mapping[int, Shape], axis: Callable[[int], int]
) -> Local | str:
    """Return how a step can be done on windows, or why it can't.

    Args:
        step: the call.
        shapes: tensor number → its shape, batch included.
        axis: tensor number → its channel axis where it has rank 4.
    """
    if any(len(shapes[index]) != 4 for index in (*step.inputs, *step.outputs)):
        return "it has inputs or outputs that are no maps"
    if len(step.outputs) != 1:
        return "it has several outputs"
    if any(axis(index) != 3 for index in (*step.inputs, *step.outputs)):
        return "channels come first"
    if channel_axis(step.layer) == 1:
        return "channels come first"
    layer = step.layer
    if type(layer).__module__.partition(".")[0] not in _OWN:
        return "it is a layer of somebody's own"
    if step.kwargs.get("training"):
        return "it runs as in training"
    if not _is_local_activation(layer):
        return f"its activation {function_name(layer.activation)!r} is not known"
    if step.kind in WINDOWED:
        return _sliding(step, shapes[step.inputs[0]])
    if step.kind in ("ZeroPadding2D", "Cropping2D"):
        sign = 1 if step.kind == "ZeroPadding2D" else -1
        sizes = layer.padding if sign == 1 else layer.cropping
        rows, columns = (Sliding(1, 1, sign * int(size[0])) for size in sizes)
        return Local(rows, columns, "shift")
    if is_elementwise(layer) or step.kind == "Softmax":
        return _in_place(step, shapes)
    return "its kind is not known to be local"


def _sliding(step: LayerCall, shape: Shape) -> Local | str:
    if step.layer.padding not in ("same", "valid"):
        return f"its padding {step.layer.padding!r} is not known"
    rows, columns = (sliding(step.layer, axis, shape[axis + 1]) for axis in (0, 1))
    return Local(rows, columns, "slide", -np.inf if step.kind == "MaxPooling2D" else 0.0)


def _in_place(step: LayerCall, shapes: Mapping[int, Shape]) -> Local | str:
    places = {shapes[index][1:3] for index in (*step.inputs, *step.outputs)}
    if len(places) > 1:
        return "its inputs differ in size"
    layer = step.layer
    for name in ("axis", "mean", "scale", "offset", "alpha"):
        if not _is_per_channel(name, getattr(layer, name, None)):
            return f"its {name} goes over places"
    if not _is_per_channel("axis", step.kwargs.get("axis")):
        return "its axis goes over places"
    for value in (*step.args, *step.kwargs.values()):
        # Constants among the arguments: a map of them belongs to its place.
        if hasattr(value, "shape") and len(value.shape) > 1:
            return "it has a map of constants"
    return Local(_HERE, _HERE, "point")


def _is_per_channel(name: str, value: Any) -> bool:
    if value is None or isinstance(value, (str, bool)):
        return True
    if name == "axis":
        axes = [value] if isinstance(value, int) else list(value)
        return all(axis in _CHANNELS for axis in axes)
    shape = tuple(getattr(value, "shape", np.shape(value)))
    return all(int(n) == 1 for n in shape[:-1])


def _is_local_activation(layer: Any) -> bool:
    function = getattr(layer, "activation", None)
    if function is None:
        return True
    module = getattr(function, "__module__", None) or type(function).__module__
    return function_name(function) in _ACTIVATIONS and module.partition(".")[0] in _OWN
