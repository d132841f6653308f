"""Layers that are a weighted sum of the layer before: what the sums over their maps are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kerascnn.graph.activation import activation_name
from kerascnn.graph.layers import Layer
from kerascnn.network.layer_catalogue import LayerCatalogue
from kerascnn.network.prepared_model import PreparedModel

_KINDS = frozenset({"Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose", "Dense"})


def affine_sums(
    prepared: PreparedModel, catalogue: LayerCatalogue, layer: Layer, channels: Sequence[int]
) -> tuple[str, np.ndarray, np.ndarray] | None:
    """Return what sums over a layer's maps are made of; see `Network.affine`."""
    import tensorflow as tf

    call = catalogue.call_of(layer)
    before = [known for known in catalogue.layers if known.index in call.inputs]
    if len(call.inputs) != 1 or len(before) != 1 or None in before[0].shape:
        return None
    if call.kind not in _KINDS or activation_name(call.layer) != "linear":
        return None
    source = before[0]
    # Called once, so compiling it would take longer than running it.
    at = tf.zeros((len(channels), *source.stored_shape))
    with tf.GradientTape() as tape:
        tape.watch(at)
        (value,) = prepared.graph.run({source.index: at}, [layer.index])
        value = prepared.outward(layer.index, value)
        value = tf.reduce_sum(value, tuple(range(1, value.shape.rank - 1)))
        value = tf.reduce_sum(value * tf.one_hot(list(channels), layer.channels), -1)
    weights = prepared.outward(source.index, tape.gradient(value, at))
    return source.name, np.asarray(weights), np.asarray(value)
