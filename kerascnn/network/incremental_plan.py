"""What a patch on the picture changes in each layer, worked out before anything is computed.

For each position of the patch and each tensor: the interval of places that change (exactly), and a
window around it that is as large for all positions, so that they form one batch (Nakandala, Kumar
and Papakonstantinou, SIGMOD 2019).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kerascnn.graph.model_graph import LayerCall
from kerascnn.network.locality import ChannelAxis, Local, Shapes, Sizes, locality

WHOLE_FROM = 0.8
"""Share of a map at which computing the whole of it costs no more than a window."""

A_BATCH = 1.2e10
"""Multiplications in whose time a batch is prepared, and a large dense layer's weights are read."""

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


@dataclass(frozen=True, eq=False)
class Context:
    """What a call needs of one of its inputs around a window of its output.

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
    """How one call is done.

    Attributes:
        call: the call.
        full_work: multiplications (and numbers moved) for a whole map, roughly.
        size: the map's height and width.
        region: where its output changes; None where that is not followed.
        local: how it is done on windows; None where whole maps are computed.
        contexts: what it needs of its inputs then.
        why: why whole maps begin here; empty where they don't.
    """

    call: LayerCall
    full_work: float
    size: tuple[int, ...] = ()
    region: Region | None = None
    local: Local | None = None
    contexts: tuple[Context, ...] = ()
    why: str = ""

    @property
    def work(self) -> float:
        """Multiplications (and numbers moved) for one position, roughly."""
        share = _share(self.region, self.size) if self.local and self.region else 1
        return self.full_work * share


@dataclass(frozen=True, eq=False)
class Plan:
    """How all that a patch changes is computed.

    Attributes:
        regions: tensor → where it changes; it is not known for one that is missing.
        tasks: the calls, in order.
    """

    regions: dict[int, Region]
    tasks: tuple[Task, ...]

    @property
    def whole(self) -> dict[str, str]:
        """Where whole maps begin: layer → why."""
        return {task.call.path: task.why for task in self.tasks if task.why}

    @property
    def work(self) -> float:
        """Multiplications (and numbers moved) for one position, roughly."""
        return sum(task.work for task in self.tasks)

    @property
    def full_work(self) -> float:
        """The same for a whole picture."""
        return sum(task.full_work for task in self.tasks)

    def groups(self, most: int, per_batch: float = A_BATCH) -> list[np.ndarray]:
        """Return the positions in groups of which each should be a batch.

        A batch's windows are all as large as its largest, and near the picture's edges they are
        smaller. So positions are split, along one axis at a time, as long as that saves work.

        Args:
            most: how many positions a group may have.
            per_batch: multiplications in whose time a batch is prepared.
        """
        followed = [(task, task.region) for task in self.tasks if task.region is not None]
        count = len(next(iter(self.regions.values())).start)
        if not followed:
            return [np.arange(i, min(i + most, count)) for i in range(0, count, most)]
        extents = np.stack([region.last - region.first + 1 for _, region in followed])
        sizes = np.stack([task.size for task, _ in followed])
        work = np.array([task.full_work for task, _ in followed])

        def cost(group: np.ndarray) -> float:
            shares = (extents[:, group].max(axis=1) / sizes).prod(axis=1)
            each = float((work * np.where(shares < WHOLE_FROM, shares, 1)).sum())
            return len(group) * each + math.ceil(len(group) / most) * per_batch

        return list(_split(np.arange(count), extents.sum(axis=0), cost, most))

    def bytes(self, shapes: Shapes) -> int:
        """Return what one position takes at most, roughly."""
        numbers = 0
        for task in self.tasks:
            for index in task.call.outputs:
                size = task.region.size if task.region and task.local else shapes[index][1:3]
                numbers += math.prod(size) * (shapes[index][3] if len(shapes[index]) == 4 else 1)
            for context in task.contexts:
                numbers += math.prod(context.size) * shapes[context.source][3]
        return 4 * numbers


def picture_region(boxes: np.ndarray, size: tuple[int, int]) -> Region:
    """Return what boxes (P×4: top, left, bottom, right) change in the picture itself."""
    return _window(boxes[:, :2], boxes[:, 2:] - 1, size)


def make_plan(
    calls: Sequence[LayerCall], source: int, region: Region, shapes: Shapes, axis: ChannelAxis
) -> Plan:
    """Work out what is to be computed where a region of the picture changes.

    The calls are those from the picture, the tensor `source`, to what is asked, in order.
    """
    changed, as_whole = {source}, set[int]()
    regions, tasks = {source: region}, list[Task]()
    for call in calls:
        changed.update(call.outputs)
        on_windows = as_whole.isdisjoint(call.inputs)
        task = Task(call, _full_work(call, shapes))
        if all(index in regions for index in call.inputs):
            task = _followed(task, regions, shapes, axis, on_windows)
        elif any(index not in changed for index in call.inputs):
            task = replace(task, why="it has an input besides the picture")
        if task.region is not None:
            regions[call.outputs[0]] = task.region
        if task.local is None:
            as_whole.update(call.outputs)
        tasks.append(task if on_windows else replace(task, why=""))
    return Plan(regions, tuple(tasks))


def _followed(
    task: Task, regions: Mapping[int, Region], shapes: Shapes, axis: ChannelAxis, on_windows: bool
) -> Task:
    """Return a task with where its output changes, and how it is done on windows or why not."""
    call = task.call
    local = locality(call, shapes, axis)
    if isinstance(local, str):
        return replace(task, why=local)
    size = shapes[call.outputs[0]][1:3]
    sources = [regions[index] for index in call.inputs]
    first = np.min([changed_outputs(region, local)[0] for region in sources], axis=0)
    last = np.max([changed_outputs(region, local)[1] for region in sources], axis=0)
    region = _window(first, last, size)
    task = replace(task, size=size, region=region)
    if (share := _share(region, size)) >= WHOLE_FROM:
        return replace(task, why=f"the window covers {share:.0%} of the map")
    if not on_windows:
        return task
    contexts = tuple(
        _context(index, regions[index], region, local, shapes[index], size) for index in call.inputs
    )
    return replace(task, local=local, contexts=contexts)


def _share(region: Region, size: Sequence[int]) -> float:
    return math.prod(region.size) / math.prod(size)


def _split(
    group: np.ndarray, extent: np.ndarray, cost: Callable[[np.ndarray], float], most: int
) -> Iterator[np.ndarray]:
    """Split positions in two, and these in turn, where it makes them cheaper or they are many.

    Positions are alike by `extent`, P×2: how much they change along each axis.
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


