"""How pictures are stored in a model's input tensor."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kerascnn.errors import ModelError
from kerascnn.graph.live_types import KerasLayer, Tensor
from kerascnn.graph.model_graph import Graph, Port

_CHANNELS = (1, 3, 4)


@dataclass(frozen=True)
class Layout:
    """A model's input as visualizers see it: height × width × channels.

    Attributes:
        shape: the picture's height, width and channels; None where any size will do.
        axis: the channel axis of the model's own tensor where that has rank 4.
        rank: the rank of the model's own tensor, the batch axis included.
    """

    shape: tuple[int | None, int | None, int]
    axis: int
    rank: int

    def to_model(self, pictures: Tensor) -> Tensor:
        """Turn an N×H×W×C tensor into what the model takes."""
        import tensorflow as tf

        height, width, channels = self.shape
        if self.rank == 4:
            return tf.transpose(pictures, (0, 3, 1, 2)) if self.axis == 1 else pictures
        if self.rank == 3:
            return pictures[..., 0]
        return tf.reshape(pictures, (-1, height * width * channels))  # type: ignore[operator]


def layout_of(graph: Graph, port: Port) -> Layout:
    """Return how pictures are stored in an input.

    A flat input is taken for a square picture where its length allows it (784 is 28×28×1, 3072 is
    32×32×3), else for a strip; one of rank 3 for a grey picture.

    Raises:
        ModelError: the input can't be a picture.
    """
    shape = port.shape
    if shape is None:
        raise ModelError(f"input {port.name!r} has no known shape")
    sizes = shape[1:]
    if len(sizes) == 3:
        axis = _picture_axis(graph, port)
        ordered = (*sizes[1:], sizes[0]) if axis == 1 else sizes
        if ordered[2] is None:
            raise ModelError(f"input {port.name!r} leaves its number of channels open")
        return Layout((ordered[0], ordered[1], ordered[2]), axis, 4)
    if len(sizes) == 2:
        return Layout((sizes[0], sizes[1], 1), 3, 3)
    if len(sizes) == 1 and sizes[0] is not None:
        return Layout(_square(sizes[0]), 3, 2)
    hint = "choose another one by its name" if len(graph.inputs) > 1 else "and it is the only one"
    raise ModelError(f"input {port.name!r} of shape {shape} is no picture; {hint}")


def channel_axis(layer: KerasLayer) -> int | None:
    """Return the channel axis (1 or 3) that a layer of rank 4 declares; None if none."""
    declared = getattr(layer, "data_format", None)
    if declared == "channels_first":
        return 1
    return 3 if declared == "channels_last" else None


def _square(length: int) -> tuple[int, int, int]:
    for channels in (1, 3):
        side = math.isqrt(length // channels)
        if side > 1 and side * side * channels == length:
            return side, side, channels
    return 1, length, 1


def _picture_axis(graph: Graph, port: Port) -> int:
    """Return the channel axis of a rank-4 input: what the first layer says that declares one."""
    front = {port.index}
    for call in graph.calls:
        if not front.intersection(call.inputs):
            continue
        declared = channel_axis(call.layer)
        if declared is not None:
            return declared
        front.update(call.outputs)
    sizes = port.shape or ()
    # No layer declares one: a short first axis before two longer ones must be the channels.
    first = sizes[1] in _CHANNELS and sizes[3] not in _CHANNELS
    return 1 if first else 3
