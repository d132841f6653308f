"""Pooling whose gradient is cheap: the same numbers, computed by comparison.

TensorFlow's gradient of max pooling on a processor costs several times the pooling itself, and
dominates an ascent on a small network.
"""

from __future__ import annotations

from typing import Any

from kerascnn.graph import Graph, Replace, Step


def lean(graph: Graph) -> dict[Step, Replace]:
    """Return replacements for the steps whose gradient there is a cheaper way to."""
    return {step: _pool for step in graph.steps if _tiles(step)}


def _tiles(step: Step) -> bool:
    """Whether a step is a max pooling over windows that neither overlap nor leave the map."""
    layer = step.layer
    return (
        step.kind == "MaxPooling2D"
        and tuple(layer.pool_size) == tuple(layer.strides)
        and layer.padding == "valid"
        and layer.data_format == "channels_last"
        and len(step.inputs) == 1
    )


def _pool(step: Step, args: Any, kwargs: Any) -> Any:
    import tensorflow as tf

    values = args[0] if args else kwargs["inputs"]
    down, right = step.layer.pool_size

    @tf.custom_gradient
    def pool(maps: Any) -> Any:
        size = tf.shape(maps)
        rows, columns, channels = size[1] // down, size[2] // right, maps.shape[3]
        pooled = tf.nn.max_pool2d(maps, (down, right), (down, right), "VALID")

        def back(upstream: Any) -> Any:
            shape = (-1, rows, down, columns, right, channels)
            whole = maps[:, : rows * down, : columns * right]
            largest = tf.cast(
                tf.reshape(whole, shape) == pooled[:, :, None, :, None, :], maps.dtype
            )
            # Where several are largest, each has its share: a subgradient, unlike giving all of
            # it to each.
            flat = tf.reshape(largest, tf.shape(whole))
            share = upstream / (
                tf.nn.avg_pool2d(flat, (down, right), (down, right), "VALID") * (down * right)
            )
            spread = tf.reshape(largest * share[:, :, None, :, None, :], tf.shape(whole))
            missing = [[0, 0], [0, size[1] - rows * down], [0, size[2] - columns * right], [0, 0]]
            return tf.pad(spread, missing)

        return pooled, back

    return pool(values)
