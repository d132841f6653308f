"""Where a unit looks: channel axes and receptive fields, by arithmetic on the graph.

The places of a layer's outputs are carried back, step by step and axis by axis, to the places of
the picture that they depend on. Padding depends on nothing, so places are cut at each map's edge
and the result is exact; a layer that is not known counts as seeing everything.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kerascnn.graph.connectivity import (
    WINDOWED,
    Axis,
    Sliding,
    is_elementwise,
    length_after,
    sliding,
    straight,
    taps,
)
from kerascnn.graph.model_graph import Graph, LayerCall
from kerascnn.sizes import size_text

__all__ = [
    "WINDOWED",
    "Box",
    "Field",
    "Geometry",
    "Sliding",
    "channel_axis",
    "is_elementwise",
    "sliding",
]

Seen = np.ndarray | None
"""Places along one axis, in rising order; None for all."""

_NOTHING = np.empty(0, np.int64)
_FAR = 1 << 20  # a place well inside an endless map


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
    """A rectangle of the picture: rows top to bottom − 1, columns left to right − 1.

    It is empty (four zeros) for a unit that sees nothing but padding.
    """

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
        self._lengths: dict[tuple[int, int], dict[int, int | None]] = {}
        self._known: dict[tuple[int, int, int, tuple[int, int]], Seen] = {}
        convolved: set[int] = set()  # tensors whose channel axis a layer has settled
        for step in graph.steps:
            self.shapes.update(zip(step.outputs, step.shapes, strict=True))
            self._settle(step, convolved)

    def _settle(self, step: LayerCall, convolved: set[int]) -> None:
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

    def _surprise(self, step: LayerCall, source: int) -> str:
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
        sizes, strides, before = [], [], []
        for axis in (0, 1):
            even = self._evenly[axis].get(index)
            if even is not None:
                stride, first, last = even
                sizes.append(last - first + 1)
                strides.append(stride)
                before.append(-first)
                continue
            one, next_ = (self._trace(index, axis, _FAR + n, None) for n in (0, 1))
            if one is None or next_ is None or not len(one) or not len(next_):
                return None
            sizes.append(int(one[-1] - one[0]) + 1)
            strides.append(int(next_[0] - one[0]))
            before.append(_FAR * strides[-1] - int(one[0]))
        return Field((sizes[0], sizes[1]), (strides[0], strides[1]), (before[0], before[1]))

    def box(self, index: int, row: int, column: int, size: tuple[int, int]) -> Box:
        """Return the part of the picture that one unit of a tensor sees.

        Args:
            index: the tensor's number.
            row: the unit's row in its map.
            column: the unit's column.
            size: the picture's height and width.
        """
        ends = []
        for axis, place in enumerate((row, column)):
            key = (index, axis, place, size)
            if key not in self._known:
                self._known[key] = self._trace(index, axis, place, size)
            seen = self._known[key]
            if seen is None:
                ends.append((0, size[axis]))
            elif len(seen):
                ends.append((int(seen[0]), int(seen[-1]) + 1))
        if len(ends) < 2:
            return Box(0, 0, 0, 0)
        return Box(ends[0][0], ends[1][0], ends[0][1], ends[1][1])

    @functools.cached_property
    def _evenly(self) -> tuple[dict[int, tuple[int, int, int] | None], ...]:
        """Each axis' tensors: stride, first and last place seen by the unit at 0, forward.

        None for a tensor whose units can't be described so; what does not hang on the picture is
        left out.
        """
        found: list[dict[int, tuple[int, int, int] | None]] = []
        for axis in (0, 1):
            even: dict[int, tuple[int, int, int] | None] = {self.index: (1, 0, 0)}
            for step in self.graph.steps:
                sources = [i for i in step.inputs if i in even]
                if not sources:
                    continue
                joined = _joined([self._onward(step, i, axis, even[i]) for i in sources])
                even.update((output, joined) for output in step.outputs)
            found.append(even)
        return tuple(found)

    def _onward(
        self, step: LayerCall, source: int, axis: int, even: tuple[int, int, int] | None
    ) -> tuple[int, int, int] | None:
        if even is None or not self._is_map(step, source):
            return None
        move = straight(step, self._axis(step, source, axis, None))
        if move is None:
            return None
        return (even[0] * move[0], even[1] + even[0] * move[1], even[2] + even[0] * move[2])

    def _trace(self, index: int, axis: int, place: int, size: tuple[int, int] | None) -> Seen:
        """Return the picture's places that a unit sees; with no size, of an endless picture."""
        if index != self.index and self._rank(index) != 4:
            return None
        seen: dict[int, Seen] = {index: np.array([place], np.int64)}
        for step in reversed(self.graph.steps):
            wanted = [seen[i] for i in step.outputs if i in seen]
            if not wanted:
                continue
            places = functools.reduce(_union, wanted)
            for source in step.inputs:
                back = None if places is None else self._back(step, source, axis, places, size)
                seen[source] = _union(seen[source], back) if source in seen else back
        return seen.get(self.index, _NOTHING)

    def _back(
        self,
        step: LayerCall,
        source: int,
        axis: int,
        places: np.ndarray,
        size: tuple[int, int] | None,
    ) -> Seen:
        if not self._is_map(step, source):
            return None
        place = self._axis(step, source, axis, size)
        if size is None and place.before == 1 != place.after:
            return None  # broadcast: which unit of an endless map it was is lost
        back = taps(step, place)
        if back is None or not len(places):
            return None if back is None else _NOTHING
        found = back(places)
        if size is None:
            return found
        inside = found >= 0
        if place.before is not None:
            inside &= found < place.before
        return np.asarray(found[inside])

    def _is_map(self, step: LayerCall, source: int) -> bool:
        if self._rank(source) != 4 or source not in self.axes:
            return False
        # What the layer calls a place may be a channel to the one before.
        return channel_axis(step.layer) in (None, self.axes[source])

    def _axis(self, step: LayerCall, source: int, axis: int, size: tuple[int, int] | None) -> Axis:
        return Axis(
            axis,
            self.axes[source],
            self._length(source, axis, size),
            self._length(step.outputs[0], axis, size),
        )

    def _length(self, index: int, axis: int, size: tuple[int, int] | None) -> int | None:
        """Return how many places a tensor has along an axis, for a picture of a size."""
        shape = self.shapes.get(index)
        if shape is None or len(shape) != 4 or index not in self.axes:
            return None
        known = shape[axis + (1 if self.axes[index] == 3 else 2)]
        if known is not None or size is None:
            return known
        key = (axis, size[axis])
        if key not in self._lengths:
            self._lengths[key] = self._all_lengths(axis, size)
        return self._lengths[key].get(index)

    def _all_lengths(self, axis: int, size: tuple[int, int]) -> dict[int, int | None]:
        """Return every tensor's length for a picture of a size, where the model leaves it open."""
        lengths: dict[int, int | None] = {self.index: size[axis]}
        for step in self.graph.steps:
            found = [
                length_after(step, Axis(axis, self.axes[i], lengths[i], None))
                for i in step.inputs
                if i in lengths and i in self.axes
            ]
            # Maps of one row or column are broadcast to the others.
            longest = max((n for n in found if n is not None), default=None)
            for output in step.outputs:
                fixed = self._length(output, axis, None)
                lengths[output] = longest if fixed is None else fixed
        return lengths


def channel_axis(layer: Any) -> int | None:
    """Return the channel axis (1 or 3) that a layer of rank 4 declares; None if it has no say."""
    declared = getattr(layer, "data_format", None)
    if declared == "channels_first":
        return 1
    return 3 if declared == "channels_last" else None


def _union(one: Seen, other: Seen) -> Seen:
    return None if one is None or other is None else np.union1d(one, other)


def _joined(
    evens: list[tuple[int, int, int] | None],
) -> tuple[int, int, int] | None:
    """Return what units see that take several inputs, if these move alike."""
    known = [even for even in evens if even is not None]
    if len(known) < len(evens) or len({stride for stride, _, _ in known}) > 1:
        return None
    return known[0][0], min(first for _, first, _ in known), max(last for _, _, last in known)


def _shown(shape: tuple[int | None, ...] | None) -> str:
    return size_text((shape or ())[1:])
