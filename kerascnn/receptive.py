"""Where a unit looks: channel axes and receptive fields, by interval arithmetic on the graph.

An interval of a layer's outputs is carried back, step by step and axis by axis, to the interval of
the picture that it depends on. Padding depends on nothing, so intervals are cut at each map's edge
and the result is exact; a layer that is not known counts as seeing everything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kerascnn.graph import Graph, Step

Interval = tuple[int, int]  # first and last, both included

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
class Field:
    """A receptive field: how many picture pixels a unit sees, and how far neighbours are apart.

    All are (height, width) in pixels of the picture.

    Attributes:
        size: of what one unit sees.
        stride: from one unit to the next.
        before: how far the field of unit i reaches before pixel i × stride (padding, mostly).
    """

    size: tuple[int, int]
    stride: tuple[int, int]
    before: tuple[int, int] = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Box:
    """A rectangle of the picture: rows top to bottom − 1, columns left to right − 1."""

    top: int
    left: int
    bottom: int
    right: int


class Geometry:
    """The channel axis of every tensor in a graph, and what of the picture each unit sees.

    Args:
        graph: the flattened model.
        index: the number of the picture's tensor.
        axis: the picture's channel axis, 1 or 3.
    """

    def __init__(self, graph: Graph, index: int, axis: int) -> None:
        self.graph = graph
        self.index = index
        self.shapes: dict[int, tuple[int | None, ...] | None] = {
            port.index: port.shape for port in graph.inputs
        }
        self.axes: dict[int, int] = {index: axis}
        self.warnings: list[str] = []
        convolved: set[int] = set()  # tensors whose channel axis a layer has settled
        for step in graph.steps:
            self.shapes.update(zip(step.outputs, step.shapes, strict=True))
            self._settle(step, convolved)

    def _settle(self, step: Step, convolved: set[int]) -> None:
        sources = [i for i in step.inputs if self._rank(i) == 4]
        results = [i for i in step.outputs if self._rank(i) == 4]
        declared = channel_axis(step.layer)
        if declared is None:
            axis = next((self.axes[i] for i in sources if i in self.axes), 3)
            if any(i in convolved for i in sources):
                convolved.update(results)
        else:
            axis = declared
            for source in sources:
                if source in convolved and self.axes[source] != declared:
                    self.warnings.append(self._surprise(step, source))
            convolved.update(results)
        self.axes.update((i, axis) for i in results)

    def _surprise(self, step: Step, source: int) -> str:
        before = self.graph.producer(source)
        verb = "pools" if "Pooling" in step.kind else "runs"
        return (
            f"{step.kind} {step.path!r} {verb} over the axis that "
            f"{before.kind if before else 'the input'} {before.path if before else ''!r} used for "
            f"channels: it takes {_shown(self.shapes[source])} as height, width, channels where "
            "channels come first (set the same data_format on every layer)"
        )

    def _rank(self, index: int) -> int | None:
        shape = self.shapes.get(index)
        return None if shape is None else len(shape)

    def field(self, index: int) -> Field | None:
        """Return the receptive field of a tensor's units; None where each sees everything."""
        # Two neighbours well inside an endless map tell size and stride.
        far = 1 << 20
        first = self._trace(index, ((far, far), (far, far)), clip=False)
        second = self._trace(index, ((far + 1, far + 1), (far + 1, far + 1)), clip=False)
        if first is None or second is None:
            return None
        (top, bottom), (left, right) = first
        (top2, _), (left2, _) = second
        stride = (top2 - top, left2 - left)
        before = (far * stride[0] - top, far * stride[1] - left)
        return Field((bottom - top + 1, right - left + 1), stride, before)

    def box(self, index: int, row: int, column: int, size: tuple[int, int]) -> Box:
        """Return the part of the picture that one unit of a tensor sees.

        Args:
            index: the tensor's number.
            row: the unit's row in its map.
            column: the unit's column.
            size: the picture's height and width.
        """
        found = self._trace(index, ((row, row), (column, column)), clip=True)
        (top, bottom), (left, right) = found or ((0, size[0] - 1), (0, size[1] - 1))
        return Box(
            max(top, 0), max(left, 0), min(bottom, size[0] - 1) + 1, min(right, size[1] - 1) + 1
        )

    def _trace(
        self, index: int, place: tuple[Interval, Interval], clip: bool
    ) -> tuple[Interval, Interval] | None:
        if index != self.index and self._rank(index) != 4:
            return None
        seen: dict[int, tuple[Interval, Interval] | None] = {index: place}
        for step in reversed(self.graph.steps):
            wanted = [seen[i] for i in step.outputs if i in seen]
            if not wanted:
                continue
            place_ = wanted[0]
            for source in step.inputs:
                back = None if place_ is None else self._back(step, source, place_, clip)
                if source in seen:
                    back = _union(seen[source], back)
                seen[source] = back
        return seen.get(self.index)

    def _back(
        self, step: Step, source: int, place: tuple[Interval, Interval], clip: bool
    ) -> tuple[Interval, Interval] | None:
        if self._rank(source) != 4 or source not in self.axes:
            return None
        if channel_axis(step.layer) not in (None, self.axes[source]):
            return None  # what it calls a place is a channel to the layer before
        maps = [_axis_map(step, axis, self._length(source, axis)) for axis in (0, 1)]
        if maps[0] is None or maps[1] is None:
            return None
        result = []
        for axis, back in enumerate(maps):
            first, last = back(*place[axis])  # type: ignore[misc]
            length = self._length(source, axis)
            if clip and length is not None:
                first, last = max(first, 0), min(last, length - 1)
            result.append((first, last))
        return result[0], result[1]

    def _length(self, index: int, axis: int) -> int | None:
        shape = self.shapes[index]
        return None if shape is None else shape[axis + (1 if self.axes[index] == 3 else 2)]


