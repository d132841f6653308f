"""Adam (Kingma and Ba 2015), one step of it: for NumPy's arrays and TensorFlow's tensors alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_FIRST, _SECOND = 0.9, 0.999  # how much of each moment stays from step to step

Number = Any
"""A number, an array or a tensor, all of one library."""
Root = Callable[[Number], Number]


def adam_rate(rate: float, count: Number, sqrt: Root) -> Number:
    """Return the rate of step ``count`` (from 1), corrected for moments that began as zero."""
    return rate * sqrt(1 - _SECOND**count) / (1 - _FIRST**count)


def adam_step(
    gradient: Number, first: Number, second: Number, rate: Number, sqrt: Root, tiny: float
) -> tuple[Number, Number, Number]:
    """Return how far to go along the gradient, and the two moments after this step.

    Args:
        gradient: of any shape.
        first: the mean of the gradients so far, of the same shape.
        second: the mean of their squares.
        rate: from `adam_rate`.
        sqrt: the library's square root.
        tiny: what is added to the gradients' size, in their unit.
    """
    first = _FIRST * first + (1 - _FIRST) * gradient
    second = _SECOND * second + (1 - _SECOND) * gradient * gradient
    return rate * first / (sqrt(second) + tiny), first, second
