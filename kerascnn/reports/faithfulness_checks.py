"""How far the maps of a report can be trusted: deletion, insertion, and shuffled weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kerascnn.errors import KerascnnError, one_line
from kerascnn.network.network import Network
from kerascnn.network.units import Unit
from kerascnn.plugin.visualizer import Visualizer
from kerascnn.reports.batch import Answer
from kerascnn.results.curves import Curves
from kerascnn.results.heatmap import Heatmap
from kerascnn.run.faithfulness import (
    UNCHANGED,
    Curve,
    Score,
    by_importance,
    deletion,
    importance,
    insertion,
    likeness,
    shuffled,
)
from kerascnn.run.model_options import ModelOptions
from kerascnn.run.run import Run, call
from kerascnn.terminal.progress import track

_ORDERS = 3  # random ones to compare with


@dataclass(frozen=True, eq=False)
class FaithfulnessCheck:
    """The checks of one attribution; all numbers are means over the pictures.

    Attributes:
        label: of the attribution; ``"random order"`` for what they are compared with.
        deletion: the score while the important pixels are taken away.
        insertion: the score while they are given back.
        alike: rank correlation with the maps under shuffled weights; None where there are none.
        reason: why there are none.
    """

    label: str
    deletion: Curve
    insertion: Curve
    alike: float | None = None
    reason: str = ""

    @property
    def is_unchanged(self) -> bool:
        """Whether the maps hardly change when the weights are shuffled."""
        return self.alike is not None and self.alike >= UNCHANGED


@dataclass(frozen=True, eq=False)
class _Attribution:
    """An answer whose maps are of the pictures as the network sees them."""

    label: str
    visualizer: Visualizer
    run: Run
    maps: Heatmap


def check_faithfulness(
    network: Network, answers: Sequence[Answer], options: ModelOptions
) -> list[FaithfulnessCheck]:
    """Return the checks of each attribution among the answers, and of random orders last.

    Args:
        network: what they explain.
        answers: of `ask_all`; those without maps of the network's own pictures are left out.
        options: how the network was opened.
    """
    found = [
        _Attribution(each.label, each.visualizer, each.run, each.attribution)
        for each in answers
        # A picture in its own size, not the network's, has no target.
        if each.attribution is not None and each.run is not None and each.run.target is not None
    ]
    if not found:
        return []
    alike = _under_shuffled_weights(network, found, options)
    checks = []
    for each, (correlation, reason) in zip(
        track(found, "deletion and insertion"), alike, strict=True
    ):
        checks.append(
            FaithfulnessCheck(each.label, *_curves(each.run, _orders(each)), correlation, reason)
        )
    run = found[0].run
    random = np.random.default_rng(0)
    height, width = run.pictures[0].values.shape[:2]
    draws = [
        _curves(run, [random.permutation(height * width) for _ in run.pictures])
        for _ in range(_ORDERS)
    ]
    return [*checks, FaithfulnessCheck("random order", *_mean(draws))]


def as_curves(
    checks: Sequence[FaithfulnessCheck], what: Literal["deletion", "insertion"], unit: str
) -> Curves:
    """Return the curves of all attributions as a result to be drawn.

    Args:
        checks: of `check_faithfulness`.
        what: which curves.
        unit: what the scores are.
    """
    is_deletion = what == "deletion"
    curves = [each.deletion if is_deletion else each.insertion for each in checks]
    return Curves(
        np.stack([curve.scores for curve in curves]),
        curves[0].shares,
        names=[f"{e.label} ({c.area:.3f})" for e, c in zip(checks, curves, strict=True)],
        x_label="share of the pixels " + ("taken away" if is_deletion else "given back"),
        unit=unit,
        title=what + ": " + ("low is good" if is_deletion else "high is good"),
    )


def _orders(found: _Attribution) -> list[np.ndarray]:
    """Return the pixels of each picture, the most important first."""
    height, width = found.maps.over.shape[1:3]
    return [
        by_importance(importance(values, (height, width), found.maps.low_is_notable))
        for values in found.maps.values
    ]


def _curves(run: Run, orders: Sequence[np.ndarray]) -> tuple[Curve, Curve]:
    pairs = []
    for row, (picture, order) in enumerate(zip(run.pictures, orders, strict=True)):
        score, values = _score(run, row), picture.values
        pairs.append((deletion(score, values, order), insertion(score, values, order)))
    return _mean(pairs)


def _mean(pairs: Sequence[tuple[Curve, Curve]]) -> tuple[Curve, Curve]:
    gone, come = (
        Curve(curves[0].shares, np.mean([curve.scores for curve in curves], axis=0))
        for curves in zip(*pairs, strict=True)
    )
    return gone, come


def _score(run: Run, row: int) -> Score:
    """Return the score that a map explains: of a class its probability, where there is one."""
    target, network = run.target, run.network
    if target is None or isinstance(target, Unit):
        return lambda pictures: network.target_scores(pictures, target or 0)
    index = int(target[row])

    def score(pictures: np.ndarray) -> np.ndarray:
        scores = network.scores(pictures)
        chances = network.to_probabilities(scores)
        return np.asarray((scores if chances is None else chances)[:, index])

    return score


def _under_shuffled_weights(
    network: Network, attributions: Sequence[_Attribution], options: ModelOptions
) -> list[tuple[float | None, str]]:
    """Return each attribution's likeness to itself under shuffled weights, or why there is none."""
    found: list[tuple[float | None, str]] = []
    try:
        with shuffled(network, input=options.input, output=options.output) as other:
            for each in track(attributions, "shuffled weights"):
                found.append(_likeness_to_itself(each, other))
    except KerascnnError as error:
        found += [(None, one_line(error))] * (len(attributions) - len(found))
    return found


def _likeness_to_itself(found: _Attribution, other: Network) -> tuple[float | None, str]:
    values = np.stack([picture.values for picture in found.run.pictures])
    try:
        result = call(found.visualizer, other, values, found.run.target)
    except KerascnnError as error:
        return None, one_line(error)
    assert isinstance(result, Heatmap)
    return likeness(list(found.maps.values), list(result.values)), ""
