"""The layers of a network, and how they are named: by name, glob or place."""

from __future__ import annotations

import fnmatch
import functools
import math

import numpy as np

from kerascnn.errors import ModelError, UsageError, nearest, one_line
from kerascnn.graph.layers import Layer, kernel_of, kernel_shape, parameters_of
from kerascnn.graph.model_graph import LayerCall
from kerascnn.network.prepared_model import PreparedModel


class LayerCatalogue:
    """Describes and finds a prepared model's layers."""

    def __init__(self, prepared: PreparedModel) -> None:
        self._prepared = prepared

    @functools.cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers' calls in the order of the data, nested models unfolded."""
        counted: set[int] = set()
        found = []
        for call in self._prepared.graph.calls:
            if call.shapes and call.shapes[0] is not None:
                found.append(self._describe(call, first=id(call.layer) not in counted))
                counted.add(id(call.layer))
        return tuple(found)

    def find(self, name: str | Layer) -> Layer:
        """Return a layer by its name; see `Network.layer`."""
        if isinstance(name, Layer):
            return name
        exact = [layer for layer in self.layers if layer.name == name]
        found = exact or [layer for layer in self.layers if layer.name.rpartition("/")[2] == name]
        if len(found) == 1:
            return found[0]
        names = [layer.name for layer in found or self.layers]
        if found:
            raise UsageError(f"several layers are named {one_line(name)!r}: {', '.join(names)}")
        raise UsageError(f"no layer {one_line(name, 80)!r}{nearest(name, names)}")

    def select(self, *patterns: str) -> list[Layer]:
        """Return layers by patterns; see `Network.select`."""
        chosen: set[int] = set()
        for pattern in patterns:
            chosen.update(layer.index for layer in self._fitting(pattern))
        return [layer for layer in self.layers if layer.index in chosen]

    def convolutions(self) -> list[Layer]:
        """Return every convolution: depthwise, separable and transposed ones too; possibly none."""
        return [layer for layer in self.layers if "Conv" in layer.kind and layer.is_map]

    def kernel(self, layer: Layer) -> np.ndarray:
        """Return a layer's kernel; see `Network.weights`."""
        kernel = kernel_of(self.call_of(layer).layer)
        if kernel is None:
            raise ModelError(f"layer {layer.name!r} ({layer.kind}) has no filters")
        return kernel

    def call_of(self, layer: Layer) -> LayerCall:
        """Return the call that a layer describes."""
        call = self._prepared.graph.producer(layer.index)
        assert call is not None
        return call

    def _fitting(self, pattern: str) -> list[Layer]:
        if pattern in ("first-conv", "last-conv"):
            convolutions = self.convolutions()
            found = convolutions[:1] if pattern == "first-conv" else convolutions[-1:]
            if not found:
                raise UsageError("the network has no convolution with maps")
            return found
        if not any(c in pattern for c in "*?["):
            return [self.find(pattern)]
        fitting = [
            layer
            for layer in self.layers
            if fnmatch.fnmatchcase(layer.name, pattern)
            or fnmatch.fnmatchcase(layer.name.rpartition("/")[2], pattern)
        ]
        if not fitting:
            names = [layer.name for layer in self.layers]
            raise UsageError(f"no layer fits {one_line(pattern, 80)!r}{nearest(pattern, names)}")
        return fitting

    def _describe(self, call: LayerCall, first: bool) -> Layer:
        index, stored = call.outputs[0], call.shapes[0] or ()
        per_picture = stored[1:]
        is_first = len(stored) == 4 and self._prepared.geometry.channel_axis(index) == 1
        kernel = kernel_shape(call.layer)
        return Layer(
            name=call.path,
            kind=call.kind,
            shape=(*stored[2:], stored[1]) if is_first else per_picture,
            stored_shape=per_picture,
            parameters=parameters_of(call.layer) if first else 0,
            weights_per_filter=None if kernel is None else math.prod(kernel[:-1]),
            field=self._prepared.geometry.field(index) if len(stored) == 4 else None,
            index=index,
        )
