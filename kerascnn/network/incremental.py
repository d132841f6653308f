"""Exact scores of a picture with patches on it, computing only what each patch changes.

The plain picture is run once and every map kept. A patch changes a window of each map; for a batch
of positions the windows' surroundings are gathered out of the kept maps, the changed part pasted
in, and the layer run on that without its padding (Nakandala, Kumar and Papakonstantinou, SIGMOD
2019). From a layer on where that is not possible, or not worth it, whole maps are computed.

Nothing is compiled: a batch is a few hundred large operations, and each batch has windows of its
own size, which suit its positions.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from kerascnn.graph.layer_copy import copy_with
from kerascnn.graph.live_types import Tensor
from kerascnn.graph.model_graph import LayerCall, Replace
from kerascnn.network.incremental_plan import Context, Plan, Region, Task, make_plan, picture_region
from kerascnn.network.locality import Local, Sizes
from kerascnn.network.patches import Patches
from kerascnn.network.prepared_model import PreparedModel, ScoreSource


class IncrementalScores:
    """Scores patches by what they change, and keeps account of what was computed.

    Attributes:
        plain: the plain picture's scores, a batch of one.
        shapes: tensor number → shape, batch included.
        work: how many whole pictures' work was done.
    """

    def __init__(
        self, prepared: PreparedModel, patches: Patches, source: ScoreSource, channel: int
    ) -> None:
        self._prepared = prepared
        self._patches = patches
        self._source = source
        self._channel = channel
        self._wanted = prepared.source_index(source)
        self._calls = prepared.graph.between(prepared.port.index, self._wanted)
        self._maps = _PlainMaps(prepared, patches.image, source)
        self._reasons: dict[str, str] = {}
        self.work = 0.0
        self.shapes = self._maps.shapes
        self.plain = np.asarray(self._scored(self._maps.values[self._wanted]))

    @property
    def whole(self) -> dict[str, str]:
        """From which layers on whole maps were computed, and why, in the model's order."""
        found = {call.path: self._reasons.get(call.path) for call in self._calls}
        return {path: reason for path, reason in found.items() if reason}

    def plan(self, positions: np.ndarray) -> Plan:
        """Work out what some patches change."""
        prepared, (height, width, _) = self._prepared, self._patches.image.shape
        region = picture_region(self._patches.boxes[positions], (height, width))
        axis = prepared.geometry.channel_axis
        return make_plan(self._calls, prepared.port.index, region, self.shapes, axis)

    def rows(self, positions: np.ndarray) -> tuple[Tensor]:
        """Return the scores of some patches, a row each."""
        plan = self.plan(positions)
        batch = self._computed(plan, positions)
        if self._wanted in batch.whole:
            rows = self._scored(batch.whole[self._wanted])
        else:
            region = plan.regions[self._wanted]
            old = _cut(self._maps.values[self._wanted], region.start, region.size)
            rows = self._change(batch.windows[self._wanted], old) + self.plain
        self._reasons.update(plan.whole)
        self.work += len(positions) * plan.work / max(plan.full_work, 1.0)
        return (rows,)

    def _computed(self, plan: Plan, positions: np.ndarray) -> _Batch:
        import tensorflow as tf

        port, batch = self._prepared.port, _Batch(plan, self._maps)
        region, replaced = plan.regions[port.index], self._prepared.replaced(self._source)
        patches = self._patches.windows(positions, region.start, region.size)
        batch.windows[port.index] = tf.cast(patches, port.dtype)
        last = {index: n for n, task in enumerate(plan.tasks) for index in task.call.inputs}
        for number, task in enumerate(plan.tasks):
            batch.do(task, replaced.get(task.call))
            for index in task.call.inputs:
                if last[index] == number:
                    batch.windows.pop(index, None)
                    batch.whole.pop(index, None)
        return batch

    def _scored(self, value: Tensor) -> Tensor:
        """Turn the tensor that is scored into scores."""
        index = self._source.index
        if index is None:
            return self._prepared.head.scores(value)
        value = self._prepared.outward(index, value)
        return self._prepared.unit_score(value, self._source.whole, self._channel)

    def _change(self, new: Tensor, old: Tensor) -> Tensor:
        """Turn a window of the tensor that is scored into the change of the scores."""
        prepared, index = self._prepared, self._source.index
        if index is None:
            # Scores of maps are their means.
            shape = self.shapes[self._wanted]
            share = new.shape[1] * new.shape[2] / (shape[1] * shape[2])
            return (prepared.head.scores(new) - prepared.head.scores(old)) * share
        value = prepared.outward(index, new) - prepared.outward(index, old)
        return prepared.unit_score(value, self._source.whole, self._channel)