def changed_outputs(region: Region, local: Local) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and last outputs that see what changes in an input."""
    first = -((local.reach - 1 - region.first - local.before) // local.stride)
    return first, (region.last + local.before) // local.stride


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
    index: int, own: Region, out: Region, local: Local, shape: Sizes, length: Sequence[int]
) -> Context:
    start = out.start * local.stride - local.before
    paste = own.start - start
    high, wide = (np.array(out.size) - 1) * local.stride + local.reach
    # As much padding as any position needs, so that all batches share the padded maps.
    before = np.maximum(local.before, 0)
    furthest = (np.array(length) - 1) * local.stride - local.before + local.reach
    after = np.maximum(furthest - shape[1:3], 0)
    (top, bottom), (left, right) = zip(before.tolist(), after.tolist(), strict=True)
    same = (high, wide) == own.size and not paste.any()
    pads = ((top, bottom), (left, right))
    return Context(index, start + before, (int(high), int(wide)), pads, paste, same)


def _full_work(call: LayerCall, shapes: Shapes) -> float:
    outputs = [shapes[index] for index in call.outputs]
    places = max(math.prod(shape[1:-1]) for shape in outputs)
    weights = [w.shape for w in getattr(call.layer, "weights", []) if len(w.shape) > 1]
    moved = 8 * sum(math.prod(shape[1:]) for shape in outputs)
    return float(places * sum(math.prod(shape) for shape in weights) + moved)
