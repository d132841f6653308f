"""`Heatmap`: a number for each pixel of each picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from kerascnn.errors import PluginError
from kerascnn.results.base import Result

if TYPE_CHECKING:
    import numpy as np


@dataclass(eq=False)
class Heatmap(Result):
    """A number for each pixel of each picture.

    Attributes:
        values: N×H×W; H and W may be smaller than the picture's (a coarse map).
        over: the pictures, N×H×W×C in the model's values.
        signed: whether the sign has a meaning; drawn by a diverging scale centred on zero.
        clip: percentile of the absolute values at which the picture's scale ends; the values
            stay as they are.
        low_is_notable: whether the small values are the message (a score that falls where
            something is hidden); drawn blue where they are low.
        smooth: whether a coarse map is drawn with soft edges; the values stay.
        ends: where the picture's scale begins and ends, if not at the values' own ends.
    """

    values: np.ndarray
    over: np.ndarray
    signed: bool = False
    clip: float = 99.5
    low_is_notable: bool = False
    smooth: bool = False
    ends: tuple[float, float] | None = None

    _ARRAYS: ClassVar[dict[str, str]] = {"values": "values", "over": "images"}

    def __post_init__(self) -> None:
        """Check the arrays against each other."""
        self._array("values", "N×H×W")
        self._array("over", "N×H×W×C")
        if len(self.values) != len(self.over):
            raise PluginError(
                f"Heatmap.values must be as many as the pictures ({len(self.over)}). "
                f"Received {len(self.values)}"
            )
        self._counted(len(self.values))
