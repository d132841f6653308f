"""Exact scores of a picture with patches on it, computing only what each patch changes.

The plain picture is run once and every map kept. A patch changes a window of each map; for a batch
of positions the windows' surroundings are gathered out of the kept maps, the changed part pasted
in, and the layer run on that without its padding (Nakandala, Kumar and Papakonstantinou, SIGMOD
2019). From a layer on where that is not possible, or not worth it, whole maps are computed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerascnn.graph import Step
from kerascnn.locality import Local
from kerascnn.patchplan import Context, Plan, Task, make_plan, picture_region
from kerascnn.prepared import Prepared

_KEPT_FUNCTIONS = 8


@dataclass(frozen=True, eq=False)
class Base:
    """A plain picture with all its maps.

    Attributes:
        values: tensor number → its value for the picture, a batch of one.
        shapes: tensor number → shape, batch included.
    """

    values: dict[int, Any]
    shapes: dict[int, tuple[int, ...]]


class Incremental:
    """Computes what patches change.

    Args:
        prepared: the model.
    """

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._compiled: dict[Any, Any] = {}

    def plan(self, image: np.ndarray, boxes: np.ndarray, wanted: int) -> tuple[Plan, Base]:
        """Run the plain picture, and work out what patches change.

        Args:
            image: H×W×C in the model's values.
            boxes: P×4: top, left, bottom, right.
            wanted: the tensor that is asked for.
        """
        import tensorflow as tf

        prepared = self._prepared
        steps = prepared.graph.between(prepared.port.index, wanted)
        source = prepared.port.index
        indices = sorted({i for step in steps for i in (*step.inputs, *step.outputs)} | {source})
        logits = wanted == prepared.output.index
        values = prepared.inner(tf.constant(image[np.newaxis]), indices, logits=logits)
        base = Base(
            dict(zip(indices, values, strict=True)),
            {i: tuple(value.shape) for i, value in zip(indices, values, strict=True)},
        )
        region = picture_region(boxes, image.shape[:2])
        return make_plan(steps, source, region, base.shapes, prepared.channel_axis), base

    def function(
        self, plan: Plan, base: Base, wanted: int, finish: Callable[[Any, Any], Any], key: Any
    ) -> Callable[[np.ndarray, np.ndarray], tuple[Any]]:
        """Return patches, positions → what is asked for.

        Args:
            plan: how it is computed.
            base: the plain picture's maps.
            wanted: the tensor that is asked for.
            finish: turns it into rows of numbers: called with the whole tensor and None, or with
                its window and the plain picture's values there.
            key: tells ``finish`` from others.
        """
        offsets = _Offsets(plan)
        signature = (key, wanted, base.shapes[self._prepared.port.index], offsets.signature)
        if signature not in self._compiled:
            while len(self._compiled) >= _KEPT_FUNCTIONS:
                del self._compiled[next(iter(self._compiled))]
            self._compiled[signature] = self._compile(plan, base, wanted, finish, offsets)
        compiled = self._compiled[signature]
        maps = _kept_maps(plan, base, wanted)

        def run(patches: np.ndarray, positions: np.ndarray) -> tuple[Any]:
            return (compiled(maps, patches, offsets.table[positions]),)

        return run

    def _compile(
        self,
        plan: Plan,
        base: Base,
        wanted: int,
        finish: Callable[[Any, Any], Any],
        offsets: _Offsets,
    ) -> Any:
        import tensorflow as tf

        prepared = self._prepared
        source = prepared.port.index
        logits = wanted == prepared.output.index
        replace = prepared.head.replace if logits else {}
        # Only the structure is used inside: starts come as a tensor, maps as arguments.
        shapes, names = base.shapes, offsets.columns

        kept = {
            name: tf.TensorSpec(value.shape, value.dtype)
            for name, value in _kept_maps(plan, base, wanted).items()
        }
        patch = (None, *plan.regions[source].size, base.shapes[source][3])
        signature = [
            kept,
            tf.TensorSpec(patch, tf.float32),
            tf.TensorSpec((None, offsets.table.shape[1]), tf.int32),
        ]

        @tf.function(input_signature=signature)
        def run(maps: Mapping[str, Any], patches: Any, table: Any) -> Any:
            def at(name: str) -> Any:
                column = names[name]
                return table[:, column : column + 2]

            run_ = _Run(plan, shapes, maps, at, tf.shape(table)[0])
            run_.windows[source] = tf.cast(patches, prepared.port.dtype)
            for number, task in enumerate(plan.tasks):
                run_.do(number, task, replace.get(task.step))
            if wanted in run_.windows:
                region = plan.regions[wanted]
                old = _gather(maps[f"{wanted}"], at(f"{wanted}"), region.size)
                return finish(run_.windows[wanted], old)
            return finish(run_.whole[wanted], None)

        return run


class _Offsets:
    """All starts of a plan as one table, P × columns, and the plan's structure without them."""

    def __init__(self, plan: Plan) -> None:
        self.columns: dict[str, int] = {}
        parts: list[np.ndarray] = []
        structure: list[Any] = []

        def add(name: str, values: np.ndarray) -> None:
            self.columns[name] = 2 * len(parts)
            parts.append(values)

        for index, region in plan.regions.items():
            add(f"{index}", region.start)
            structure.append((index, region.size))
        for number, task in enumerate(plan.tasks):
            structure.append((task.step.path, task.local))
            for place, context in enumerate(task.contexts):
                add(f"{number}.{place}", context.start)
                add(f"{number}.{place}p", context.paste)
                structure.append((context.source, context.size, context.pads, context.same))
        self.table = np.concatenate(parts, axis=1).astype(np.int32)
        self.signature = tuple(structure)


