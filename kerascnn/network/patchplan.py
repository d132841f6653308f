"""What a patch on the picture changes in each layer, worked out before anything is computed.

For each position of the patch and each tensor: the interval of places that change (exactly), and a
window around it that is as large for all positions, so that they form one batch (Nakandala, Kumar
and Papakonstantinou, SIGMOD 2019).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kerascnn.graph import Step
from kerascnn.network.locality import Local, Shape, locality

WHOLE_FROM = 0.8
"""Share of a map at which computing the whole of it costs no more than a window."""


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
    """How one step is done: on windows where ``local`` is there, on whole maps else."""

    step: Step
    local: Local | None
    contexts: tuple[Context, ...]
    region: Region | None


@dataclass(frozen=True, eq=False)
class Plan:
    """How all that a patch changes is computed.

    Attributes:
        regions: tensor → where it changes; a tensor that is missing changes everywhere.
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

    def order(self) -> np.ndarray:
        """Return the positions so that those whose windows are of a size come together."""
        local = [task for task in self.tasks if task.region is not None]
        if not local or local[-1].region is None:
            return np.arange(len(next(iter(self.regions.values())).start))
        region = local[-1].region
        extent = region.last - region.first
        return np.lexsort((extent[:, 1], extent[:, 0]))

    def bytes(self, shapes: Mapping[int, Shape]) -> int:
        """Return what one position takes at most, roughly."""
        numbers = 0
        for task in self.tasks:
            for index in task.step.outputs:
                size = task.region.size if task.region else shapes[index][1:3]
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
    steps: Sequence[Step],
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
    tasks: list[Task] = []
    whole: dict[str, str] = {}
    work = brute = 0.0
    for step in steps:
        full = _work(step, shapes)
        brute += full
        changed.update(step.outputs)
        task: Task | str | None = None
        if all(index in regions for index in step.inputs):
            task = _local_task(step, regions, shapes, axis)
            if isinstance(task, str):
                whole[step.path] = task
        elif any(index not in changed for index in step.inputs):
            whole[step.path] = "it has an input besides the picture"
        if not isinstance(task, Task):
            tasks.append(Task(step, None, (), None))
            work += full
            continue
        tasks.append(task)
        assert task.region is not None
        regions[step.outputs[0]] = task.region
        shape = shapes[step.outputs[0]]
        work += full * math.prod(task.region.size) / (shape[1] * shape[2])
    return Plan(regions, tuple(tasks), whole, work, brute)


def _local_task(
    step: Step,
    regions: Mapping[int, Region],
    shapes: Mapping[int, Shape],
    axis: Callable[[int], int],
) -> Task | str:
    local = locality(step, shapes, axis)
    if isinstance(local, str):
        return local
    size = shapes[step.outputs[0]][1:3]
    sources = [regions[index] for index in step.inputs]
    first = np.min([_forward(region, local)[0] for region in sources], axis=0)
    last = np.max([_forward(region, local)[1] for region in sources], axis=0)
    region = _window(first, last, size)
    if math.prod(region.size) >= WHOLE_FROM * math.prod(size):
        share = math.prod(region.size) / math.prod(size)
        return f"the window covers {share:.0%} of the map"
    contexts = tuple(
        _context(index, regions[index], region, local, shapes[index], size) for index in step.inputs
    )
    return Task(step, local, contexts, region)


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


def _work(step: Step, shapes: Mapping[int, Shape]) -> float:
    outputs = [shapes[index] for index in step.outputs]
    places = max(math.prod(shape[1:-1]) for shape in outputs)
    weights = [w.shape for w in getattr(step.layer, "weights", []) if len(w.shape) > 1]
    moved = 8 * sum(math.prod(shape[1:]) for shape in outputs)
    return float(places * sum(math.prod(shape) for shape in weights) + moved)
