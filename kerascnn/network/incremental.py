"""Exact scores of a picture with patches on it, computing only what each patch changes.

The plain picture is run once and every map kept. A patch changes a window of each map; for a batch
of positions the windows' surroundings are gathered out of the kept maps, the changed part pasted
in, and the layer run on that without its padding (Nakandala, Kumar and Papakonstantinou, SIGMOD
2019). From a layer on where that is not possible, or not worth it, whole maps are computed.

Nothing is compiled: a batch is a few hundred large operations, and each batch has windows of its
own size, which suit its positions.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kerascnn.graph.model_graph import LayerCall
from kerascnn.network.incremental_plan import Context, Plan, Region, Task, make_plan
from kerascnn.network.locality import Local
from kerascnn.network.prepared_model import Prepared


@dataclass(frozen=True, eq=False)
class Base:
    """A plain picture with all its maps.

    Attributes:
        wanted: the tensor that is asked for.
        steps: the steps from the picture to it.
        values: tensor number → its value for the picture, a batch of one.
        shapes: tensor number → shape, batch included.
        padded: the same maps with padding around them, as they are needed.
    """

    wanted: int
    steps: tuple[LayerCall, ...]
    values: dict[int, Any]
    shapes: dict[int, tuple[int, ...]]
    padded: dict[Any, Any] = field(default_factory=dict)


class Incremental:
    """Computes what patches change.

    Args:
        prepared: the model.
    """

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared

    def base(self, image: np.ndarray, wanted: int, logits: bool) -> Base:
        """Run the plain picture.

        Args:
            image: H×W×C in the model's values.
            wanted: the tensor that is asked for.
            logits: whether the head's activation is left out.
        """
        import tensorflow as tf

        prepared = self._prepared
        steps = prepared.graph.between(prepared.port.index, wanted)
        indices = sorted({i for step in steps for i in (*step.inputs, *step.outputs)})
        values = prepared.inner(tf.constant(image[np.newaxis]), indices, logits=logits)
        shapes = {i: tuple(value.shape) for i, value in zip(indices, values, strict=True)}
        return Base(wanted, tuple(steps), dict(zip(indices, values, strict=True)), shapes)

    def plan(self, base: Base, region: Region) -> Plan:
        """Work out what changes.

        Args:
            base: the plain picture.
            region: what changes in it.
        """
        return make_plan(
            base.steps,
            self._prepared.port.index,
            region,
            base.shapes,
            self._prepared.channel_axis,
        )

    def run(
        self, plan: Plan, base: Base, patches: np.ndarray, logits: bool
    ) -> tuple[Any, Any | None]:
        """Compute what a batch of patches changes.

        Args:
            plan: what changes, for these very positions.
            base: the plain picture.
            patches: B×h×w×C, the windows of the picture with the patches in them.
            logits: whether the head's activation is left out.

        Returns:
            The tensor asked for, whole, and None; or the window of it that changes, and the plain
            picture's values there.
        """
        import tensorflow as tf

        port = self._prepared.port
        run = _Run(plan, base)
        run.windows[port.index] = tf.cast(patches, port.dtype)
        replace = self._prepared.head.replace if logits else {}
        last = {index: n for n, task in enumerate(plan.tasks) for index in task.step.inputs}
        for number, task in enumerate(plan.tasks):
            run.do(task, replace.get(task.step))
            for index in task.step.inputs:
                if last[index] == number:
                    run.windows.pop(index, None)
                    run.whole.pop(index, None)
        if base.wanted in run.whole:
            return run.whole[base.wanted], None
        region = plan.regions[base.wanted]
        old = _cut(base.values[base.wanted], region.start, region.size)
        return run.windows[base.wanted], old


class _Run:
    """One batch of positions on its way through the network."""

    def __init__(self, plan: Plan, base: Base) -> None:
        self.windows: dict[int, Any] = {}
        self.whole: dict[int, Any] = {}
        self._plan = plan
        self._base = base
        self._count = len(next(iter(plan.regions.values())).start)

    def do(self, task: Task, replaced: Any) -> None:
        step = task.step
        if task.local is None or task.region is None:  # whole maps
            given = {index: self._everywhere(index) for index in step.inputs}
            self.whole.update(zip(step.outputs, _call(step, given, replaced), strict=True))
            return
        given = {context.source: self._around(context, task.local) for context in task.contexts}
        if task.local.kind == "shift":
            (result,) = given.values()
        elif task.local.kind == "point":
            (result,) = _call(step, given, replaced)
        else:
            with _without_padding(step.layer):
                (result,) = _call(step, given, replaced)
            result = self._corrected(step, task.local, task.region, result)
        self.windows[step.outputs[0]] = result

    def _around(self, context: Context, local: Local) -> Any:
        window = self.windows[context.source]
        if context.same:
            return window
        return _cut(
            self._padded(context, local), context.start, context.size, window, context.paste
        )

    def _padded(self, context: Context, local: Local) -> Any:
        import tensorflow as tf

        value = self._base.values[context.source]
        if not any(map(any, context.pads)):
            return value
        key = (context.source, context.pads, local.pad)
        if key not in self._base.padded:
            self._base.padded[key] = tf.pad(
                value,
                ((0, 0), *context.pads, (0, 0)),
                constant_values=tf.cast(local.pad, value.dtype),
            )
        return self._base.padded[key]

    def _everywhere(self, index: int) -> Any:
        """Return a tensor for all positions as whole maps."""
        import tensorflow as tf

        if index not in self.whole:
            kept = self._base.values[index]
            if index not in self.windows:
                return tf.repeat(kept, self._count, axis=0)
            place = self._plan.regions[index].start
            size = self._base.shapes[index][1:3]
            start = np.zeros_like(place)
            self.whole[index] = _cut(kept, start, size, self.windows[index], place)
        return self.whole[index]

    def _corrected(self, step: LayerCall, local: Local, region: Region, result: Any) -> Any:
        """Take the padding out of an average's count, as TensorFlow does."""
        if step.kind != "AveragePooling2D" or step.layer.padding != "same":
            return result
        factors = []
        for axis, move in enumerate((local.rows, local.columns)):
            length = self._base.shapes[step.inputs[0]][axis + 1]
            places = region.start[:, axis, None] + np.arange(region.size[axis])
            left = places * move.stride - move.before
            inside = np.minimum(left + move.reach, length) - np.maximum(left, 0)
            factors.append(move.reach / inside)
        factor = factors[0][:, :, None, None] * factors[1][:, None, :, None]
        return result * factor.astype(result.dtype.as_numpy_dtype)


def _call(step: LayerCall, given: Mapping[int, Any], replaced: Any) -> list[Any]:
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


def _cut(
    kept: Any,
    start: np.ndarray,
    size: Sequence[int],
    window: Any = None,
    paste: np.ndarray | None = None,
) -> Any:
    """Cut a rectangle for each position out of a map, each position's window laid over it.

    Args:
        kept: 1×H×W×C.
        start: B×2, where each rectangle begins.
        size: its height and width.
        window: B×h×w×C, or None.
        paste: B×2, where the window begins in the rectangle; what lies outside is left away.
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
