"""How faithful is a map? Deletion and insertion curves, and a map of shuffled weights to compare.

The pixels that a map calls important are removed from the picture, or added to a blurred one, the
most important first, and the network's score is measured (Petsiuk, Das and Saenko 2018). A map that
stays the same when the weights are shuffled shows the picture, not the network (Adebayo et al.
2018).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from kerascnn.network.network import Network

STEPS = 28
"""Points of a curve, not counting the first."""

UNCHANGED = 0.8
"""The least rank correlation at which a map counts as the same under shuffled weights."""

Score = Callable[[np.ndarray], np.ndarray]
"""Pictures N×H×W×C to N scores."""


@dataclass(frozen=True, eq=False)
class Curve:
    """The score while pixels are added or removed.

    Attributes:
        shares: P numbers from 0 to 1: the share of the pixels that are added or removed.
        scores: P scores.
    """

    shares: np.ndarray
    scores: np.ndarray

    @property
    def area(self) -> float:
        """The area under the curve: low is good for deletion, high for insertion."""
        steps = np.diff(self.shares)
        return float((steps * (self.scores[1:] + self.scores[:-1]) / 2).sum())


def importance(
    values: np.ndarray, size: tuple[int, int], low_is_notable: bool = False
) -> np.ndarray:
    """Return a number for each pixel of the picture, large where it matters.

    Args:
        values: a map, h×w; a coarse one is scaled to the picture's size by linear interpolation
            between the centres of its cells.
        size: height and width of the picture, in pixels.
        low_is_notable: whether small values mark what matters, as in an occlusion map.
    """
    found = np.asarray(values, np.float64)
    for axis, side in enumerate(size):
        count = found.shape[axis]
        if count != side:
            places = np.clip((np.arange(side) + 0.5) * count / side - 0.5, 0, count - 1)
            below = np.minimum(places.astype(int), max(count - 2, 0))
            above = np.minimum(below + 1, count - 1)
            shape = [1, 1]
            shape[axis] = side
            part = (places - below).reshape(shape)
            found = found.take(below, axis) * (1 - part) + found.take(above, axis) * part
    return -found if low_is_notable else found


def deletion(score: Score, image: np.ndarray, order: np.ndarray, *, steps: int = STEPS) -> Curve:
    """Remove pixels in an order: each is replaced by the picture's mean colour.

    Args:
        score: the network: one number for each picture.
        image: H×W×C.
        order: the indices of all H·W pixels in the flattened picture, the first to remove first.
        steps: points of the curve, not counting the first; at most one for each pixel.
    """
    mean = np.broadcast_to(image.mean(axis=(0, 1)), image.shape)
    return _replaced(score, image, mean, order, steps)


def insertion(score: Score, image: np.ndarray, order: np.ndarray, *, steps: int = STEPS) -> Curve:
    """Add the picture's pixels in an order to the blurred picture; arguments as of `deletion`."""
    return _replaced(score, blurred(image), image, order, steps)


def blurred(image: np.ndarray) -> np.ndarray:
    """Return a picture H×W×C blurred beyond recognition: Gaussian, σ an eighth of the long side."""
    from scipy.ndimage import gaussian_filter

    deviation = max(image.shape[:2]) / 8
    sigma = (deviation, deviation, 0)
    return np.asarray(gaussian_filter(image.astype(np.float32), sigma, mode="nearest"))


def by_importance(values: np.ndarray) -> np.ndarray:
    """Return the indices of all pixels, the most important first; ties in a fixed random order.

    Where a map is constant it ranks no pixel before another, so these must not go row by row.
    """
    flat = np.asarray(values).ravel()
    tie = np.random.default_rng(0).permutation(flat.size)
    return np.lexsort((tie, -flat))


def _replaced(
    score: Score, begin: np.ndarray, end: np.ndarray, order: np.ndarray, steps: int
) -> Curve:
    count = order.size
    cuts = np.unique(np.round(np.linspace(0, count, min(steps, count) + 1)).astype(int))
    shape = begin.shape
    first, last = (each.reshape(count, -1).astype(np.float32) for each in (begin, end))
    pictures = np.repeat(first[None], len(cuts), axis=0)
    for row, cut in enumerate(cuts):
        gone = order[:cut]
        pictures[row, gone] = last[gone]
    scores = np.asarray(score(pictures.reshape(-1, *shape)), np.float64)
    return Curve(cuts / count, scores)


# --- shuffled weights ---------------------------------------------------------------------------


@contextlib.contextmanager
def shuffled(
    network: Network, seed: int = 0, *, input: str | None = None, output: str | None = None
) -> Iterator[Network]:
    """Yield a view of a network in which the values of each weight are shuffled.

    The weights are restored when the block ends, however it ends.

    Args:
        network: its weights are shuffled in place.
        seed: of the shuffling.
        input: as of `Network`, where the network was opened with one.
        output: as of `Network`, where the network was opened with one.

    Raises:
        ModelError: the network can't be used with such weights.
    """
    from kerascnn.network.network import Network

    model = network.model
    kept = model.get_weights()
    random = np.random.default_rng(seed)
    try:
        model.set_weights([_shuffled(random, weight) for weight in kept])
        # A new view: the old one may hold what it computed with the old weights.
        yield Network(
            model,
            preprocessing=network.input.preprocessing,
            labels=network.labels,
            input=input,
            output=output,
        )
    finally:
        model.set_weights(kept)


def _shuffled(random: np.random.Generator, weight: np.ndarray) -> np.ndarray:
    if np.asarray(weight).dtype.kind != "f" and str(weight.dtype) != "bfloat16":
        return weight  # counters and seeds
    return random.permutation(weight.ravel()).reshape(weight.shape)


def likeness(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> float:
    """Return how similar two sets of maps are: the mean rank correlation of absolute values.

    Args:
        first: maps, h×w each.
        second: maps of the same sizes, of the network with shuffled weights.

    Returns:
        1 for the same order of pixels, about 0 for unrelated ones; 0 where a map is constant.
    """
    from scipy.stats import rankdata

    found = []
    for one, other in zip(first, second, strict=True):
        ranks = [rankdata(np.abs(each).ravel()) for each in (one, other)]
        if any(np.ptp(each) == 0 for each in ranks):
            found.append(0.0)
            continue
        found.append(float(np.corrcoef(ranks)[0, 1]))
    return float(np.mean(found))
