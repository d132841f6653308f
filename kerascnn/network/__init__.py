"""`Network`: the one view that visualizers have of a model. NumPy in, NumPy out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerascnn.lazy import attach

if TYPE_CHECKING:
    from kerascnn.network.network import Network
    from kerascnn.network.target import Target

__all__ = ["Network", "Target"]

__getattr__, __dir__ = attach(
    __name__, {"Network": "kerascnn.network.network", "Target": "kerascnn.network.target"}
)
