"""Which inputs of a layer each of its outputs takes, along one axis of the maps.

Places are whole numbers in rising order, counted from a map's first row or column; those below zero
and beyond the end are padding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from kerascnn.graph.activation import activation_name
from kerascnn.graph.live_types import KerasLayer
from kerascnn.graph.model_graph import LayerCall

# Layers that keep each place in its place, by class name in either family.
_ELEMENTWISE = frozenset().union(
    {"Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "ThresholdedReLU"},
    {"Relu", "Relu6", "Silu", "Swish", "Gelu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish"},
    {"Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianNoise", "GaussianDropout"},
    {"BatchNormalization", "Rescaling", "Normalization", "ActivityRegularization"},
    {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"},
    {"Negative", "Abs", "Identity", "Clip"},
)
# TensorFlow's functions that do so, as a Keras 2 model names them.
_ELEMENTWISE_SYMBOLS = frozenset().union(
    {"math.add", "math.subtract", "math.multiply", "math.divide", "math.truediv"},
    {"math.maximum", "math.minimum", "math.abs", "math.negative", "__operators__.add"},
    {"math.sigmoid", "math.tanh", "nn.relu", "nn.relu6", "nn.silu", "nn.gelu", "nn.elu"},
    {"cast", "identity", "clip_by_value", "concat"},
)
WINDOWED = frozenset(
    {"Conv2D", "DepthwiseConv2D", "SeparableConv2D", "MaxPooling2D", "AveragePooling2D"}
)
"""Class names of the layers whose window slides over the maps."""


@dataclass(frozen=True)
class Sliding:
    """How the inputs that an output takes move from one output to the next, along one axis.

    Output i takes inputs from i·stride − before to i·stride − before + reach − 1.

    Attributes:
        reach: how many inputs the window spans, its dilation included.
        stride: how far it moves from one output to the next; 0 where all take the same.
        before: how much padding lies before the first input.
        dilation: how far apart the inputs are that it takes.
    """

    reach: int = 1
    stride: int = 1
    before: int = 0
    dilation: int = 1

    def inputs(self, outputs: np.ndarray) -> np.ndarray:
        """Return the places of all inputs that any of some outputs takes, padding included."""
        if self.reach == 1 and self.stride:  # the usual case, and the quickest
            return np.asarray(outputs * self.stride - self.before)
        window = np.arange(0, self.reach, self.dilation)
        return np.unique(outputs[:, None] * self.stride - self.before + window)

    def after(self, earlier: Sliding) -> Sliding:
        """Return how this window slides over the inputs of the layer before."""
        return Sliding(
            earlier.reach + earlier.stride * (self.reach - 1),
            earlier.stride * self.stride,
            earlier.before + earlier.stride * self.before,
        )


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


Inputs: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""From outputs' places to the places of all inputs that any of them takes, padding included."""


def inputs_taken(call: LayerCall, axis: Axis) -> Inputs | None:
    """Return which inputs each output of a layer takes along one axis.

    None for a layer that is not known, or that mixes places in another way.
    """
    layer, kinds = call.layer, _kinds(call.layer)
    if _mixes_places(layer, axis):
        return None
    if "Conv2DTranspose" in kinds:
        return _transposed(layer, axis)
    if "UpSampling2D" in kinds:
        return _up_sampled(layer, axis.number)
    move = sliding(call, axis)
    return None if move is None else move.inputs


def sliding(call: LayerCall, axis: Axis) -> Sliding | None:
    """Return how the inputs that a layer's outputs take slide along one axis.

    None for a layer whose inputs do not slide evenly, or that is not known.
    """
    layer, kinds = call.layer, _kinds(call.layer)
    if _mixes_places(layer, axis):
        return None
    if "Conv2DTranspose" in kinds:  # to Keras 2 a kind of Conv2D
        return None
    if kinds & WINDOWED:
        return window(layer, axis.number, axis.before)
    if "ZeroPadding2D" in kinds:
        return Sliding(before=int(layer.padding[axis.number][0]))
    if "Cropping2D" in kinds:
        return Sliding(before=-int(layer.cropping[axis.number][0]))
    if _joins_in_space(call, kinds, axis):
        return None
    if not (is_elementwise(layer) or _is_on_channels(layer, kinds, axis)):
        return None
    if axis.before == 1 and axis.after != 1:  # one row or column for all: it is broadcast
        return None if axis.after is None else Sliding(stride=0)
    return Sliding()