def _kept_maps(plan: Plan, base: Base, wanted: int) -> dict[str, Any]:
    """Return the plain picture's maps that are gathered from, padded as their users need them."""
    import tensorflow as tf

    maps: dict[str, Any] = {}
    for task in plan.tasks:
        for context in task.contexts:
            assert task.local is not None
            name = _map_name(context, task.local)
            if context.same or name in maps:
                continue
            value = base.values[context.source]
            if any(sum(pads) for pads in context.pads):
                pads = ((0, 0), *context.pads, (0, 0))
                value = tf.pad(value, pads, constant_values=tf.cast(task.local.pad, value.dtype))
            maps[name] = value
        if task.local is None:
            for index in task.step.inputs:
                if index in plan.regions or not _is_computed(plan, index):
                    maps[f"{index}"] = base.values[index]
    if wanted in plan.regions:
        maps[f"{wanted}"] = base.values[wanted]
    return maps


def _map_name(context: Context, local: Local) -> str:
    return f"{context.source} {context.pads} {local.pad if np.any(context.pads) else ''}"


def _is_computed(plan: Plan, index: int) -> bool:
    return index in plan.regions or any(index in task.step.outputs for task in plan.tasks)


class _Run:
    """One batch of positions on its way through the network, while it is traced."""

    def __init__(
        self,
        plan: Plan,
        shapes: Mapping[int, tuple[int, ...]],
        maps: Mapping[str, Any],
        at: Callable[[str], Any],
        count: Any,
    ) -> None:
        self.windows: dict[int, Any] = {}
        self.whole: dict[int, Any] = {}
        self._plan = plan
        self._shapes = shapes
        self._maps = maps
        self._at = at
        self._count = count

    def do(self, number: int, task: Task, replaced: Any) -> None:
        step = task.step
        if task.local is None:
            given = {index: self._everywhere(index) for index in step.inputs}
            results = _call(step, given, replaced)
            self.whole.update(zip(step.outputs, results, strict=True))
            return
        given = {
            context.source: self._around(number, place, context, task.local)
            for place, context in enumerate(task.contexts)
        }
        if task.local.kind == "shift":
            (result,) = given.values()
        elif task.local.kind == "point":
            (result,) = _call(step, given, replaced)
        else:
            with _without_padding(step.layer):
                (result,) = _call(step, given, replaced)
            result = self._corrected(task, result)
        region = task.region
        assert region is not None
        channels = self._shapes[step.outputs[0]][3]
        result.set_shape((None, *region.size, channels))
        self.windows[step.outputs[0]] = result

    def _around(self, number: int, place: int, context: Context, local: Local) -> Any:
        window = self.windows[context.source]
        if context.same:
            return window
        kept = self._maps[_map_name(context, local)]
        name = f"{number}.{place}"
        return _gather(kept, self._at(name), context.size, window, self._at(f"{name}p"))

    def _everywhere(self, index: int) -> Any:
        """Return a tensor for all positions as whole maps."""
        import tensorflow as tf

        if index in self.whole:
            return self.whole[index]
        kept = self._maps[f"{index}"]
        if index not in self.windows:
            return tf.repeat(kept, self._count, axis=0)
        size = self._shapes[index][1:3]
        start = tf.zeros((self._count, 2), tf.int32)
        value = _gather(kept, start, size, self.windows[index], self._at(f"{index}"))
        self.whole[index] = value
        return value

    def _corrected(self, task: Task, result: Any) -> Any:
        """Take the padding out of an average's count, as TensorFlow does."""
        import tensorflow as tf

        layer, local, region = task.step.layer, task.local, task.region
        if task.step.kind != "AveragePooling2D" or layer.padding != "same":
            return result
        assert local is not None and region is not None
        starts = self._at(f"{task.step.outputs[0]}")
        for axis, move in enumerate((local.rows, local.columns)):
            length = self._shapes[task.step.inputs[0]][axis + 1]
            count = self._shapes[task.step.outputs[0]][axis + 1]
            left = np.arange(count) * move.stride - move.before
            inside = np.minimum(left + move.reach, length) - np.maximum(left, 0)
            factor = tf.constant(move.reach / inside, result.dtype)
            places = starts[:, axis, None] + tf.range(region.size[axis])
            shape = (-1, region.size[0], 1, 1) if axis == 0 else (-1, 1, region.size[1], 1)
            result = result * tf.reshape(tf.gather(factor, places), shape)
        return result


