"""`Images`: pictures to look at, and filters as weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from kerascnn.results.base import Result

if TYPE_CHECKING:
    import numpy as np


@dataclass(eq=False)
class Images(Result):
    """Pictures to look at.

    Attributes:
        values: N×H×W×C in the model's values; one channel is grey, three are a colour.
    """

    values: np.ndarray

    _ARRAYS: ClassVar[dict[str, str]] = {"values": "values"}

    def __post_init__(self) -> None:
        """Check the array."""
        self._array("values", "N×H×W×C")
        self._counted(len(self.values))


@dataclass(eq=False)
class Kernels(Result):
    """Filters of a layer, as weights.

    Attributes:
        values: K×h×w×C: K filters; C = 3 is drawn in colour, any other C as one picture each
            channel, zero in the middle of the scale.
        colour: whether three channels are the picture's own colours (red, green, blue).
    """

    values: np.ndarray
    colour: bool = False

    _ARRAYS: ClassVar[dict[str, str]] = {"values": "values"}

    def __post_init__(self) -> None:
        """Check the array."""
        self._array("values", "K×h×w×C")
        self._counted(len(self.values))
