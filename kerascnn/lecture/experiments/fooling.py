"""How little a picture must change for a network to classify it otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kerascnn.lecture.experiments.task import Array, Floats

if TYPE_CHECKING:
    from kerascnn.network.network import Network


@dataclass(frozen=True)
class Fooled:
    """Pictures, and the same pictures changed until they are classified otherwise.

    Attributes:
        pictures: N×H×W×C, as they were.
        changed: N×H×W×C, classified otherwise.
        before: N classes.
        after: N classes.
        sure: N probabilities of the class after.
        largest: N: by how much the pixel that changed most did, as a share of the values' range.
    """

    pictures: Floats
    changed: Floats
    before: Array
    after: Array
    sure: Array
    largest: Array


def fool(network: Network, pictures: Floats, *, sure: float = 0.9, step: float = 0.01) -> Fooled:
    """Change pictures by small steps until the network is sure of another class.

    Each step moves every pixel by the same little, towards the class that was second at first and
    away from the strongest of the others (along the sign of the gradient of the difference of the
    two scores).

    Args:
        network: the network to fool; it gives probabilities.
        pictures: N×H×W×C in the network's values.
        sure: the probability at which a picture is done.
        step: of a pixel, as a share of the values' range.
    """
    low, high = network.input.low, network.input.high
    scores = network.scores(pictures)
    before, aim = scores.argsort(axis=1)[:, -1], scores.argsort(axis=1)[:, -2]
    changed = pictures.copy()

    def probabilities(values: Array) -> Array:
        found = network.probabilities(values)
        assert found is not None  # it gives probabilities
        return found

    for _ in range(round(1 / step)):
        chances = probabilities(changed)
        open_ = chances[np.arange(len(aim)), aim] < sure
        if not open_.any():
            break
        others = chances.copy()
        others[np.arange(len(aim)), aim] = -1
        rival = others.argmax(axis=1)
        slope = network.gradients(changed, aim) - network.gradients(changed, rival)
        moved = np.clip(changed + step * (high - low) * np.sign(slope), low, high)
        changed = np.where(open_[:, None, None, None], moved, changed).astype(np.float32)
    chances = probabilities(changed)
    largest = (np.abs(changed - pictures) / (high - low)).max(axis=(1, 2, 3))
    after, confidence = chances.argmax(axis=1), chances.max(axis=1)
    return Fooled(pictures, changed, before, after, confidence, largest)
