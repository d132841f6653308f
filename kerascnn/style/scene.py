"""`Scene`: what is painted, and in which sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kerascnn.style.pictures import resized
from kerascnn.style.schedule import Stage


@dataclass(frozen=True)
class Scene:
    """What is painted, and in which sizes.

    Attributes:
        content: H×W×3 in [0, 1], of the painting's full size.
        name: the content's.
        stages: the sizes, the smallest first.
        regions: R×H×W masks, or None.
        start: the picture to start from, where ``--start`` names one.
    """

    content: np.ndarray
    name: str
    stages: Sequence[Stage]
    regions: np.ndarray | None = None
    start: np.ndarray | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the painting."""
        return (self.content.shape[0], self.content.shape[1])

    def content_at(self, size: tuple[int, int]) -> np.ndarray:
        """Return the content at a size."""
        return np.asarray(np.clip(resized(self.content, size), 0.0, 1.0))
