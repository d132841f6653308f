"""kerascnn: a lecture on convolutional networks reproduced, and visualizers for saved Keras models.

Everything here is public. The names load what they need when they are first used: importing the
package brings neither TensorFlow nor Matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from kerascnn.curves import Curves
from kerascnn.errors import (
    DataError,
    ImageError,
    KerascnnError,
    ModelError,
    PluginError,
    RefusedError,
    UsageError,
)
from kerascnn.progress import progress, say, track
from kerascnn.ranking import TopImages
from kerascnn.registry import hookimpl
from kerascnn.result import Film, Heatmap, Images, Kernels, LayerMaps, Maps, Result
from kerascnn.units import Unit, parse_units
from kerascnn.visualizer import Visualizer, option

if TYPE_CHECKING:
    from kerascnn.contract import InputContract
    from kerascnn.network import Network, Target
    from kerascnn.running import visualize
    from kerascnn.style import deep_style

__version__ = "0.1.0"

__all__ = [
    "Curves",
    "DataError",
    "Film",
    "Heatmap",
    "ImageError",
    "Images",
    "InputContract",
    "KerascnnError",
    "Kernels",
    "LayerMaps",
    "Maps",
    "ModelError",
    "Network",
    "PluginError",
    "RefusedError",
    "Result",
    "Target",
    "TopImages",
    "Unit",
    "UsageError",
    "Visualizer",
    "deep_style",
    "hookimpl",
    "option",
    "parse_units",
    "progress",
    "say",
    "track",
    "visualize",
]

_LATE = {
    "InputContract": "kerascnn.contract",
    "Network": "kerascnn.network",
    "Target": "kerascnn.network",
    "deep_style": "kerascnn.style",
    "visualize": "kerascnn.running",
}


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(importlib.import_module(_LATE[name]), name)
    raise AttributeError(f"module 'kerascnn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
