"""Which inputs of a layer each of its outputs takes, along one axis of the maps.

Places are whole numbers in rising order, counted from a map's first row or column; those below zero
and beyond the end are padding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerascnn.graph.model_graph import LayerCall

# Rank-4 layers that keep each place in its place, by class name in either family.
_ELEMENTWISE = frozenset(
    [
        "Activation",
        "ReLU",
        "LeakyReLU",
        "PReLU",
        "ELU",
        "ThresholdedReLU",
        "Dropout",
        "SpatialDropout2D",
        "AlphaDropout",
        "GaussianNoise",
        "GaussianDropout",
        "ActivityRegularization",
        "BatchNormalization",
        "Rescaling",
        "Normalization",
        "Add",
        "Subtract",
        "Multiply",
        "Average",
        "Maximum",
        "Minimum",
        "Concatenate",
        "Relu",
        "Relu6",
        "Silu",
        "Swish",
        "Gelu",
        "Sigmoid",
        "Tanh",
        "HardSigmoid",
        "HardSwish",
        "Negative",
        "Abs",
        "Identity",
        "Clip",
    ]
)
_ELEMENTWISE_SYMBOLS = frozenset(
    [
        "math.add",
        "math.subtract",
        "math.multiply",
        "math.divide",
        "math.truediv",
        "math.maximum",
        "math.minimum",
        "math.sigmoid",
        "math.tanh",
        "math.abs",
        "math.negative",
        "nn.relu",
        "nn.relu6",
        "nn.silu",
        "nn.gelu",
        "nn.elu",
        "cast",
        "identity",
        "clip_by_value",
        "__operators__.add",
        "concat",
    ]
)
WINDOWED = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "MaxPooling2D", "AveragePooling2D")
"""Class names of the layers whose window slides over the maps; see `sliding`."""


@dataclass(frozen=True)
class Sliding:
    """How a layer's window slides along one axis.

    Output i sees the inputs i·stride − before … i·stride − before + reach − 1.

    Attributes:
        reach: how many inputs the window spans, its dilation included.
        stride: how far it moves from one output to the next.
        before: how much padding lies before the first input.
        dilation: how far apart the inputs are that it takes.
    """

    reach: int
    stride: int
    before: int
    dilation: int = 1


def sliding(layer: Any, axis: int, length: int | None) -> Sliding:
    """Return how a convolution or pooling layer slides.

    Args:
        layer: a live layer of one of the kinds with a window.
        axis: 0 for rows, 1 for columns.
        length: how many inputs there are along it; None where unknown.
    """
    window = getattr(layer, "kernel_size", None) or layer.pool_size
    dilation = getattr(layer, "dilation_rate", (1, 1))
    dilation = dilation if isinstance(dilation, (tuple, list)) else (dilation,) * 2
    stride = layer.strides[axis]
    reach = (window[axis] - 1) * dilation[axis] + 1
    before = 0
    if layer.padding == "same":
        # TensorFlow pads only as much as the last window needs, the odd pixel at the end.
        n = length if length is not None else stride
        before = max((-(-n // stride) - 1) * stride + reach - n, 0) // 2
    return Sliding(reach, stride, before, dilation[axis])


def is_elementwise(layer: Any) -> bool:
    """Return whether a layer on maps keeps each place in its place, as far as its kind tells."""
    kinds = {base.__name__ for base in type(layer).__mro__}
    symbol = getattr(layer, "symbol", None)  # a TensorFlow function in a Keras 2 model
    return bool(kinds & _ELEMENTWISE) or symbol in _ELEMENTWISE_SYMBOLS


Back = Callable[[np.ndarray], np.ndarray]
"""Outputs' places to the places of all inputs that any of them takes, padding included."""


@dataclass(frozen=True)
class Axis:
    """One axis of the maps at a layer.

    Attributes:
        number: 0 for rows, 1 for columns.
        channels: the channel axis of what goes in: 1 or 3.
        before: how many places the input has along it; None where unknown.
        after: how many the output has.
    """

    number: int
    channels: int
    before: int | None
    after: int | None


def taps(step: LayerCall, axis: Axis) -> Back | None:
    """Return which inputs each output of a layer takes along one axis.

    Args:
        step: the call of the layer.
        axis: which axis, and how long it is before and after.

    Returns:
        None for a layer that is not known, or that mixes places in another way.
    """
    layer = step.layer
    kinds = {base.__name__ for base in type(layer).__mro__}
    if _mixes_places(layer, axis):
        return None
    if "Conv2DTranspose" in kinds:
        return _transposed(layer, axis)
    if kinds & set(WINDOWED):
        move = sliding(layer, axis.number, axis.before)
        window = np.arange(0, move.reach, move.dilation)
        return lambda p: _united(p[:, None] * move.stride - move.before + window)
    if kinds & {"ZeroPadding2D", "Cropping2D"}:
        shift = _shift(layer, axis.number)
        return lambda p: p + shift
    if "UpSampling2D" in kinds:
        return _up_sampled(layer, axis.number)
    if _joins_in_space(step, kinds, axis):
        return None
    if is_elementwise(layer) or _on_channels(layer, kinds, axis):
        # One row or column for all: it is broadcast.
        if axis.before == 1 and axis.after != 1:
            return None if axis.after is None else np.zeros_like
        return lambda p: p
    return None


