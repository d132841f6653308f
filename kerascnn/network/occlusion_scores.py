"""Scores of a picture with parts of it hidden, position by position."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kerascnn.graph.live_types import Tensor
from kerascnn.graph.receptive import Box
from kerascnn.network.batches import Batches
from kerascnn.network.compiled_functions import CompiledFunctions
from kerascnn.network.incremental import IncrementalScores
from kerascnn.network.incremental_plan import Plan
from kerascnn.network.patches import Patches, patches_on
from kerascnn.network.prepared_model import PreparedModel, ScoreSource
from kerascnn.network.verification import finite

# Multiplications to be saved before the many small calls of incremental inference pay.
_LEAST_SAVED = 2e10
_LARGEST_SHARE = 0.75
# Few at once fit the cache and are of a size; many at once need fewer calls of small layers, and
# read a large dense layer's weights less often.
_LEAST_AT_ONCE, _MOST_AT_ONCE, _BYTES_AT_ONCE = 64, 128, 320_000_000

_PROGRESS = "hiding parts"


@dataclass(frozen=True, eq=False)
class PatchedScores:
    """The scores of a picture with each of P patches on it.

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

    def to_dict(self) -> dict[str, float | dict[str, str]]:
        """Return how it was computed, as JSON takes it."""
        return {
            "positions": len(self.scores),
            "incremental": self.incremental,
            "work": round(self.work, 4),
            "whole_maps_from": dict(self.whole),
        }


class OcclusionScores:
    """Scores pictures with patches on them, whole or by what each patch changes."""

    def __init__(
        self, prepared: PreparedModel, functions: CompiledFunctions, batches: Batches
    ) -> None:
        self._prepared = prepared
        self._functions = functions
        self._batches = batches

    def scores(
        self,
        image: np.ndarray,
        fill: np.ndarray,
        boxes: Sequence[Box] | np.ndarray,
        source: ScoreSource,
        channel: int,
        incremental: bool | None,
    ) -> PatchedScores:
        """Return the scores of a source, of its channel where it is a unit.

        See `Network.patched_scores`.
        """
        image = self._prepared.checked(np.asarray(image)[np.newaxis])[0]
        patches = patches_on(image, fill, boxes)
        why = "asked for" if incremental is False else self._why_not()
        changes = None
        if why is None:
            changes = IncrementalScores(self._prepared, patches, source, channel)
            (plain,) = changes.plain
        else:
            (plain,) = np.asarray(self._ask(image[np.newaxis], source, channel)[0])
        plain = finite(plain, "the picture's score", self._prepared.graph)
        result = np.repeat(plain[np.newaxis], len(patches.boxes), axis=0)
        shown = patches.visible()
        if not len(shown):
            return PatchedScores(result, plain, False, 0.0)
        if changes is not None:
            plan = changes.plan(shown)
            if incremental or _pays(plan, len(shown)):
                self._fill_in(result, changes, plan, shown)
                share = changes.work / len(shown)
                return PatchedScores(result, plain, True, share, changes.whole)
            why = "computing only what changes would save too little"
        result[shown] = self._whole(patches, shown, source, channel)
        first = next((call.path for call in self._prepared.graph.calls), "")
        return PatchedScores(result, plain, False, 1.0, {first: why or ""})

    def _why_not(self) -> str | None:
        layout = self._prepared.layout
        if layout.rank != 4:
            return "the input is flat"
        return "channels come first" if layout.axis == 1 else None

    def _ask(self, pictures: np.ndarray, source: ScoreSource, channel: int) -> tuple[Tensor, ...]:
        if source.index is None:
            return self._functions.scores()(pictures)
        return self._functions.target(source)(pictures, np.full(len(pictures), channel, np.int32))

    def _whole(
        self, patches: Patches, shown: np.ndarray, source: ScoreSource, channel: int
    ) -> np.ndarray:
        """Return the scores of some patches, computed on whole pictures."""

        def ask(positions: np.ndarray) -> tuple[Tensor, ...]:
            return self._ask(patches.pictures(positions), source, channel)

        per_item = self._prepared.bytes_per_image
        return self._batches.run(ask, per_item, shown, description=_PROGRESS)[0]

    def _fill_in(
        self, result: np.ndarray, changes: IncrementalScores, plan: Plan, shown: np.ndarray
    ) -> None:
        """Write the scores of some patches into the result, computed on what changes."""
        per_item = max(plan.bytes(changes.shapes), 1)
        groups = plan.groups(min(max(_BYTES_AT_ONCE // per_item, _LEAST_AT_ONCE), _MOST_AT_ONCE))
        order, ends = shown[np.concatenate(groups)], list(itertools.accumulate(map(len, groups)))
        (result[order],) = self._batches.run(
            changes.rows, per_item, order, ends=ends, description=_PROGRESS
        )


def _pays(plan: Plan, positions: int) -> bool:
    saved = (plan.full_work - plan.work) * positions
    return saved > _LEAST_SAVED and plan.work < _LARGEST_SHARE * plan.full_work
