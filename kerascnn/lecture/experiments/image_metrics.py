"""What pictures look like, in numbers: strokes in one direction, sizes of patterns, digits.

The lecture describes what the ascents end at ("strokes", "television noise", "partly like digits").
These measures say how far pictures are like that.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kerascnn.lecture.experiments.task import Array as Pictures
from kerascnn.lecture.experiments.task import Labels


def coherence(pictures: Pictures) -> npt.NDArray[np.float64]:
    """Return how much each picture's edges run in one direction: 0 in all alike, 1 in one.

    From the structure tensor, the mean of the gradients' outer products: (λ₁ − λ₂) / (λ₁ + λ₂).

    Args:
        pictures: N×H×W.
    """
    down, right = np.gradient(pictures.astype(np.float64), axis=(1, 2))
    yy, xx, xy = (
        (a * b).mean(axis=(1, 2)) for a, b in ((down, down), (right, right), (down, right))
    )
    return np.asarray(np.sqrt((xx - yy) ** 2 + 4 * xy**2) / np.maximum(xx + yy, 1e-12))


def neighbours_alike(pictures: Pictures) -> npt.NDArray[np.float64]:
    """Return the correlation of each picture's pixels with their right and lower neighbours.

    About 0 in noise; in MNIST's digits about 0.8.

    Args:
        pictures: N×H×W.
    """
    found = []
    for picture in pictures.astype(np.float64):
        pairs = (picture[:, :-1], picture[:, 1:]), (picture[:-1], picture[1:])
        found.append(np.mean([_correlation(a.ravel(), b.ravel()) for a, b in pairs]))
    return np.array(found)


def nearest(pictures: Pictures, known: Pictures) -> tuple[npt.NDArray[np.intp], Pictures]:
    """Return, for each picture, the known one that it correlates with most, and how much.

    Each is tried moved by up to two pixels, since an ascent does not know where the middle is.

    Args:
        pictures: N×H×W.
        known: M×H×W.
    """
    flat = _unit(known.reshape(len(known), -1))
    best = np.full(len(pictures), -np.inf)
    which = np.zeros(len(pictures), np.intp)
    for down in range(-2, 3):
        for right in range(-2, 3):
            moved = np.roll(pictures, (down, right), (1, 2)).reshape(len(pictures), -1)
            alike = _unit(moved) @ flat.T
            place = alike.argmax(axis=1)
            value = alike[np.arange(len(pictures)), place]
            which = np.where(value > best, place, which)
            best = np.maximum(value, best)
    return which, best


def voted(
    pictures: Pictures, known: Pictures, classes: Labels, count: int = 5
) -> npt.NDArray[np.intp]:
    """Return the class that most of the nearest known pictures have, by their pixels alone.

    Args:
        pictures: N×H×W in [0, 1].
        known: M×H×W in [0, 1].
        classes: M whole numbers.
        count: how many neighbours vote; of classes with as many votes the lowest wins.
    """
    a, b = (every.reshape(len(every), -1).astype(np.float32) for every in (pictures, known))
    distance = (b**2).sum(axis=1) - 2 * a @ b.T
    near = classes[distance.argsort(axis=1, kind="stable")[:, :count]]
    return np.array([np.bincount(votes).argmax() for votes in near])


def closeness(pictures: Pictures, known: Pictures) -> Pictures:
    """Return the cosine between each picture and the known one that it is nearest to.

    Args:
        pictures: N×H×W, black 0.
        known: M×H×W, black 0.
    """
    a, b = (every.reshape(len(every), -1).astype(np.float32) for every in (pictures, known))
    a, b = (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9) for rows in (a, b))
    return np.asarray((a @ b.T).max(axis=1))


def _unit(rows: Pictures) -> Pictures:
    centred = rows.astype(np.float32) - rows.mean(axis=1, keepdims=True, dtype=np.float32)
    return np.asarray(centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9))


def _correlation(a: Pictures, b: Pictures) -> float:
    return float((_unit(a[None]) @ _unit(b[None]).T)[0, 0])
