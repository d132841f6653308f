"""Penalties: what a picture costs by itself, its values in [0, 1] from black to white."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kerascnn.ascent.objective import Objective, measure
from kerascnn.errors import UsageError

if TYPE_CHECKING:
    from tensorflow import Tensor


def l1(about: float = 0.0) -> Objective:
    """Return Σ|u − about| over a picture's values u in [0, 1]: the lecture's Σ|x_ij|.

    Args:
        about: 0 is black, 0.5 mid grey.
    """
    return power(1.0, about)


def power(exponent: float, about: float = 0.5) -> Objective:
    """Return Σ|u − about|^p: p = 2 is weight decay; a large p (6, say) acts on extremes alone.

    Raises:
        UsageError: p is below 1.
    """
    _check(exponent)
    return measure(lambda pictures: _powers(pictures - about, exponent))


def total_variation(exponent: float = 1.0) -> Objective:
    """Return Σ|difference|^p over all pairs of neighbouring pixels of a picture in [0, 1].

    Args:
        exponent: p; 1 gives flat areas with sharp edges, 2 soft ones.

    Raises:
        UsageError: p is below 1.
    """
    _check(exponent)

    def cost(pictures: Tensor) -> Tensor:
        down = pictures[:, 1:] - pictures[:, :-1]
        right = pictures[:, :, 1:] - pictures[:, :, :-1]
        return _powers(down, exponent) + _powers(right, exponent)

    return measure(cost)


def off_centre(within: float = 0.64, about: float = 0.0) -> Objective:
    """Return Σ|u − about| × how far the pixel lies outside a circle about the middle.

    It keeps what appears near the middle, where the subjects of photographs are.

    Args:
        within: the circle's radius; this, and the distance outside it, are in units of half the
            shorter side.
        about: the value that costs nothing: 0 is black.
    """

    def cost(pictures: Tensor) -> Tensor:
        import tensorflow as tf

        _, height, width, _ = pictures.shape
        half = min(height, width) / 2
        rows = (np.arange(height) - (height - 1) / 2) / half
        columns = (np.arange(width) - (width - 1) / 2) / half
        outside = np.maximum(np.hypot(rows[:, None], columns[None, :]) - within, 0.0)
        return _powers((pictures - about) * tf.constant(outside[None, :, :, None], tf.float32), 1)

    return measure(cost)


def _check(exponent: float) -> None:
    if exponent < 1:
        raise UsageError(f"the exponent of a penalty must be at least 1. Received: {exponent}")


def _powers(values: Tensor, exponent: float) -> Tensor:
    """Return Σ|value|^p of each picture."""
    import tensorflow as tf

    sizes = tf.abs(values)
    return tf.reduce_sum(sizes if exponent == 1 else sizes**exponent, (1, 2, 3))
