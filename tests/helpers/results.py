"""A result of each kind."""

from __future__ import annotations

import numpy as np

from kerascnn import Heatmap, Images, Kernels, LayerMaps, Maps, TopImages

DRAW = np.random.default_rng(0)


def numbers(*shape):
    return DRAW.normal(size=shape).astype(np.float32)


def top(values, indices, *, seen, most=3, pictures=None, units=None, **more):
    values = np.asarray(values, np.float32)
    places = np.stack([np.asarray(indices), np.asarray(indices) + 1], axis=-1)
    return TopImages(
        values, indices, places, np.repeat(places, 2, axis=-1), layer="conv",
        units=range(len(values)) if units is None else units, most=most, seen=seen, **more,
    )  # fmt: skip


def each_kind():
    yield Heatmap(numbers(2, 3, 4), over=numbers(2, 6, 8, 3), signed=True, captions=["a", "中 $x$"])
    yield Images(numbers(1, 1, 1, 1), title="one", notes=["n"], facts={"a": [1, 2]})
    yield Kernels(numbers(4, 3, 3, 3), colour=True, unit="weight")
    dense = LayerMaps("dense", numbers(2, 10), range(10), 10, names=list("0123456789"))
    conv = LayerMaps("conv", numbers(2, 5, 5, 3), [4, 0, 2], 6, kernels=numbers(3, 3, 3, 1))
    yield Maps(over=numbers(2, 7, 7, 1), layers=[conv, dense], shared_scale=True)
    yield top([[3, 2, 1]], [[4, 0, 9]], seen=10)
    yield top([[3, 2, 1]], [[4, 0, 9]], seen=10).complete(numbers(3, 4, 4, 1), ["a", "b", "c"])
