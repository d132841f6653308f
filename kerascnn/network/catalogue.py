"""The layers of a network, and how they are named: by name, glob or place."""

from __future__ import annotations

import fnmatch
import functools
import math

from kerascnn.errors import UsageError, nearest, one_line
from kerascnn.graph.layers import Layer, kernel_shape, parameters_of
from kerascnn.graph.model_graph import LayerCall
from kerascnn.network.prepared_model import Prepared


class Catalogue:
    """Describes and finds a prepared model's layers.

    Args:
        prepared: the model.
    """

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared

    @functools.cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers' calls in the order of the data, nested models unfolded."""
        counted: set[int] = set()
        found = []
        for step in self._prepared.graph.steps:
            if step.shapes and step.shapes[0] is not None:
                found.append(self._describe(step, first=id(step.layer) not in counted))
                counted.add(id(step.layer))
        return tuple(found)

    def find(self, name: str | Layer) -> Layer:
        """Return a layer by its name; that of the innermost model will do where it is unique.

        Raises:
            UsageError: there is none, or there are several.
        """
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
        """Return layers by name, glob, ``first-conv`` or ``last-conv``, in the model's order.

        Raises:
            UsageError: a pattern fits no layer.
        """
        chosen: set[int] = set()
        for pattern in patterns:
            chosen.update(layer.index for layer in self._fitting(pattern))
        return [layer for layer in self.layers if layer.index in chosen]

    def convolutions(self) -> list[Layer]:
        """Return every convolution: depthwise, separable and transposed ones too; maybe none."""
        return [layer for layer in self.layers if "Conv" in layer.kind and layer.is_map]

    def step(self, layer: Layer) -> LayerCall:
        """Return the call that a layer describes."""
        step = self._prepared.graph.producer(layer.index)
        assert step is not None
        return step

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

    def _describe(self, step: LayerCall, first: bool) -> Layer:
        index, stored = step.outputs[0], step.shapes[0] or ()
        per_picture = stored[1:]
        is_first = len(stored) == 4 and self._prepared.channel_axis(index) == 1
        kernel = kernel_shape(step.layer)
        return Layer(
            name=step.path,
            kind=step.kind,
            shape=(*stored[2:], stored[1]) if is_first else per_picture,
            stored_shape=per_picture,
            parameters=parameters_of(step.layer) if first else 0,
            weights_per_filter=None if kernel is None else math.prod(kernel[:-1]),
            field=self._prepared.geometry.field(index) if len(stored) == 4 else None,
            index=index,
        )
