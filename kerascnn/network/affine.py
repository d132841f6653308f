"""Layers that are a weighted sum of the layer before: what sums over their maps come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kerascnn.graph.head import function_name
from kerascnn.graph.model_graph import LayerCall
from kerascnn.network.prepared_model import Prepared

if TYPE_CHECKING:
    from kerascnn.graph.layers import Layer

_KINDS = frozenset({"Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose", "Dense"})


def is_affine(step: LayerCall, before: Layer) -> bool:
    """Return whether a step is a weighted sum plus a bias of a layer of fixed size."""
    if step.kind not in _KINDS or None in before.shape:
        return False
    return function_name(step.layer.activation) == "linear"


def affine(
    prepared: Prepared, before: Layer, layer: Layer, channels: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (channels × the shape of ``before``) and constants of channels' sums.

    Args:
        prepared: the model.
        before: what the layer takes.
        layer: one that `is_affine`.
        channels: which of its filters or neurons.
    """
    import tensorflow as tf

    # Called once, so compiling it would take longer than running it.
    at = tf.zeros((len(channels), *before.stored_shape))
    with tf.GradientTape() as tape:
        tape.watch(at)
        (value,) = prepared.graph.run({before.index: at}, [layer.index])
        value = prepared.outward(layer.index, value)
        value = tf.reduce_sum(value, tuple(range(1, value.shape.rank - 1)))
        value = tf.reduce_sum(value * tf.one_hot(list(channels), layer.channels), -1)
    weights = prepared.outward(before.index, tape.gradient(value, at))
    return np.asarray(weights), np.asarray(value)