class _PlainMaps:
    """All maps of the picture without patches, each a batch of one."""

    def __init__(self, prepared: PreparedModel, image: np.ndarray, source: ScoreSource) -> None:
        import tensorflow as tf

        calls = prepared.graph.between(prepared.port.index, prepared.source_index(source))
        indices = sorted({i for call in calls for i in (*call.inputs, *call.outputs)})
        feed = prepared.feed(tf.constant(image[np.newaxis]))
        values = prepared.graph.run(feed, indices, prepared.replaced(source))
        self.values: dict[int, Tensor] = dict(zip(indices, values, strict=True))
        self.shapes: dict[int, Sizes] = {i: tuple(v.shape) for i, v in self.values.items()}
        self._padded: dict[tuple[int, object, float], Tensor] = {}

    def padded(self, context: Context, local: Local) -> Tensor:
        """Return a map with as much padding around it as a layer's windows reach into."""
        import tensorflow as tf

        value = self.values[context.source]
        if not any(map(any, context.pads)):
            return value
        key = (context.source, context.pads, local.pad)
        if key not in self._padded:
            pads, pad = ((0, 0), *context.pads, (0, 0)), tf.cast(local.pad, value.dtype)
            self._padded[key] = tf.pad(value, pads, constant_values=pad)
        return self._padded[key]


class _Batch:
    """One batch of positions on its way through the network."""

    def __init__(self, plan: Plan, maps: _PlainMaps) -> None:
        self.windows: dict[int, Tensor] = {}
        self.whole: dict[int, Tensor] = {}
        self._plan = plan
        self._maps = maps
        self._count = len(next(iter(plan.regions.values())).start)

    def do(self, task: Task, replace: Replace | None) -> None:
        """Compute a call on windows, or on whole maps."""
        call = task.call
        if task.local is None or task.region is None:
            given = {index: self._everywhere(index) for index in call.inputs}
            self.whole.update(zip(call.outputs, call.run(given, replace), strict=True))
            return
        given = {context.source: self._around(context, task.local) for context in task.contexts}
        if task.local.kind == "shift":
            (result,) = given.values()
        elif task.local.kind == "point":
            (result,) = call.run(given, replace)
        else:
            valid = copy_with(call.layer, padding="valid")
            (result,) = dataclasses.replace(call, layer=valid).run(given, replace)
            result = self._corrected(call, task.local, task.region, result)
        self.windows[call.outputs[0]] = result

    def _around(self, context: Context, local: Local) -> Tensor:
        own = self.windows[context.source]
        if context.same:
            return own
        around = self._maps.padded(context, local)
        return _cut(around, context.start, context.size, own, context.paste)

    def _everywhere(self, index: int) -> Tensor:
        """Return a tensor for all positions as whole maps."""
        import tensorflow as tf

        if index not in self.whole:
            kept = self._maps.values[index]
            if index not in self.windows:
                return tf.repeat(kept, self._count, axis=0)
            place = self._plan.regions[index].start
            size = self._maps.shapes[index][1:3]
            start = np.zeros_like(place)
            self.whole[index] = _cut(kept, start, size, self.windows[index], place)
        return self.whole[index]

    def _corrected(self, call: LayerCall, local: Local, region: Region, result: Tensor) -> Tensor:
        """Take the padding out of an average's count, as TensorFlow does."""
        if call.kind != "AveragePooling2D" or call.layer.padding != "same":
            return result
        factors = []
        for axis, length in enumerate(self._maps.shapes[call.inputs[0]][1:3]):
            places = region.start[:, axis, None] + np.arange(region.size[axis])
            left = places * local.stride[axis] - local.before[axis]
            right = left + local.reach[axis]
            factors.append(local.reach[axis] / (np.minimum(right, length) - np.maximum(left, 0)))
        factor = factors[0][:, :, None, None] * factors[1][:, None, :, None]
        return result * factor.astype(result.dtype.as_numpy_dtype)


def _cut(
    kept: Tensor,
    start: np.ndarray,
    size: Sequence[int],
    window: Tensor = None,
    paste: np.ndarray | None = None,
) -> Tensor:
    """Cut a rectangle for each position out of a map, each position's window laid over it.

    The map is 1×H×W×C. Each of B rectangles begins at `start` (B×2), each window (B×h×w×C) at
    `paste` (B×2) in its rectangle; what of a window lies outside is left away.
    """
    import tensorflow as tf

    high, wide, channels = kept.shape[1:]
    rows = start[:, 0, None] + np.arange(size[0])
    columns = start[:, 1, None] + np.arange(size[1])
    places = rows[:, :, None] * wide + columns[:, None, :]
    source = tf.reshape(kept, (-1, channels))
    if window is not None and paste is not None:
        # One gather out of both, map and windows, is quicker than two and a choice.
        count, height, width = window.shape[:3]
        rows = np.arange(size[0]) - paste[:, 0, None]
        columns = np.arange(size[1]) - paste[:, 1, None]
        inside = ((rows >= 0) & (rows < height))[:, :, None]
        inside = inside & ((columns >= 0) & (columns < width))[:, None, :]
        own = np.arange(count)[:, None, None] * (height * width) + high * wide
        own = own + rows[:, :, None] * width + columns[:, None, :]
        places = np.where(inside, own, places)
        source = tf.concat([source, tf.reshape(window, (-1, channels))], axis=0)
    return tf.gather(source, places.astype(np.int32))