def channel_axis(layer: Any) -> int | None:
    """Return the channel axis (1 or 3) that a layer of rank 4 declares; None if it has no say."""
    declared = getattr(layer, "data_format", None)
    if declared == "channels_first":
        return 1
    return 3 if declared == "channels_last" else None


def _union(
    one: tuple[Interval, Interval] | None, other: tuple[Interval, Interval] | None
) -> tuple[Interval, Interval] | None:
    if one is None or other is None:
        return None
    rows = (min(one[0][0], other[0][0]), max(one[0][1], other[0][1]))
    return rows, (min(one[1][0], other[1][0]), max(one[1][1], other[1][1]))


Back = Callable[[int, int], Interval]


def _axis_map(step: Step, axis: int, length: int | None) -> Back | None:
    """Return what carries an interval of a step's outputs back to its inputs, on one axis."""
    layer = step.layer
    kinds = {base.__name__ for base in type(layer).__mro__}
    if kinds & {"Conv2DTranspose"}:
        return _transposed(layer, axis)
    if kinds & set(WINDOWED):
        return _windowed(layer, axis, length)
    if "ZeroPadding2D" in kinds:
        before = layer.padding[axis][0]
        return lambda a, b: (a - before, b - before)
    if "Cropping2D" in kinds:
        before = layer.cropping[axis][0]
        return lambda a, b: (a + before, b + before)
    if "UpSampling2D" in kinds:
        factor = layer.size[axis]
        reach = 0 if getattr(layer, "interpolation", "nearest") == "nearest" else 1
        return lambda a, b: (a // factor - reach, b // factor + reach)
    if is_elementwise(layer):
        return lambda a, b: (a, b)
    return None


@dataclass(frozen=True)
class Sliding:
    """How a layer's window slides along one axis.

    Output i sees the inputs i·stride − before … i·stride − before + reach − 1.

    Attributes:
        reach: how many inputs the window spans, its dilation included.
        stride: how far it moves from one output to the next.
        before: how much padding lies before the first input.
    """

    reach: int
    stride: int
    before: int


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
    return Sliding(reach, stride, before)


def is_elementwise(layer: Any) -> bool:
    """Return whether a layer on maps keeps each place in its place, as far as its kind tells."""
    kinds = {base.__name__ for base in type(layer).__mro__}
    symbol = getattr(layer, "symbol", None)  # a TensorFlow function in a Keras 2 model
    return bool(kinds & _ELEMENTWISE) or symbol in _ELEMENTWISE_SYMBOLS


def _windowed(layer: Any, axis: int, length: int | None) -> Back:
    move = sliding(layer, axis, length)
    return lambda a, b: (
        a * move.stride - move.before,
        b * move.stride - move.before + move.reach - 1,
    )


def _transposed(layer: Any, axis: int) -> Back:
    window, stride = layer.kernel_size[axis], layer.strides[axis]
    before = max(window - stride, 0) // 2 if layer.padding == "same" else 0
    # Input i reaches outputs i·stride − before … + window − 1.
    return lambda a, b: (-((window - 1 - a - before) // stride), (b + before) // stride)


def _shown(shape: tuple[int | None, ...] | None) -> str:
    return "×".join("?" if n is None else str(n) for n in (shape or ())[1:])
