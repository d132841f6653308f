"""What each layer of a network makes of a picture, and which pixels count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kerascnn.lecture.experiments.task import Array
from kerascnn.lecture.networks import Model

Shape = tuple[int, ...]


@dataclass(frozen=True)
class ShapeRow:
    """What one layer makes of a picture. Shapes are in Keras' order, without the batch.

    Attributes:
        layer: its name.
        kind: its class.
        data_format: which axis it takes for the channels; empty where it takes none for it.
        taken: the shape that goes in.
        shape: the shape that comes out.
        parameters: how many numbers it learns.
    """

    layer: str
    kind: str
    data_format: str
    taken: Shape
    shape: Shape
    parameters: int

    @property
    def channels_first(self) -> Shape:
        """What comes out in the lecture's order: channels, rows, columns."""
        if len(self.shape) == 3 and self.data_format == "channels_last":
            return (self.shape[2], *self.shape[:2])
        return self.shape


def trace(model: Model) -> list[ShapeRow]:
    """Send a blank picture through a Keras 2 `Sequential` and note what each layer makes of it."""
    import tensorflow as tf

    def outputs(values: Array) -> list[Array]:
        made = []
        for layer in model.layers:
            values = layer(values)
            made.append(values)
        return made

    start = tuple(model.input_shape[1:])
    # Compiled, since convolutions over channels_first maps need not have an eager form.
    shapes = [tuple(made.shape[1:]) for made in tf.function(outputs)(tf.zeros((1, *start)))]
    return [
        ShapeRow(
            layer=layer.name,
            kind=type(layer).__name__,
            data_format=getattr(layer, "data_format", "") if len(layer.input_shape) == 4 else "",
            taken=taken,
            shape=shape,
            parameters=int(layer.count_params()),
        )
        for layer, taken, shape in zip(model.layers, [start, *shapes[:-1]], shapes, strict=True)
    ]


def unseen(model: Model) -> tuple[int, int]:
    """Return how many of the picture's last rows and columns have no influence on the dense layers.

    Args:
        model: a Keras 2 `Sequential` that takes N×H×W×C.
    """
    import tensorflow as tf

    noise = np.random.default_rng(0).random((8, *model.input_shape[1:]), np.float32)

    def flat(pictures: Array) -> Array:
        for layer in model.layers:
            pictures = layer(pictures)
            if len(pictures.shape) == 2:
                break
        return pictures

    def slopes(pictures: Array) -> Array:
        return tf.gradients(flat(pictures), pictures)[0]  # type: ignore[no-any-return]

    counts = np.any(tf.function(slopes)(tf.constant(noise)).numpy() != 0, axis=(0, 3))
    return _trailing(counts.any(axis=1)), _trailing(counts.any(axis=0))


def _trailing(counts: Array) -> int:
    """Return how many of the last values are False."""
    return len(counts) - 1 - int(np.max(np.flatnonzero(counts)))
