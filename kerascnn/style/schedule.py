"""Coarse to fine: what is painted, at which sizes, and for how many steps.

The cost of a step is proportional to the number of pixels. The large features of a painting (where
which stroke goes) are best found while the picture is small and steps are cheap; larger sizes only
add the detail that smaller ones could not show. So each size gets little more time than the last.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kerascnn.errors import ImageError
from kerascnn.style.pictures import resized
from kerascnn.style.settings import StyleSettings

_RATIO = math.sqrt(2.0)
_FEWER = 0.75  # the number of steps falls with this power of the number of pixels
_FEWEST_STEPS = 10
_PLATEAU_STEPS = 10


@dataclass(frozen=True)
class Stage:
    """One size of a painting.

    Attributes:
        size: height and width in pixels.
        steps: how many steps at the most.
    """

    size: tuple[int, int]
    steps: int


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


def stages(size: tuple[int, int], settings: StyleSettings, least: int, name: str) -> list[Stage]:
    """Return the sizes of a painting, the smallest first, its own (height and width) last.

    Raises:
        ImageError: a side is shorter than ``least``, the pixels that the network needs.
    """
    if min(size) < least:
        raise ImageError(
            f"{name} is too narrow to be painted: {size[1]}×{size[0]} pixels, and the layers need "
            f"at least {least} a side; crop it, or take a larger --size"
        )
    longest = max(size)
    smallest = settings.smallest if settings.coarse_to_fine else longest
    count = max(0, math.ceil(math.log(longest / smallest, _RATIO) - 1e-9))
    ratio = (longest / smallest) ** (1.0 / count) if count else 1.0
    sizes = [(round(size[0] / ratio**k), round(size[1] / ratio**k)) for k in range(count, -1, -1)]
    sizes = [some for some in sizes if min(some) >= 2 * least] or [size]
    fewest = min(_FEWEST_STEPS, settings.iterations)
    shares = [(some[0] * some[1] / (sizes[0][0] * sizes[0][1])) ** _FEWER for some in sizes]
    return [
        Stage(some, max(fewest, round(settings.iterations / share)))
        for some, share in zip(sizes, shares, strict=True)
    ]


def on_plateau(losses: list[float], share: float) -> bool:
    """Return whether the last ten steps lowered the loss by less than a share of it; 0: never."""
    if not share or len(losses) <= _PLATEAU_STEPS:
        return False
    before, now = losses[-1 - _PLATEAU_STEPS], losses[-1]
    return before - now < share * abs(before)
