"""`Curves`: numbers along an axis, such as histograms and deletion curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kerascnn.results.base import Result
from kerascnn.results.record import array, items

if TYPE_CHECKING:
    import numpy as np


class Curves(Result):
    """Lines over an axis.

    Attributes:
        values: N×P: N lines of P points; `unit` is what they are measured in.
        x: where the points are: P numbers for all lines, or N×P.
        names: of the lines, in the legend or above the panels.
        x_label: what the axis is.
        bars: whether each point stands for the interval up to the next, as in a histogram.
        apart: whether each line has a panel of its own.
    """

    values: np.ndarray = array("N×P")
    x: np.ndarray = array("P | N×P")
    names: Sequence[str] = items("N", default=())
    x_label: str = ""
    bars: bool = False
    apart: bool = False
