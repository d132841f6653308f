"""`Curves`: numbers along an axis, as histograms and what a score does while pixels go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from kerascnn.errors import PluginError
from kerascnn.results.base import Result

if TYPE_CHECKING:
    import numpy as np


@dataclass(eq=False)
class Curves(Result):
    """Lines over an axis.

    Attributes:
        values: N×P: N lines of P points; `unit` is what they are measured in.
        x: where the points are: P numbers for all lines, or N×P.
        names: of the lines, in the legend or over the panels.
        x_label: what the axis is.
        bars: whether each point stands for the interval up to the next, as in a histogram.
        apart: whether each line has a panel of its own.
    """

    values: np.ndarray
    x: np.ndarray
    names: Sequence[str] = ()
    x_label: str = ""
    bars: bool = False
    apart: bool = False

    _ARRAYS: ClassVar[dict[str, str]] = {"values": "values", "x": "x"}

    def __post_init__(self) -> None:
        """Check the arrays against each other."""
        self._array("values", "N×P")
        self._array("x", "N×P" if getattr(self.x, "ndim", 1) == 2 else "P")
        self.names = [str(name) for name in self.names]
        if self.x.shape not in (self.values.shape, self.values.shape[1:]):
            raise PluginError(
                f"Curves.x must be of shape {self.values.shape[1:]} or {self.values.shape}. "
                f"Received {self.x.shape}"
            )
        if self.names and len(self.names) != len(self.values):
            raise PluginError(
                f"Curves.names must be {len(self.values)}. Received {len(self.names)}"
            )
        self._counted(len(self.values))
