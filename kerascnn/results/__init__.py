"""Arrays with their meaning: what a visualizer returns."""

from kerascnn.results.animation import Film
from kerascnn.results.base import Result
from kerascnn.results.curves import Curves
from kerascnn.results.heatmap import Heatmap
from kerascnn.results.images import Images, Kernels
from kerascnn.results.maps import LayerMaps, Maps
from kerascnn.results.record import Record, array, items
from kerascnn.results.top_images import TopImages

__all__ = [
    "Curves",
    "Film",
    "Heatmap",
    "Images",
    "Kernels",
    "LayerMaps",
    "Maps",
    "Record",
    "Result",
    "TopImages",
    "array",
    "items",
]
