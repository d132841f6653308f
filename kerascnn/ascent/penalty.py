"""What pictures are like: penalties, on the picture itself in [0, 1] from black to white."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerascnn.ascent.objective import Measure, Objective, single
from kerascnn.errors import UsageError


@dataclass(frozen=True, eq=False)
class _Power(Measure):
    exponent: float
    about: float

    def value(self, given: Sequence[Any], items: Any) -> Any:
        import tensorflow as tf

        away = tf.abs(given[0] - self.about)
        powered = away if self.exponent == 1 else away**self.exponent
        return tf.reduce_sum(powered, (1, 2, 3))


def l1(about: float = 0.0) -> Objective:
    """Return Σ|u − about| over a picture's values u in [0, 1]: the lecture's Σ|x_ij|.

    Args:
        about: 0 is black, 0.5 mid grey.
    """
    return single(_Power(1.0, about))


def power(exponent: float, about: float = 0.5) -> Objective:
    """Return Σ|u − about|^p: p = 2 is weight decay, a large p (6, say) forbids extremes alone.

    Raises:
        UsageError: p is below 1.
    """
    if exponent < 1:
        raise UsageError(f"the exponent of a penalty must be at least 1. Received: {exponent}")
    return single(_Power(float(exponent), about))


@dataclass(frozen=True, eq=False)
class _Variation(Measure):
    exponent: float

    def value(self, given: Sequence[Any], items: Any) -> Any:
        import tensorflow as tf

        picture = given[0]
        total = 0.0
        for step in (
            picture[:, 1:] - picture[:, :-1],
            picture[:, :, 1:] - picture[:, :, :-1],
        ):
            sizes = tf.abs(step) if self.exponent == 1 else tf.abs(step) ** self.exponent
            total += tf.reduce_sum(sizes, (1, 2, 3))
        return total


def total_variation(exponent: float = 1.0) -> Objective:
    """Return Σ|difference|^p over all pairs of neighbouring pixels of a picture in [0, 1].

    Args:
        exponent: p; 1 gives flat areas with sharp edges, 2 soft ones.
    """
    if exponent < 1:
        raise UsageError(f"the exponent of a penalty must be at least 1. Received: {exponent}")
    return single(_Variation(float(exponent)))


@dataclass(frozen=True, eq=False)
class _OffCentre(Measure):
    within: float
    about: float

    def value(self, given: Sequence[Any], items: Any) -> Any:
        import tensorflow as tf

        picture = given[0]
        _, height, width, _ = picture.shape
        half = min(height, width) / 2
        rows = (np.arange(height) - (height - 1) / 2) / half
        columns = (np.arange(width) - (width - 1) / 2) / half
        beyond = np.maximum(np.hypot(rows[:, None], columns[None, :]) - self.within, 0.0)
        weights = tf.constant(beyond[None, :, :, None], tf.float32)
        return tf.reduce_sum(tf.abs(picture - self.about) * weights, (1, 2, 3))


def off_centre(within: float = 0.64, about: float = 0.0) -> Objective:
    """Return Σ|u − about| × how far the pixel lies outside a circle about the middle.

    What is sought stands in the middle of a picture, as the subjects of pictures do.

    Args:
        within: the circle's radius; this and the distance beyond it as shares of half the shorter
            side.
        about: the value that costs nothing: 0 is black.
    """
    return single(_OffCentre(float(within), float(about)))
