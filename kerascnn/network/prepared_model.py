"""A model made ready to be asked: from pictures to its scores and inner tensors, in TensorFlow."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerascnn.errors import ModelError, UsageError, nearest, one_line
from kerascnn.graph.head import Head, find_head
from kerascnn.graph.layout import Layout, layout_of
from kerascnn.graph.model_graph import Graph, LayerCall, Port, Replace, flatten
from kerascnn.graph.receptive import Geometry


@dataclass(frozen=True, eq=False)
class Prepared:
    """A flattened model with its picture input, its explained output and where its logit is.

    Attributes:
        graph: the flattened model.
        port: the input that takes the picture.
        output: the output that is explained.
        layout: how pictures lie in the input.
        geometry: channel axes and receptive fields of the tensors.
        head: where the class scores are.
    """

    graph: Graph
    port: Port
    output: Port
    layout: Layout
    geometry: Geometry
    head: Head

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of how the model is fed."""
        fixed = [
            f"input {port.name!r} is held at zero; pictures go to {self.port.name!r}"
            for port in self.graph.inputs
            if port is not self.port
        ]
        others = [port.name for port in self.graph.outputs if port is not self.output]
        if others:
            names = one_line(", ".join(map(repr, others)), 120)
            fixed.append(f"output {self.output.name!r} is explained; --output also takes {names}")
        return (*self.geometry.warnings, *fixed)

    def checked(self, images: np.ndarray) -> np.ndarray:
        """Return pictures as float32.

        Raises:
            ModelError: they are not N × height × width × channels of the model, or it takes words.
        """
        if self.words:
            raise ModelError(
                f"input {self.port.name!r} takes the numbers of words (Embedding {self.words!r}), "
                "not pictures"
            )
        images = np.asarray(images, np.float32)
        expected = self.layout.shape
        fits = images.ndim == 4 and all(
            wanted is None or wanted == got
            for wanted, got in zip(expected, images.shape[1:], strict=True)
        )
        if not fits or not len(images):
            shown = " × ".join("any" if n is None else str(n) for n in expected)
            raise ModelError(f"images must be N × {shown}. Received the shape {images.shape}")
        return images

    @functools.cached_property
    def words(self) -> str | None:
        """The layer that looks up what the input holds, if the input holds numbers of words."""
        steps = self.graph.consumers(self.port.index)
        return next((step.path for step in steps if step.kind == "Embedding"), None)

    @functools.cached_property
    def bytes_per_image(self) -> int:
        """Roughly what one picture takes: every layer's output, once forward and once back."""
        shapes = [shape for step in self.graph.steps for shape in step.shapes if shape]
        return 8 * sum(math.prod(n or 256 for n in shape[1:]) for shape in shapes)

    def feed(self, pictures: Any) -> dict[int, Any]:
        """Give the model's inputs: the pictures, and zeros for every other input."""
        import tensorflow as tf

        values = {self.port.index: tf.cast(self.layout.to_model(pictures), self.port.dtype)}
        for port in self.graph.inputs:
            if port is not self.port:
                sizes = [1 if n is None else n for n in (port.shape or ())[1:]]
                values[port.index] = tf.zeros((tf.shape(pictures)[0], *sizes), port.dtype)
        return values

    def inner(
        self,
        pictures: Any,
        indices: Sequence[int],
        *,
        logits: bool,
        replace: Mapping[LayerCall, Replace] | None = None,
    ) -> list[Any]:
        """Return inner tensors for N×H×W×C pictures, as the model lays them out.

        Args:
            pictures: what to run it on.
            indices: the tensors' numbers.
            logits: whether the head's activation is left out.
            replace: steps to be done otherwise.
        """
        head = self.head.replace if logits else {}
        return self.graph.run(self.feed(pictures), indices, replace={**head, **(replace or {})})

    def scores(self, logits: Any) -> Any:
        """Turn the output's logits into N × classes scores, float32."""
        import tensorflow as tf

        logits = tf.cast(logits, tf.float32)
        rank = logits.shape.rank
        if rank and rank > 2:
            axis = self.channel_axis(self.output.index) if rank == 4 else rank - 1
            logits = tf.reduce_mean(logits, [a for a in range(1, rank) if a != axis])
        if self.head.kind == "binary":
            logits = tf.reshape(logits, (-1, 1))
            # The log-odds of either class: sigmoid gives the two probabilities.
            return tf.concat([-logits, logits], axis=1)
        return logits

    def outward(self, index: int, value: Any) -> Any:
        """Turn an inner tensor into what visualizers see: float32, channels last."""
        import tensorflow as tf

        value = tf.cast(value, tf.float32)
        if value.shape.rank == 4 and self.channel_axis(index) == 1:
            return tf.transpose(value, (0, 2, 3, 1))
        return value

    def channel_axis(self, index: int) -> int:
        """Return the channel axis of a tensor of rank 4."""
        return self.geometry.axes.get(index, 3)


def prepare(model: Any, input: str | None = None, output: str | None = None) -> Prepared:
    """Flatten a model, and find its picture input and its class scores.

    Args:
        model: a built model of either family.
        input: name of the input that takes the picture; None for the first.
        output: name of the output to explain; None for the first.

    Raises:
        ModelError: its input can't be a picture.
        UsageError: no such input or output.
    """
    graph = flatten(model)
    port = _named(graph.inputs, input, "input")
    result = _named(graph.outputs, output, "output")
    layout = layout_of(graph, port)
    geometry = Geometry(graph, port.index, layout.axis)
    head = find_head(graph, result.index, lambda index: geometry.axes.get(index, 3))
    return Prepared(graph, port, result, layout, geometry, head)


def _named(ports: Sequence[Port], name: str | None, what: str) -> Port:
    if name is None:
        return ports[0]
    for port in ports:
        if port.name == name:
            return port
    raise UsageError(
        f"the model has no {what} {one_line(name, 60)!r}{nearest(name, [p.name for p in ports])}"
    )
