"""Scores of a picture with parts of it hidden, position by position."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kerascnn.errors import UsageError, one_line
from kerascnn.graph.receptive import Box
from kerascnn.network.batches import Batches
from kerascnn.network.functions import Functions
from kerascnn.network.incremental import Base, Incremental
from kerascnn.network.incremental_plan import Plan, picture_region
from kerascnn.network.prepared_model import Prepared
from kerascnn.network.verification import finite

# Multiplications to be saved before the many small calls of incremental inference pay.
_LEAST_SAVED = 2e10
_LARGEST_SHARE = 0.75
# Few at once fit the cache and are of a size; many at once need fewer calls of small layers, and
# read a large dense layer's weights less often.
_LEAST_AT_ONCE, _MOST_AT_ONCE, _BYTES_AT_ONCE = 64, 128, 320_000_000


Asked = tuple[int | None, bool, int]
"""A unit's tensor, whether all its channels are meant, and its channel; None for the classes."""


@dataclass(frozen=True, eq=False)
class Patched:
    """What a network says of a picture with each of P patches on it.

    Attributes:
        scores: P × classes logits; P numbers where a unit was asked for.
        plain: the same of the picture itself, without the first axis.
        incremental: whether only what a patch changes was computed.
        work: how much was computed of what whole pictures take, roughly, in [0, 1].
        whole: from which layers on whole maps were computed, and why.
    """

    scores: np.ndarray
    plain: np.ndarray
    incremental: bool
    work: float = 1.0
    whole: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return how it was computed, as JSON takes it."""
        return {
            "positions": len(self.scores),
            "incremental": self.incremental,
            "work": round(self.work, 4),
            "whole_maps_from": dict(self.whole),
        }


class Patching:
    """Puts patches on pictures and asks the network.

    Args:
        prepared: the model.
        functions: its compiled functions.
        batches: runs them within memory.
    """

    def __init__(self, prepared: Prepared, functions: Functions, batches: Batches) -> None:
        self._prepared = prepared
        self._functions = functions
        self._batches = batches
        self._engine = Incremental(prepared)

    def scores(
        self,
        image: np.ndarray,
        fill: np.ndarray,
        boxes: Sequence[Box] | np.ndarray,
        unit: Asked,
        incremental: bool | None,
    ) -> Patched:
        """Return the scores; see `Network.patched_scores`.

        Args:
            image: H×W×C.
            fill: what the patches show, H×W×C or anything that broadcasts to it.
            boxes: where they are.
            unit: what is asked for.
            incremental: None to decide by what is saved.
        """
        image = self._prepared.checked(np.asarray(image)[np.newaxis])[0]
        places = _checked(boxes, image.shape[:2])
        filled = _filled(fill, image.shape)
        differs = (image != filled).any(axis=-1)
        hidden = np.array([differs[y0:y1, x0:x1].any() for y0, x0, y1, x1 in places])
        why = "asked for" if incremental is False else self._why_not()
        batch = None
        if why is None:
            wanted = self._prepared.output.index if unit[0] is None else unit[0]
            base = self._engine.base(image, wanted, logits=unit[0] is None)
            batch = _Batch(self._prepared, self._engine, base, unit, image, filled, places)
        rows = batch.plain if batch else self._ask(unit)(image[np.newaxis])[0]
        plain = finite(np.asarray(rows)[0], "the picture's score", self._prepared.graph)
        result = np.repeat(plain[np.newaxis], len(places), axis=0)
        if not hidden.any():
            return Patched(result, plain, False, 0.0)
        if batch is not None:
            shown = np.flatnonzero(hidden)
            plan = self._engine.plan(batch.base, picture_region(places[shown], image.shape[:2]))
            if incremental or _pays(plan, len(shown)):
                per_item = max(plan.bytes(batch.base.shapes), 1)
                most = min(max(_BYTES_AT_ONCE // per_item, _LEAST_AT_ONCE), _MOST_AT_ONCE)
                groups = plan.groups(most)
                order = shown[np.concatenate(groups)]
                ends = list(itertools.accumulate(map(len, groups)))
                result[order] = self._batches.run(
                    batch, per_item, order, ends=ends, description="hiding parts"
                )[0]
                return Patched(result, plain, True, batch.work / len(order), batch.reasons())
            why = "computing only what changes would save too little"
        first = self._prepared.graph.steps[0].path if self._prepared.graph.steps else ""
        result[hidden] = self._whole(image, filled, places[hidden], unit)
        return Patched(result, plain, False, 1.0, {first: why or ""})

    def _why_not(self) -> str | None:
        layout = self._prepared.layout
        if layout.rank != 4:
            return "the input is flat"
        return "channels come first" if layout.axis == 1 else None

    def _ask(self, unit: Asked) -> Callable[[np.ndarray], tuple[Any]]:
        index, whole, channel = unit
        if index is None:
            return self._functions.scores()
        function = self._functions.target(index, whole)
        return lambda pictures: function(pictures, np.full(len(pictures), channel, np.int32))

    def _whole(
        self,
        image: np.ndarray,
        filled: np.ndarray,
        places: np.ndarray,
        unit: Asked,
    ) -> np.ndarray:
        ask = self._ask(unit)

        def function(positions: np.ndarray) -> tuple[Any]:
            pictures = np.repeat(image[np.newaxis], len(positions), axis=0)
            for picture, (y0, x0, y1, x1) in zip(pictures, places[positions], strict=True):
                picture[y0:y1, x0:x1] = filled[y0:y1, x0:x1]
            return ask(pictures)

        per_item = self._prepared.bytes_per_image
        return self._batches.run(
            function, per_item, np.arange(len(places)), description="hiding parts"
        )[0]


class _Batch:
    """Scores batches of positions, and keeps account of what was computed."""

    def __init__(
        self,
        prepared: Prepared,
        engine: Incremental,
        base: Base,
        unit: Asked,
        image: np.ndarray,
        filled: np.ndarray,
        places: np.ndarray,
    ) -> None:
        self.base = base
        self.work = 0.0
        self._prepared = prepared
        self._engine = engine
        self._unit = unit
        self._image = image
        self._filled = filled
        self._places = places
        self._reasons: dict[str, str] = {}
        self.plain = np.asarray(self._finish(base.values[base.wanted], None))

    def reasons(self) -> dict[str, str]:
        """Return where whole maps were computed, and why, in the model's order."""
        found = {step.path: self._reasons.get(step.path) for step in self.base.steps}
        return {path: reason for path, reason in found.items() if reason}

    def __call__(self, positions: np.ndarray) -> tuple[Any]:
        """Return the rows of some positions."""
        region = picture_region(self._places[positions], self._image.shape[:2])
        plan = self._engine.plan(self.base, region)
        patches = np.empty((len(positions), *region.size, self._image.shape[2]), np.float32)
        height, width = region.size
        for patch, start, box in zip(patches, region.start, self._places[positions], strict=True):
            (top, left), (y0, x0, y1, x1) = start, box
            patch[:] = self._image[top : top + height, left : left + width]
            patch[y0 - top : y1 - top, x0 - left : x1 - left] = self._filled[y0:y1, x0:x1]
        value, old = self._engine.run(plan, self.base, patches, logits=self._unit[0] is None)
        rows = self._finish(value, old)
        if old is not None:
            rows = rows + self.plain
        self._reasons.update(plan.whole)
        self.work += len(positions) * plan.work / max(plan.brute, 1.0)
        return (rows,)

    def _finish(self, value: Any, old: Any) -> Any:
        """Turn the tensor asked for into scores, or the change of its window into theirs."""
        import tensorflow as tf

        index, whole, channel = self._unit
        if index is None:
            scores = self._prepared.scores(value)
            if old is None:
                return scores
            # Scores of maps are their means.
            shape = self.base.shapes[self.base.wanted]
            share = value.shape[1] * value.shape[2] / (shape[1] * shape[2])
            return (scores - self._prepared.scores(old)) * share
        value = self._prepared.outward(index, value)
        if old is not None:
            value = value - self._prepared.outward(index, old)
        if not whole:
            value = value[..., channel]
        return tf.reduce_sum(tf.reshape(value, (value.shape[0], -1)), axis=1)