def straight(step: LayerCall, axis: Axis) -> tuple[int, int, int] | None:
    """Return how places move where they do so evenly.

    Returns:
        Stride, first and last: the output at p takes inputs from p·stride + first to
        p·stride + last. None where it is otherwise, or not known.
    """
    back = taps(step, axis)
    if back is None or {"Conv2DTranspose", "UpSampling2D"} & {
        base.__name__ for base in type(step.layer).__mro__
    }:
        return None
    zero, one = back(np.array([0])), back(np.array([1]))
    return int(one[0] - zero[0]), int(zero[0]), int(zero[-1])


def length_after(step: LayerCall, axis: Axis) -> int | None:
    """Return how many places a layer gives out along an axis; None where it can't be told."""
    layer, n = step.layer, axis.before
    kinds = {base.__name__ for base in type(layer).__mro__}
    if n is None:
        return None
    if "Conv2DTranspose" in kinds:
        window, stride = _reach(layer, axis.number), layer.strides[axis.number]
        if getattr(layer, "output_padding", None) is not None:
            return None
        return n * stride if layer.padding == "same" else n * stride + max(window - stride, 0)
    if kinds & set(WINDOWED):
        move = sliding(layer, axis.number, n)
        if layer.padding == "same":
            return -(-n // move.stride)
        return (n - move.reach) // move.stride + 1
    if "ZeroPadding2D" in kinds:
        return n + sum(layer.padding[axis.number])
    if "Cropping2D" in kinds:
        return n - sum(layer.cropping[axis.number])
    if "UpSampling2D" in kinds:
        return n * layer.size[axis.number]
    if is_elementwise(layer) or _on_channels(layer, kinds, axis):
        return n
    return None


def _united(places: np.ndarray) -> np.ndarray:
    return np.unique(places)


def _shift(layer: Any, number: int) -> int:
    padding = getattr(layer, "padding", None)
    return int(layer.cropping[number][0]) if padding is None else -int(padding[number][0])


def _reach(layer: Any, number: int) -> int:
    dilation = getattr(layer, "dilation_rate", 1)
    dilation = dilation if isinstance(dilation, (tuple, list)) else (dilation,) * 2
    return (layer.kernel_size[number] - 1) * int(dilation[number]) + 1


def _transposed(layer: Any, axis: Axis) -> Back:
    stride, reach = layer.strides[axis.number], _reach(layer, axis.number)
    step = max(1, (reach - 1) // max(layer.kernel_size[axis.number] - 1, 1))
    cut = 0
    if layer.padding == "same":
        # It undoes a convolution with padding "same", which pads by what the sizes ask for.
        spare = reach - stride
        if axis.before is not None and axis.after is not None:
            spare = (axis.before - 1) * stride + reach - axis.after
        cut = max(spare, 0) // 2
    window = np.arange(0, reach, step)

    def back(places: np.ndarray) -> np.ndarray:
        # Input i reaches the outputs i·stride − cut + (a place in the window).
        reached = places[:, None] + cut - window
        return _united(reached[reached % stride == 0] // stride)

    return back


def _up_sampled(layer: Any, number: int) -> Back | None:
    factor, way = layer.size[number], getattr(layer, "interpolation", "nearest")
    if way == "nearest":
        return lambda p: _united(p // factor)
    neighbours = {"bilinear": (0, 1), "bicubic": (-1, 0, 1, 2)}.get(way)
    if neighbours is None:
        return None

    def back(places: np.ndarray) -> np.ndarray:
        # Centres of pixels are matched: output p lies at (p + ½) / factor − ½ of the input.
        doubled = 2 * places + 1 - factor
        left, between = doubled // (2 * factor), doubled % (2 * factor) != 0
        found = [left]
        found += [left[between] + n for n in neighbours if n]
        return _united(np.concatenate(found))

    return back


def _mixes_places(layer: Any, axis: Axis) -> bool:
    """Tell whether an activation works along the maps: a softmax takes the last axis."""
    function = getattr(layer, "activation", None)
    name = getattr(function, "__name__", type(function).__name__).lower()
    return axis.channels != 3 and "softmax" in name


def _joins_in_space(step: LayerCall, kinds: set[str], axis: Axis) -> bool:
    """Tell whether a layer sets maps beside each other rather than behind each other."""
    if "Concatenate" in kinds:
        over = getattr(step.layer, "axis", -1)
    elif getattr(step.layer, "symbol", None) == "concat":
        over = step.kwargs.get("axis", step.args[1] if len(step.args) > 1 else None)
    else:
        return False
    return not isinstance(over, int) or over % 4 != axis.channels


def _on_channels(layer: Any, kinds: set[str], axis: Axis) -> bool:
    """Tell whether a layer works on each place's channels alone, because of where those are."""
    if axis.channels != 3:
        return False
    if "Dense" in kinds or "LayerScale" in kinds or "StochasticDepth" in kinds:
        return True
    over = getattr(layer, "axis", None)
    over = over if isinstance(over, (list, tuple)) else [over]
    return bool(kinds & {"LayerNormalization", "Softmax"}) and list(over) in ([-1], [3])
