"""kerascnn: a lecture on convolutional networks reproduced, and visualizers for saved Keras models.

Everything here is public. A name loads what it needs when it is first used: importing the package
loads neither TensorFlow nor Matplotlib.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerascnn.errors import (
    DataError,
    ImageError,
    KerascnnError,
    ModelError,
    OutputError,
    PluginError,
    RefusedError,
    UsageError,
)
from kerascnn.lazy import attach
from kerascnn.network.units import Unit, parse_units
from kerascnn.plugin.hooks import hookimpl
from kerascnn.plugin.options import option
from kerascnn.plugin.visualizer import Visualizer
from kerascnn.render import draw
from kerascnn.results import (
    Curves,
    Film,
    Heatmap,
    Images,
    Kernels,
    LayerMaps,
    Maps,
    Result,
    TopImages,
    array,
    items,
)
from kerascnn.results.base import display_with
from kerascnn.terminal.progress import progress, say, track
from kerascnn.version import __version__

if TYPE_CHECKING:
    from kerascnn.graph.layers import Layer
    from kerascnn.network.input_spec import InputSpec
    from kerascnn.network.network import Network
    from kerascnn.network.target import Target
    from kerascnn.run.run import visualize
    from kerascnn.style.run import deep_style

__all__ = [
    "Curves",
    "DataError",
    "Film",
    "Heatmap",
    "ImageError",
    "Images",
    "InputSpec",
    "KerascnnError",
    "Kernels",
    "Layer",
    "LayerMaps",
    "Maps",
    "ModelError",
    "Network",
    "OutputError",
    "PluginError",
    "RefusedError",
    "Result",
    "Target",
    "TopImages",
    "Unit",
    "UsageError",
    "Visualizer",
    "__version__",
    "array",
    "deep_style",
    "draw",
    "hookimpl",
    "items",
    "option",
    "parse_units",
    "progress",
    "say",
    "track",
    "visualize",
]

_LATE = {
    "InputSpec": "kerascnn.network.input_spec",
    "Layer": "kerascnn.graph.layers",
    "Network": "kerascnn.network.network",
    "Target": "kerascnn.network.target",
    "deep_style": "kerascnn.style.run",
    "visualize": "kerascnn.run.run",
}

__getattr__, _ = attach(__name__, _LATE)


def __dir__() -> list[str]:
    return sorted(__all__)


def _display(result: Result) -> dict[str, str | bytes]:
    from kerascnn.render.notebook import bundle

    return bundle(result)


# Results know nothing of drawing; here, where both are known, notebooks get the function for it.
display_with(_display)