def _call(step: Step, given: Mapping[int, Any], replaced: Any) -> list[Any]:
    args, kwargs = step.bound(given)
    result = replaced(step, args, kwargs) if replaced else step.layer(*args, **kwargs)
    return list(result) if isinstance(result, (list, tuple)) else [result]


@contextlib.contextmanager
def _without_padding(layer: Any) -> Iterator[None]:
    padding = layer.padding
    layer.padding = "valid"
    try:
        yield
    finally:
        layer.padding = padding


def _gather(
    kept: Any, start: Any, size: Sequence[int], window: Any = None, paste: Any = None
) -> Any:
    """Cut a rectangle for each position out of a map, and paste each position's window over it.

    Args:
        kept: 1×H×W×C.
        start: B×2, where each rectangle begins.
        size: its height and width.
        window: B×h×w×C, or None.
        paste: B×2, where the window begins in the rectangle; what lies outside is left away.
    """
    import tensorflow as tf

    height, width = size
    width_kept, channels = kept.shape[2], kept.shape[3]
    rows = start[:, 0, None] + tf.range(height)
    columns = start[:, 1, None] + tf.range(width)
    places = tf.reshape(rows[:, :, None] * width_kept + columns[:, None, :], (-1,))
    flat = tf.reshape(kept, (-1, channels))
    if window is None:
        return tf.reshape(tf.gather(flat, places), (-1, height, width, channels))
    # One more row at the end takes what lies outside.
    cut = tf.gather(flat, tf.concat([places, [0]], axis=0))
    outside = tf.shape(places)[0]
    rows = paste[:, 0, None] + tf.range(window.shape[1])
    columns = paste[:, 1, None] + tf.range(window.shape[2])
    item = tf.range(tf.shape(start)[0])[:, None, None] * (height * width)
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[
        :, None, :
    ]
    target = item + rows[:, :, None] * width + columns[:, None, :]
    target = tf.where(inside, target, outside)
    pasted = tf.tensor_scatter_nd_update(
        cut, tf.reshape(target, (-1, 1)), tf.reshape(window, (-1, channels))
    )
    return tf.reshape(pasted[:-1], (-1, height, width, channels))
