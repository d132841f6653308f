"""From a result to a picture: drawn from its meaning, never from anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerascnn.lazy import attach
from kerascnn.render import palette
from kerascnn.render.figure import DPI, Decode, draw, new_figure, to_png

if TYPE_CHECKING:
    from kerascnn.render.sheet import Sheet

__all__ = ["DPI", "Decode", "Sheet", "draw", "new_figure", "palette", "to_png"]

__getattr__, _ = attach(__name__, {"Sheet": "kerascnn.render.sheet"})
