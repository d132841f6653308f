"""What a patch on the picture changes in each layer, worked out before anything is computed.

For each position of the patch and each tensor: the interval of places that change (exactly), and a
window around it that is as large for all positions, so that they form one batch (Nakandala, Kumar
and Papakonstantinou, SIGMOD 2019).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kerascnn.graph.model_graph import LayerCall
from kerascnn.network.locality import Local, Shape, locality

WHOLE_FROM = 0.8
"""Share of a map at which computing the whole of it costs no more than a window."""

# Multiplications in whose time a batch is prepared, and a large dense layer's weights are read.
_A_BATCH = 1.2e10
_MOST_SPLITS = 12  # tried along each axis


@dataclass(frozen=True, eq=False)
class Region:
    """Where one tensor changes, for P positions.

    Attributes:
        first: P×2, the first row and column that change.
        last: P×2, the last ones.
        start: P×2, where the window begins.
        size: the window's height and width; it holds all that changes.
    """

    first: np.ndarray
    last: np.ndarray
    start: np.ndarray
    size: tuple[int, int]

    @property
    def extent(self) -> np.ndarray:
        """P×2, how many rows and columns change."""
        return self.last - self.first + 1


@dataclass(frozen=True, eq=False)
class Context:
    """What a step needs of one of its inputs around a window of its output.

    Attributes:
        source: the input's tensor.
        start: P×2, where it begins in the padded map.
        size: its height and width.
        pads: rows and columns of padding before and after the plain map.
        paste: P×2, where the input's own window lies in it.
        same: whether it is that window, and nothing is to be gathered.
    """

    source: int
    start: np.ndarray
    size: tuple[int, int]
    pads: tuple[tuple[int, int], tuple[int, int]]
    paste: np.ndarray
    same: bool


@dataclass(frozen=True, eq=False)
class Task:
    """How one step is done.

    Attributes:
        step: the call.
        work: multiplications (and numbers moved) for a whole map, roughly.
        region: where its output changes; None where that is not followed.
        size: the map's height and width.
        share: of the map that the window covers.
        local: how it is done on windows; None where whole maps are computed.
        contexts: what it needs of its inputs then.
    """

    step: LayerCall
    work: float
    size: tuple[int, ...] = ()
    region: Region | None = None
    share: float = 1.0
    local: Local | None = None
    contexts: tuple[Context, ...] = ()


@dataclass(frozen=True, eq=False)
class Plan:
    """How all that a patch changes is computed.

    Attributes:
        regions: tensor → where it changes; it is not known for one that is missing.
        tasks: the steps, in order.
        whole: where whole maps begin: layer → why.
        work: multiplications (and numbers moved) for one position, roughly.
        brute: the same for a whole picture.
    """

    regions: dict[int, Region]
    tasks: tuple[Task, ...]
    whole: dict[str, str] = field(default_factory=dict)
    work: float = 0.0
    brute: float = 0.0

    def groups(self, most: int) -> list[np.ndarray]:
        """Return the positions in groups of which each should be a batch.

        A batch's windows are all as large as its largest, and near the picture's edges they are
        smaller. So positions are split, along one axis at a time, as long as that saves work.

        Args:
            most: how many positions a group may have.
        """
        followed = [task for task in self.tasks if task.region is not None]
        count = len(next(iter(self.regions.values())).start)
        if not followed:
            return [np.arange(i, min(i + most, count)) for i in range(0, count, most)]
        extents = np.stack([task.region.extent for task in followed if task.region])
        sizes = np.stack([task.size for task in followed])
        work = np.array([task.work for task in followed])

        def cost(group: np.ndarray) -> float:
            shares = (extents[:, group].max(axis=1) / sizes).prod(axis=1)
            each = float((work * np.where(shares < WHOLE_FROM, shares, 1)).sum())
            return len(group) * each + math.ceil(len(group) / most) * _A_BATCH

        return list(_split(np.arange(count), extents.sum(axis=0), cost, most))

    def bytes(self, shapes: Mapping[int, Shape]) -> int:
        """Return what one position takes at most, roughly."""
        numbers = 0
        for task in self.tasks:
            for index in task.step.outputs:
                size = task.region.size if task.region and task.local else shapes[index][1:3]
                numbers += math.prod(size) * (shapes[index][3] if len(shapes[index]) == 4 else 1)
            for context in task.contexts:
                numbers += math.prod(context.size) * shapes[context.source][3]
        return 4 * numbers


def picture_region(boxes: np.ndarray, size: tuple[int, int]) -> Region:
    """Return what boxes change in the picture itself.

    Args:
        boxes: P×4: top, left, bottom, right; the last two are not part of them.
        size: the picture's height and width.
    """
    return _window(boxes[:, :2], boxes[:, 2:] - 1, size)


def make_plan(
    steps: Sequence[LayerCall],
    source: int,
    region: Region,
    shapes: Mapping[int, Shape],
    axis: Callable[[int], int],
) -> Plan:
    """Work out what is to be computed.

    Args:
        steps: the steps from the picture to what is asked, in order.
        source: the picture's tensor.
        region: what changes in the picture.
        shapes: tensor number → its shape, batch included.
        axis: tensor number → its channel axis where it has rank 4.
    """
    changed: set[int] = {source}
    regions = {source: region}
    as_whole: set[int] = set()
    tasks: list[Task] = []
    whole: dict[str, str] = {}
    for step in steps:
        changed.update(step.outputs)
        is_first = not any(index in as_whole for index in step.inputs)
        task, why = Task(step, _work(step, shapes)), ""
        if all(index in regions for index in step.inputs):
            task, why = _followed(task, regions, shapes, axis, is_first)
        elif any(index not in changed for index in step.inputs):
            why = "it has an input besides the picture"
        if why and is_first:
            whole[step.path] = why
        if task.region is not None:
            regions[step.outputs[0]] = task.region
        if task.local is None:
            as_whole.update(step.outputs)
        tasks.append(task)
    work = sum(task.work * (task.share if task.local else 1) for task in tasks)
    return Plan(regions, tuple(tasks), whole, work, sum(task.work for task in tasks))


def _followed(
    task: Task,
    regions: Mapping[int, Region],
    shapes: Mapping[int, Shape],
    axis: Callable[[int], int],
    on_windows: bool,
) -> tuple[Task, str]:
    """Return a task with where its output changes, and why it is not done on windows.

    Args:
        task: what is known of it without.
        regions: where its inputs change.
        shapes: tensor number → its shape, batch included.
        axis: tensor number → its channel axis where it has rank 4.
        on_windows: whether its inputs are windows.
    """
    step = task.step
    local = locality(step, shapes, axis)
    if isinstance(local, str):
        return task, local
    size = shapes[step.outputs[0]][1:3]
    sources = [regions[index] for index in step.inputs]
    first = np.min([_forward(region, local)[0] for region in sources], axis=0)
    last = np.max([_forward(region, local)[1] for region in sources], axis=0)
    region = _window(first, last, size)
    share = math.prod(region.size) / math.prod(size)
    task = replace(task, size=size, region=region, share=share)
    if share >= WHOLE_FROM:
        return task, f"the window covers {share:.0%} of the map"
    if not on_windows:
        return task, ""
    contexts = tuple(
        _context(index, regions[index], region, local, shapes[index], size) for index in step.inputs
    )
    return replace(task, local=local, contexts=contexts), ""


def _split(
    group: np.ndarray,
    extent: np.ndarray,
    cost: Callable[[np.ndarray], float],
    most: int,
) -> Iterator[np.ndarray]:
    """Split positions in two, and these in turn, where it makes them cheaper or they are many.

    Args:
        group: the positions.
        extent: P×2, by which positions are alike: how much they change along each axis.
        cost: what a group takes.
        most: how many positions it may have.
    """
    best, halves = cost(group), None
    for axis in (0, 1):
        own = extent[group, axis]
        values = np.unique(own)[:-1]
        for value in values[:: -(-len(values) // _MOST_SPLITS) or 1]:
            parts = group[own <= value], group[own > value]
            together = cost(parts[0]) + cost(parts[1])
            if together < best:
                best, halves = together, parts
    if halves is not None:
        for half in halves:
            yield from _split(half, extent, cost, most)
        return
    count = math.ceil(len(group) / most)
    yield from np.array_split(group, count)


def _forward(region: Region, local: Local) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and last outputs that see what changes in an input."""
    firsts, lasts = [], []
    for axis, move in enumerate((local.rows, local.columns)):
        a, b = region.first[:, axis], region.last[:, axis]
        firsts.append(-((move.reach - 1 - a - move.before) // move.stride))
        lasts.append((b + move.before) // move.stride)
    return np.stack(firsts, axis=1), np.stack(lasts, axis=1)


def _window(first: np.ndarray, last: np.ndarray, size: Sequence[int]) -> Region:
    """Cut intervals at the map's edges and lay windows of one size over them, inside the map."""
    end = np.asarray(size) - 1
    # Where nothing of the map changes, one place is computed again, which does no harm.
    first = np.clip(first, 0, end)
    last = np.maximum(np.clip(last, 0, end), first)
    extent = (last - first + 1).max(axis=0)
    start = np.minimum(first, end + 1 - extent)
    return Region(first, last, start, (int(extent[0]), int(extent[1])))


def _context(
    index: int, own: Region, out: Region, local: Local, shape: Shape, length: Sequence[int]
) -> Context:
    starts, sizes, pads = [], [], []
    for axis, move in enumerate((local.rows, local.columns)):
        start = out.start[:, axis] * move.stride - move.before
        size = (out.size[axis] - 1) * move.stride + move.reach
        # As much as any position needs, so that all batches share the padded maps.
        before = max(0, move.before)
        furthest = (length[axis] - 1) * move.stride - move.before + move.reach
        after = max(0, furthest - shape[axis + 1])
        starts.append(start + before)
        sizes.append(size)
        pads.append((before, after))
    start = np.stack(starts, axis=1)
    offset = np.array([before for before, _ in pads])
    paste = own.start + offset - start
    same = tuple(sizes) == own.size and not paste.any()
    return Context(index, start, (sizes[0], sizes[1]), (pads[0], pads[1]), paste, same)


def _work(step: LayerCall, shapes: Mapping[int, Shape]) -> float:
    outputs = [shapes[index] for index in step.outputs]
    places = max(math.prod(shape[1:-1]) for shape in outputs)
    weights = [w.shape for w in getattr(step.layer, "weights", []) if len(w.shape) > 1]
    moved = 8 * sum(math.prod(shape[1:]) for shape in outputs)
    return float(places * sum(math.prod(shape) for shape in weights) + moved)
