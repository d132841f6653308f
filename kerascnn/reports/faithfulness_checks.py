"""What the maps of a report are worth: deletion, insertion, and shuffled weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kerascnn.errors import KerascnnError, one_line
from kerascnn.network.network import Network
from kerascnn.network.units import Unit
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
class Trust:
    """How one attribution fares; all numbers are means over the pictures.

    Attributes:
        label: of the attribution; ``"random order"`` for the yardstick.
        deletion: the score while the important pixels go.
        insertion: the score while they come.
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


def examine(network: Network, answers: Sequence[Answer], options: ModelOptions) -> list[Trust]:
    """Return how each attribution among the answers fares, and a random order last.

    Args:
        network: whom they explain.
        answers: of `ask_all`; those that are no attribution are passed over.
        options: how the network was opened.
    """
    asked = [a for a in answers if a.is_attribution and _is_whole(a.run)]
    if not asked:
        return []
    alike = _under_shuffled_weights(network, asked, options)
    found = []
    for one in track(asked, "deletion and insertion"):
        assert one.run is not None
        found.append(Trust(one.label, *_curves(one.run, _orders(one.run)), *alike[id(one)]))
    run = asked[0].run
    assert run is not None
    random = np.random.default_rng(0)
    size = run.pictures[0].values.shape[:2]
    draws = [
        _curves(run, [random.permutation(size[0] * size[1]) for _ in run.pictures])
        for _ in range(_ORDERS)
    ]
    gone, come = (_mean(list(curves)) for curves in zip(*draws, strict=True))
    return [*found, Trust("random order", gone, come)]


def as_curves(found: Sequence[Trust], what: str, unit: str) -> Curves:
    """Return the curves of all attributions as a result to be drawn.

    Args:
        found: of `examine`.
        what: ``"deletion"`` or ``"insertion"``.
        unit: what the scores are.
    """
    curves: list[Curve] = [getattr(each, what) for each in found]
    return Curves(
        np.stack([curve.scores for curve in curves]),
        curves[0].shares,
        names=[f"{e.label} ({c.area:.3f})" for e, c in zip(found, curves, strict=True)],
        x_label="share of the pixels " + ("taken away" if what == "deletion" else "given back"),
        unit=unit,
        title=what + ": " + ("low is good" if what == "deletion" else "high is good"),
    )


def _is_whole(run: Run | None) -> bool:
    # A map of the picture as the network sees it; None means pictures of their own size.
    return run is not None and run.target is not None


def _orders(run: Run) -> list[np.ndarray]:
    result = run.result
    assert isinstance(result, Heatmap)
    size = result.over.shape[1:3]
    return [
        by_importance(importance(values, size, result.low_is_notable)) for values in result.values
    ]


def _curves(run: Run, orders: Sequence[np.ndarray]) -> tuple[Curve, Curve]:
    pairs = []
    for row, (picture, order) in enumerate(zip(run.pictures, orders, strict=True)):
        score = _score(run, row)
        pairs.append(
            (deletion(score, picture.values, order), insertion(score, picture.values, order))
        )
    gone, come = (_mean(list(curves)) for curves in zip(*pairs, strict=True))
    return gone, come


def _mean(curves: Sequence[Curve]) -> Curve:
    return Curve(curves[0].shares, np.mean([curve.scores for curve in curves], axis=0))


def _score(run: Run, row: int) -> Score:
    target, network = run.target, run.network
    if target is None or isinstance(target, Unit):
        return lambda pictures: network.target_scores(pictures, target if target else 0)
    index = int(target[row])

    def score(pictures: np.ndarray) -> np.ndarray:
        scores = network.scores(pictures)
        chances = network.to_probabilities(scores)
        return np.asarray((scores if chances is None else chances)[:, index])

    return score


def _under_shuffled_weights(
    network: Network, asked: Sequence[Answer], options: ModelOptions
) -> dict[int, tuple[float | None, str]]:
    """Return each attribution's likeness to itself under shuffled weights, or why there is none."""
    found: dict[int, tuple[float | None, str]] = {}
    try:
        with shuffled(network, input=options.input, output=options.output) as other:
            for one in track(asked, "shuffled weights"):
                found[id(one)] = _again(one, other)
    except KerascnnError as error:
        reason = one_line(error)
        return {id(one): found.get(id(one), (None, reason)) for one in asked}
    return found


def _again(one: Answer, other: Network) -> tuple[float | None, str]:
    assert one.run is not None
    values = np.stack([picture.values for picture in one.run.pictures])
    try:
        result = call(one.visualizer, other, values, one.run.target)
    except KerascnnError as error:
        return None, one_line(error)
    assert isinstance(result, Heatmap)
    assert isinstance(one.run.result, Heatmap)
    return likeness(list(one.run.result.values), list(result.values)), ""
