"""`Heatmap`: a number for each pixel of each picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerascnn.results.base import Result
from kerascnn.results.record import array

if TYPE_CHECKING:
    import numpy as np


class Heatmap(Result):
    """A number for each pixel of each picture.

    Attributes:
        values: N×h×w; h and w may be smaller than the picture's (a coarse map).
        over: the pictures, N×H×W×C in the model's values.
        signed: whether the sign has a meaning; drawn on a diverging scale centred on zero.
        clip: percentile of the absolute values at which the picture's scale ends; the values
            are not changed.
        low_is_notable: whether low values are the important ones (a score that falls where
            something is hidden); drawn blue where they are low.
        smooth: whether a coarse map is drawn with soft edges; the values are not changed.
        ends: where the picture's scale begins and ends; None for the ends of the values.
    """

    values: np.ndarray = array("N×h×w")
    over: np.ndarray = array("N×H×W×C", saved_as="images")
    signed: bool = False
    clip: float = 99.5
    low_is_notable: bool = False
    smooth: bool = False
    ends: tuple[float, float] | None = None
