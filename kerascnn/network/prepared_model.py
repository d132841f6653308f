"""A model made ready for questions: from pictures to scores and inner tensors, in TensorFlow."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kerascnn.errors import ModelError, UsageError, nearest, one_line
from kerascnn.graph.compiled import compiled
from kerascnn.graph.head import Head, find_head
from kerascnn.graph.layout import Layout, layout_of
from kerascnn.graph.live_types import KerasModel, Tensor
from kerascnn.graph.model_graph import Graph, LayerCall, Port, Replace
from kerascnn.graph.node_reader import read_graph, shape_of
from kerascnn.graph.receptive import Geometry, Shapes, Size


@dataclass(frozen=True)
class ScoreSource:
    """Which tensor of a model a score is computed from.

    Attributes:
        index: the tensor whose maps are summed; None for the class scores.
        whole: whether all its channels are summed rather than one.
    """

    index: int | None = None
    whole: bool = False


CLASSES = ScoreSource()
"""The class scores."""


@dataclass(frozen=True, eq=False)
class PreparedModel:
    """A model's graph with its picture input, its explained output and where its logit is.

    Attributes:
        graph: the model's calls.
        port: the input that takes the picture.
        output: the output that is explained.
        layout: how pictures are stored in the input.
        geometry: channel axes and receptive fields of the tensors.
        head: where the class scores are.
    """

    graph: Graph
    port: Port
    output: Port
    layout: Layout
    geometry: Geometry
    head: Head
    _traced: dict[Size, Shapes] = field(default_factory=dict)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of how the model is fed."""
        fixed = [
            f"input {port.name!r} gets zeros; pictures go to {self.port.name!r}"
            for port in self.graph.inputs
            if port is not self.port
        ]
        others = [port.name for port in self.graph.outputs if port is not self.output]
        if others:
            names = one_line(", ".join(map(repr, others)), 120)
            fixed.append(f"output {self.output.name!r} is explained; there are also {names}")
        return (*self.geometry.warnings, *fixed)

    def checked(self, images: np.ndarray) -> np.ndarray:
        """Return pictures as float32.

        Raises:
            ModelError: they are not N × height × width × channels of the model, or it takes words.
        """
        if self._words:
            raise ModelError(
                f"input {self.port.name!r} takes the numbers of words (Embedding {self._words!r}), "
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
    def _words(self) -> str | None:
        """The layer that looks up what the input holds, if the input holds numbers of words."""
        calls = self.graph.consumers(self.port.index)
        return next((call.path for call in calls if call.kind == "Embedding"), None)

    @functools.cached_property
    def bytes_per_image(self) -> int:
        """Roughly what one picture takes: every layer's output, once forward and once back."""
        shapes = [shape for call in self.graph.calls for shape in call.shapes if shape]
        return 8 * sum(math.prod(n or 256 for n in shape[1:]) for shape in shapes)

    def feed(self, pictures: Tensor) -> dict[int, Tensor]:
        """Give the model's inputs: the pictures, and zeros for every other input."""
        import tensorflow as tf

        values = {self.port.index: tf.cast(self.layout.to_model(pictures), self.port.dtype)}
        for port in self.graph.inputs:
            if port is not self.port:
                sizes = [1 if n is None else n for n in (port.shape or ())[1:]]
                values[port.index] = tf.zeros((tf.shape(pictures)[0], *sizes), port.dtype)
        return values

    def source_index(self, source: ScoreSource) -> int:
        """Return the tensor that a score is computed from."""
        return self.output.index if source.index is None else source.index

    def replaced(self, source: ScoreSource) -> Mapping[LayerCall, Replace]:
        """Return what is done instead of some calls on the way to a score: logits come out."""
        return self.head.replace if source.index is None else {}

    def calls_before(self, source: ScoreSource) -> list[LayerCall]:
        """Return the calls on the ways from the picture to a score, in order.

        Class scores are logits: the call that ends in the head's activation is not among them.
        """
        calls = self.graph.between(self.port.index, self.source_index(source))
        head = self.replaced(source)
        return list(itertools.takewhile(lambda call: call not in head, calls))

    def run(
        self,
        pictures: Tensor,
        indices: Sequence[int],
        source: ScoreSource | None = None,
        replace: Mapping[LayerCall, Replace] | None = None,
    ) -> list[Tensor]:
        """Return inner tensors for N×H×W×C pictures, in the order in which the model keeps them.

        Args:
            pictures: float32, in the model's values.
            indices: the tensors' numbers; each comes out as Keras gives it.
            source: the tensor that this score is computed from comes last, as logits where it is
                the class scores.
            replace: what is done instead of some calls.
        """
        replace = replace or {}
        feed = self.feed(pictures)
        if source is None:
            return self.graph.run(feed, indices, replace)
        end, head = self.source_index(source), self.replaced(source)
        if not head:
            return self.graph.run(feed, [*indices, end], replace)
        # The head's call is done twice where a layer after it is wanted: as it is, and without its
        # activation.
        before = [index for call in head for index in call.inputs]
        values = self.graph.run(feed, [*indices, *before], replace)
        feed.update(zip(before, values[len(indices) :], strict=True))
        logits = self.graph.run(feed, [end], {**head, **replace})
        return [*values[: len(indices)], *logits]

    def shapes(self, size: Size) -> Shapes:
        """Return the tensors' shapes for a picture of a size, the batch first.

        A model that leaves sizes open is traced for it, which computes nothing.
        """
        known = self.geometry.shapes
        if all(shape is None or None not in shape[1:] for shape in known.values()):
            return known
        if size not in self._traced:
            import tensorflow as tf

            def run(pictures: Tensor) -> None:
                values = self.run(pictures, list(known))
                self._traced[size] = dict(zip(known, map(shape_of, values), strict=True))

            spec = tf.TensorSpec((1, *size, self.layout.shape[2]), tf.float32)
            compiled(run).get_concrete_function(spec)
        return self._traced[size]

    def unit_score(self, values: Tensor, whole: bool, channel: Tensor) -> Tensor:
        """Sum a unit's maps to one number each: those of one channel, or of the whole layer.

        The values are N×h×w×channels or N×neurons, as `outward` returns them.
        """
        import tensorflow as tf

        if not whole:
            values = values[..., channel]
        return tf.reduce_sum(tf.reshape(values, (tf.shape(values)[0], -1)), axis=1)

    def outward(self, index: int, value: Tensor) -> Tensor:
        """Turn an inner tensor into what visualizers see: float32, channels last."""
        import tensorflow as tf

        value = tf.cast(value, tf.float32)
        if value.shape.rank == 4 and self.geometry.channel_axis(index) == 1:
            return tf.transpose(value, (0, 2, 3, 1))
        return value


def prepare(
    model: KerasModel, input: str | None = None, output: str | None = None
) -> PreparedModel:
    """Read a model's graph, and find its picture input and its class scores.

    The input and the output are the model's first unless they are named.

    Raises:
        ModelError: its input can't be a picture.
        UsageError: no such input or output.
    """
    graph = read_graph(model)
    port = _named(graph.inputs, input, "input")
    result = _named(graph.outputs, output, "output")
    layout = layout_of(graph, port)
    geometry = Geometry(graph, port.index, layout.axis)
    head = find_head(graph, result.index, geometry)
    return PreparedModel(graph, port, result, layout, geometry, head)


def _named(ports: Sequence[Port], name: str | None, what: str) -> Port:
    if name is None:
        return ports[0]
    for port in ports:
        if port.name == name:
            return port
    raise UsageError(
        f"the model has no {what} {one_line(name, 60)!r}{nearest(name, [p.name for p in ports])}"
    )
