"""`Images`: pictures to look at; `Kernels`: filters as weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerascnn.results.base import Result
from kerascnn.results.record import array

if TYPE_CHECKING:
    import numpy as np


class Images(Result):
    """Pictures to look at.

    Attributes:
        values: N×H×W×C in the model's values; one channel is grey, three are RGB.
    """

    values: np.ndarray = array("N×H×W×C")


class Kernels(Result):
    """Filters of a layer, as weights.

    Attributes:
        values: K×h×w×C: K filters of C channels. With ``colour`` three channels are drawn as one
            picture; otherwise each channel is a picture, with zero in the middle of the scale.
        colour: whether three channels are the picture's own colours (red, green, blue).
    """

    values: np.ndarray = array("K×h×w×C")
    colour: bool = False
