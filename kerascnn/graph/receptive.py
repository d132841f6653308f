"""Where a unit looks: channel axes and receptive fields, by arithmetic on the graph.

The places of a layer's outputs are carried back, call by call and axis by axis, to the places of
the picture that they depend on. Padding depends on nothing, so places are cut at each map's edge
and the result is exact; a layer that is not known counts as seeing everything.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from kerascnn.graph.connectivity import Axis, Sliding, inputs_taken, sliding
from kerascnn.graph.layout import channel_axis
from kerascnn.graph.model_graph import Graph, LayerCall, Shape
from kerascnn.sizes import size_text

Seen: TypeAlias = np.ndarray | None
"""Places along one axis, in rising order; None for all."""

Size: TypeAlias = tuple[int, int]
"""A picture's height and width."""

Shapes: TypeAlias = Mapping[int, Shape | None]
"""Tensor number → its shape."""

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
        graph: the model's calls.
        index: the number of the picture's tensor.
        axis: the picture's channel axis, 1 or 3.
    """

    def __init__(self, graph: Graph, index: int, axis: int) -> None:
        self.graph = graph
        self.index = index
        self.shapes: dict[int, Shape | None] = {port.index: port.shape for port in graph.inputs}
        self.axes: dict[int, int] = {index: axis}
        self.warnings: list[str] = []
        self._known: dict[tuple[int, int, int, Size], Seen] = {}
        convolved: set[int] = set()  # tensors whose channel axis a layer has settled
        for call in graph.calls:
            self.shapes.update(zip(call.outputs, call.shapes, strict=True))
            self._settle(call, convolved)

    def _settle(self, call: LayerCall, convolved: set[int]) -> None:
        sources = [i for i in call.inputs if self._rank(i) == 4]
        results = [i for i in call.outputs if self._rank(i) == 4]
        declared = channel_axis(call.layer)
        before = [i for i in sources if i in convolved]
        if declared is not None or before:
            convolved.update(results)
        if declared is not None:
            wrong = [i for i in before if self.axes[i] != declared]
            self.warnings += [self._order_warning(call, i) for i in wrong]
        else:
            declared = next((self.axes[i] for i in sources if i in self.axes), 3)
        self.axes.update(dict.fromkeys(results, declared))

    def _order_warning(self, call: LayerCall, source: int) -> str:
        before, shape = self.graph.producer(source), self.shapes[source] or ()
        verb = "pools" if "Pooling" in call.kind else "runs"
        return (
            f"{call.kind} {call.path!r} {verb} over the axis that "
            f"{before.kind if before else 'the input'} {before.path if before else ''!r} used for "
            f"channels: it takes {size_text(shape[1:])} as height, width, channels where "
            "channels come first (set the same data_format on every layer)"
        )

    def channel_axis(self, index: int) -> int:
        """Return the channel axis of a tensor of rank 4; 3 where nothing is known of it."""
        return self.axes.get(index, 3)

    def _rank(self, index: int) -> int | None:
        shape = self.shapes.get(index)
        return None if shape is None else len(shape)

    def field(self, index: int) -> Field | None:
        """Return the receptive field of a tensor's units; None where each sees everything."""
        rows = self._move(index, 0)
        columns = None if rows is None else self._move(index, 1)
        if rows is None or columns is None:
            return None
        return Field(
            (rows.reach, columns.reach),
            (rows.stride, columns.stride),
            (rows.before, columns.before),
        )

    def box(self, index: int, row: int, column: int, size: Size, shapes: Shapes) -> Box:
        """Return the part of the picture that one unit of a tensor sees.

        Rows and columns are traced apart. At the picture's border, where one of several branches
        sees only padding, the box may therefore hold rows or columns that no branch sees there.

        Args:
            index: the tensor's number.
            row: the unit's row in its map.
            column: the unit's column.
            size: the picture's height and width.
            shapes: the tensors' shapes for such a picture.
        """
        ends = []
        for axis, place in enumerate((row, column)):
            key = (index, axis, place, size)
            if key not in self._known:
                self._known[key] = self._trace(index, axis, place, shapes)
            seen = self._known[key]
            if seen is None:
                ends.append((0, size[axis]))
            elif len(seen):
                ends.append((int(seen[0]), int(seen[-1]) + 1))
        if len(ends) < 2:
            return Box(0, 0, 0, 0)
        return Box(ends[0][0], ends[1][0], ends[0][1], ends[1][1])

    def _move(self, index: int, axis: int) -> Sliding | None:
        """Return how the field of a tensor's units slides over the picture along an axis."""
        if (even := self._even[axis].get(index)) is not None:
            return even
        one, following = (self._trace(index, axis, _FAR + n, None) for n in (0, 1))
        if one is None or following is None or not len(one) or not len(following):
            return None
        stride = int(following[0] - one[0])
        return Sliding(int(one[-1] - one[0]) + 1, stride, _FAR * stride - int(one[0]))

    @functools.cached_property
    def _even(self) -> tuple[dict[int, Sliding | None], ...]:
        """How each tensor's fields slide over the picture along each axis, worked out forward.

        None for a tensor whose fields do not slide evenly; a tensor that does not depend on the
        picture is left out.
        """
        found: list[dict[int, Sliding | None]] = []
        for axis in (0, 1):
            even: dict[int, Sliding | None] = {self.index: Sliding()}
            for call in self.graph.calls:
                sources = [i for i in call.inputs if i in even]
                if sources:
                    joined = _joined([self._onward(call, i, axis, even[i]) for i in sources])
                    even.update((output, joined) for output in call.outputs)
            found.append(even)
        return tuple(found)

    def _onward(
        self, call: LayerCall, source: int, axis: int, even: Sliding | None
    ) -> Sliding | None:
        if even is None or not self._is_map(call, source):
            return None
        move = sliding(call, self._axis(call, source, axis, None))
        return None if move is None else move.after(even)

    def _trace(self, index: int, axis: int, place: int, shapes: Shapes | None) -> Seen:
        """Return the picture's places that a unit sees; without shapes, of an endless picture."""
        if index != self.index and self._rank(index) != 4:
            return None
        seen: dict[int, Seen] = {index: np.array([place], np.int64)}
        for call in reversed(self.graph.calls):
            wanted = [seen[i] for i in call.outputs if i in seen]
            if not wanted:
                continue
            places = functools.reduce(_union, wanted)
            for source in call.inputs:
                back = None if places is None else self._back(call, source, axis, places, shapes)
                seen[source] = _union(seen[source], back) if source in seen else back
        return seen.get(self.index, _NOTHING)

    def _back(
        self, call: LayerCall, source: int, axis: int, places: np.ndarray, shapes: Shapes | None
    ) -> Seen:
        if not self._is_map(call, source):
            return None
        place = self._axis(call, source, axis, shapes)
        if shapes is None and place.before == 1 != place.after:
            return None  # broadcast: which unit of an endless map it was is lost
        back = inputs_taken(call, place)
        if back is None or not len(places):
            return None if back is None else _NOTHING
        found = back(places)
        if shapes is None:
            return found
        inside = found >= 0
        if place.before is not None:
            inside &= found < place.before
        return np.asarray(found[inside])

    def _is_map(self, call: LayerCall, source: int) -> bool:
        if self._rank(source) != 4 or source not in self.axes:
            return False
        # What the layer calls a place may be a channel to the one before.
        return channel_axis(call.layer) in (None, self.axes[source])

    def _axis(self, call: LayerCall, source: int, axis: int, shapes: Shapes | None) -> Axis:
        lengths = []
        for index in (source, call.outputs[0]):
            shape = (self.shapes if shapes is None else shapes).get(index)
            is_map = shape is not None and len(shape) == 4 and index in self.axes
            first = 1 if self.axes.get(index) == 3 else 2  # the axis of the rows
            lengths.append(shape[first + axis] if shape is not None and is_map else None)
        return Axis(axis, self.axes[source], *lengths)


def _union(one: Seen, other: Seen) -> Seen:
    return None if one is None or other is None else np.union1d(one, other)


def _joined(moves: list[Sliding | None]) -> Sliding | None:
    """Return how the fields of units slide that take several inputs, if these slide alike."""
    known = [move for move in moves if move is not None]
    if len(known) < len(moves) or len({move.stride for move in known}) > 1:
        return None
    before = max(move.before for move in known)
    last = max(move.reach - move.before for move in known)
    return Sliding(last + before, known[0].stride, before)