def window(layer: KerasLayer, axis: int, length: int | None) -> Sliding:
    """Return how the window of a convolution or pooling layer slides along rows or columns.

    The length is how many inputs there are along that axis; None where unknown.
    """
    reach, stride, before = _reach(layer, axis), layer.strides[axis], 0
    if layer.padding == "same":
        # TensorFlow pads only as much as the last window needs, the odd pixel at the end.
        n = length if length is not None else stride
        before = max((-(-n // stride) - 1) * stride + reach - n, 0) // 2
    return Sliding(reach, stride, before, _dilation(layer, axis))


def is_elementwise(layer: KerasLayer) -> bool:
    """Return whether a layer on maps keeps each place in its place, judged by its kind."""
    symbol = getattr(layer, "symbol", None)  # a TensorFlow function in a Keras 2 model
    return bool(_kinds(layer) & _ELEMENTWISE) or symbol in _ELEMENTWISE_SYMBOLS


def _kinds(layer: KerasLayer) -> set[str]:
    return {base.__name__ for base in type(layer).__mro__}


def _dilation(layer: KerasLayer, axis: int) -> int:
    dilation = getattr(layer, "dilation_rate", 1)
    return int(dilation[axis] if isinstance(dilation, (tuple, list)) else dilation)


def _reach(layer: KerasLayer, axis: int) -> int:
    size = getattr(layer, "kernel_size", None) or layer.pool_size
    return int((size[axis] - 1) * _dilation(layer, axis) + 1)


def _transposed(layer: KerasLayer, axis: Axis) -> Inputs:
    reach, stride, cut = _reach(layer, axis.number), layer.strides[axis.number], 0
    if layer.padding == "same":
        # It undoes a convolution with padding "same", which pads by what the sizes ask for.
        spare = reach - stride
        if axis.before is not None and axis.after is not None:
            spare = (axis.before - 1) * stride + reach - axis.after
        cut = max(spare, 0) // 2
    reaches = np.arange(0, reach, _dilation(layer, axis.number))

    def back(places: np.ndarray) -> np.ndarray:
        # Input i reaches the outputs i·stride − cut + (a place in the window).
        reached = places[:, None] + cut - reaches
        return np.unique(reached[reached % stride == 0] // stride)

    return back


def _up_sampled(layer: KerasLayer, number: int) -> Inputs | None:
    factor, way = layer.size[number], getattr(layer, "interpolation", "nearest")
    if way == "nearest":
        return lambda places: np.unique(places // factor)
    neighbours = {"bilinear": (0, 1), "bicubic": (-1, 0, 1, 2)}.get(way)
    if neighbours is None:
        return None

    def back(places: np.ndarray) -> np.ndarray:
        # Centres of pixels are matched: output p lies at (p + ½) / factor − ½ of the input.
        doubled = 2 * places + 1 - factor
        left, between = doubled // (2 * factor), doubled % (2 * factor) != 0
        found = [left]
        found += [left[between] + n for n in neighbours if n]
        return np.unique(np.concatenate(found))

    return back


def _mixes_places(layer: KerasLayer, axis: Axis) -> bool:
    """Return whether an activation works along the maps: a softmax takes the last axis."""
    return axis.channels != 3 and "softmax" in activation_name(layer).lower()


def _joins_in_space(call: LayerCall, kinds: set[str], axis: Axis) -> bool:
    """Return whether a layer sets maps beside each other rather than behind each other."""
    if "Concatenate" in kinds:
        over = getattr(call.layer, "axis", -1)
    elif getattr(call.layer, "symbol", None) == "concat":
        over = call.kwargs.get("axis", call.args[1] if len(call.args) > 1 else None)
    else:
        return False
    return not isinstance(over, int) or over % 4 != axis.channels


def _is_on_channels(layer: KerasLayer, kinds: set[str], axis: Axis) -> bool:
    """Return whether a layer works on each place's channels alone, because of where those are."""
    if axis.channels != 3:
        return False
    if kinds & {"Dense", "LayerScale", "StochasticDepth"}:
        return True
    over = getattr(layer, "axis", None)
    over = over if isinstance(over, (list, tuple)) else [over]
    return bool(kinds & {"LayerNormalization", "Softmax"}) and list(over) in ([-1], [3])
