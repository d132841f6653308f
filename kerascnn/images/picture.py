"""A picture as the model sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Picture:
    """One picture as the model sees it.

    Attributes:
        values: the model's own values, float32 of shape (H, W, C).
        name: a short name, for captions; not unique.
        source: the path it was read from, or ``"sample …"``.
        label: the class it is known to show, as its data set numbers or names it; None where that
            is not known.
        original_size: height and width of the picture before it was fitted to the model, in pixels.
    """

    values: np.ndarray
    name: str
    source: str
    label: str | None
    original_size: tuple[int, int]
