"""`Layer`: what is known of one layer of a network; kernels, whatever the layer's kind."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kerascnn.graph.live_types import KerasLayer, Tensor
from kerascnn.graph.receptive import Field


@dataclass(frozen=True)
class Layer:
    """What is known of one layer call.

    Attributes:
        name: its name, after those of the models it is nested in.
        kind: its class name.
        shape: of what it gives for one picture, channels last; None for an unknown size.
        stored_shape: the same in the order in which the model keeps it.
        parameters: how many numbers were learned or kept.
        weights_per_filter: how many weights one filter or neuron has, without its bias; None for
            layers without filters.
        field: receptive field of one unit; None where each sees the whole picture.
        index: the number of the tensor that it gives.
    """

    name: str
    kind: str
    shape: tuple[int | None, ...]
    stored_shape: tuple[int | None, ...]
    parameters: int
    weights_per_filter: int | None
    field: Field | None
    index: int

    @property
    def is_map(self) -> bool:
        """Whether it gives maps: height × width × channels."""
        return len(self.shape) == 3

    @property
    def channels(self) -> int:
        """How many filters or neurons it has."""
        return self.shape[-1] or 0


def kernel_shape(layer: KerasLayer) -> tuple[int, ...] | None:
    """Return the shape that `kernel_of` would give, without reading the numbers."""
    variable = _kernel_variable(layer)
    if variable is None:
        return None
    kind, shape = type(layer).__name__, tuple(int(n) for n in variable.shape)
    if "Transpose" in kind:  # stored with the filters before the inputs
        return (*shape[:-2], shape[-1], shape[-2])
    if "Depthwise" in kind or "Separable" in kind:  # inputs × multiplier
        return (*shape[:-2], 1, shape[-2] * shape[-1])
    return shape


def kernel_of(layer: KerasLayer) -> np.ndarray | None:
    """Return a live layer's kernel: height × width × inputs × filters, or inputs × neurons.

    A depthwise kernel has its one filter for each input in the last axis: h × w × 1 × inputs.
    """
    shape = kernel_shape(layer)
    if shape is None:
        return None
    kernel = np.asarray(_kernel_variable(layer), np.float32)
    is_transposed = "Transpose" in type(layer).__name__
    return np.moveaxis(kernel, -2, -1) if is_transposed else kernel.reshape(shape)


def parameters_of(layer: KerasLayer) -> int:
    """Return how many numbers a live layer learned or keeps."""
    return sum(math.prod(int(n) for n in w.shape) for w in getattr(layer, "weights", []))


def _kernel_variable(layer: KerasLayer) -> Tensor | None:
    found = (getattr(layer, name, None) for name in ("kernel", "depthwise_kernel"))
    return next((v for v in found if v is not None and len(v.shape) in (2, 3, 4)), None)