def _pays(plan: Plan, positions: int) -> bool:
    saved = (plan.brute - plan.work) * positions
    return saved > _LEAST_SAVED and plan.work < _LARGEST_SHARE * plan.brute


def _checked(boxes: Sequence[Box] | np.ndarray, size: Sequence[int]) -> np.ndarray:
    rows = [
        (box.top, box.left, box.bottom, box.right) if isinstance(box, Box) else box for box in boxes
    ]
    places = np.asarray(rows)
    if places.ndim != 2 or places.shape[1] != 4 or not len(places):
        raise UsageError(
            f"boxes must be P × 4: top, left, bottom, right. Received the shape {places.shape}"
        )
    if places.dtype.kind not in "iu":
        raise UsageError(f"boxes must be whole numbers. Received the dtype {places.dtype}")
    places = places.astype(np.int64)
    good = (places[:, :2] >= 0).all(axis=1) & (places[:, 2:] > places[:, :2]).all(axis=1)
    good &= (places[:, 2:] <= np.asarray(size)).all(axis=1)
    if not good.all():
        raise UsageError(
            f"boxes must lie inside the picture of {size[0]} × {size[1]} pixels. "
            f"Received: {one_line(places[~good][0].tolist())}"
        )
    return places


def _filled(fill: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    try:
        filled = np.broadcast_to(np.asarray(fill, np.float32), shape)
    except ValueError as error:
        raise UsageError(
            f"the fill must be a colour of {shape[2]} channels or a picture of the shape {shape}. "
            f"Received the shape {np.shape(fill)}"
        ) from error
    if not np.isfinite(filled).all():
        raise UsageError("the fill must be finite numbers. Received NaN or infinite ones")
    return filled
