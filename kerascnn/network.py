"""`Network`: the one view that visualizers have of a model. NumPy in, NumPy out.

The only room of the core that calls TensorFlow on a model's behalf. Whatever the family, the file
or the nesting: pictures are N×H×W×C float32 in the model's own values, maps have their channels
last, scores are logits.
"""

from __future__ import annotations

import fnmatch
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascnn.contract import InputContract
from kerascnn.errors import ModelError, UsageError, nearest, one_line
from kerascnn.graph import Graph, Port, Step, family_of, flatten
from kerascnn.head import Head, find_head
from kerascnn.layers import Layer, kernel_of, kernel_shape, parameters_of
from kerascnn.layout import Layout, layout_of
from kerascnn.memory import MemoryBudget
from kerascnn.preprocessing import find_preprocessing
from kerascnn.receptive import Box, Geometry

if TYPE_CHECKING:
    from kerascnn.loading import Loaded


@dataclass(frozen=True)
class Unit:
    """A target inside the network: a channel of a layer, or a whole layer.

    Its score is the sum over the channel's map: the lecture's "degree of activation" a^k.

    Attributes:
        layer: the layer's name.
        channel: which filter or neuron; None for all of them.
    """

    layer: str
    channel: int | None = None

    def __str__(self) -> str:
        """Return it as ``--target`` takes it."""
        return self.layer if self.channel is None else f"{self.layer}:{self.channel}"


Target = np.ndarray | Unit
"""What a visualizer explains: one class index for each image, or a `Unit`."""


class Network:
    """A model, prepared to be asked; the preparation is compared with the original.

    Args:
        model: a built model of Keras 2 (``tf_keras``) or Keras 3.
        preprocessing: a name of `kerascnn.contract.PREPROCESSINGS`; None to find it out.
        labels: class names, in order.
        input: name of the input that takes the picture, where there are several.
        output: name of the output to explain, where there are several.
        memory: bytes that work on it may take; None for a quarter of what is free.
        loaded: where the model came from, for the manifest.

    Raises:
        ModelError: it is no Keras model, its input is no picture, or the prepared model does not
            give the original's outputs.
        UsageError: no such input, output or preprocessing.
    """

    def __init__(
        self,
        model: Any,
        *,
        preprocessing: str | None = None,
        labels: Sequence[str] | None = None,
        input: str | None = None,
        output: str | None = None,
        memory: int | None = None,
        loaded: Loaded | None = None,
    ) -> None:
        self.model = model
        self.loaded = loaded
        self.family: str = family_of(model)
        self.memory = MemoryBudget(memory)
        self._graph: Graph = flatten(model)
        self._port = _named(self._graph.inputs, input, "input")
        self._output = _named(self._graph.outputs, output, "output")
        self._layout: Layout = layout_of(self._graph, self._port)
        self._geometry = Geometry(self._graph, self._port.index, self._layout.axis)
        self.head: Head = find_head(
            self._graph, self._output.index, lambda index: self._geometry.axes.get(index, 3)
        )
        name, source = find_preprocessing(model, self._graph, self._port, preprocessing)
        self.input = InputContract(self._layout.shape, name, source)
        self.labels: tuple[str, ...] | None = None if labels is None else tuple(labels)
        self.warnings: tuple[str, ...] = (*self._geometry.warnings, *self._fixed_inputs())
        self._verify()

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        weights: str | Path | None = None,
        architecture: str | None = None,
        trust: bool = False,
        custom_objects: dict[str, Any] | None = None,
        **options: Any,
    ) -> Network:
        """Open a saved model.

        Args:
            path: a file or folder of any Keras format, or ``builtin:NAME``.
            weights: its weights, where ``path`` holds the architecture alone.
            architecture: ``package.module:function`` that builds the model, where ``path`` holds
                the weights alone.
            trust: load even what could run code.
            custom_objects: custom layers and functions by name.
            **options: as for `Network` itself.

        Raises:
            ModelError: it can't be read.
            RefusedError: it holds something that could run code.
        """
        from kerascnn.loading import load_model

        loaded = load_model(
            path,
            weights=weights,
            architecture=architecture,
            trust=trust,
            custom_objects=custom_objects,
        )
        return cls(loaded.model, loaded=loaded, **options)

    # --- what it is -------------------------------------------------------------------------

    @property
    def input_name(self) -> str:
        """The name of the input that takes the picture."""
        return self._port.name

    @functools.cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers' calls in the order of the data, nested models unfolded."""
        counted: set[int] = set()
        found = []
        for step in self._graph.steps:
            if step.shapes and step.shapes[0] is not None:
                found.append(self._describe(step, first=id(step.layer) not in counted))
                counted.add(id(step.layer))
        return tuple(found)

    def layer(self, name: str) -> Layer:
        """Return a layer by its name; that of the innermost model will do where it is unique.

        Raises:
            UsageError: there is none, or there are several.
        """
        exact = [layer for layer in self.layers if layer.name == name]
        found = exact or [layer for layer in self.layers if layer.name.rpartition("/")[2] == name]
        if len(found) == 1:
            return found[0]
        names = [layer.name for layer in found or self.layers]
        if found:
            raise UsageError(f"several layers are named {one_line(name)!r}: {', '.join(names)}")
        raise UsageError(f"no layer {one_line(name, 80)!r}{nearest(name, names)}")

    def select(self, *patterns: str) -> list[Layer]:
        """Return layers by name, glob (``block?_conv*``) or ``last-conv``, in the model's order.

        Raises:
            UsageError: a pattern fits no layer.
        """
        chosen: set[int] = set()
        for pattern in patterns:
            if pattern == "last-conv":
                fitting = [self.last_convolution()]
            elif any(c in pattern for c in "*?["):
                fitting = [
                    layer
                    for layer in self.layers
                    if fnmatch.fnmatchcase(layer.name, pattern)
                    or fnmatch.fnmatchcase(layer.name.rpartition("/")[2], pattern)
                ]
                if not fitting:
                    raise UsageError(
                        f"no layer fits {one_line(pattern, 80)!r}"
                        f"{nearest(pattern, [layer.name for layer in self.layers])}"
                    )
            else:
                fitting = [self.layer(pattern)]
            chosen.update(layer.index for layer in fitting)
        return [layer for layer in self.layers if layer.index in chosen]

    def convolutions(self) -> list[Layer]:
        """Return every convolution: depthwise, separable and transposed ones too.

        Raises:
            ModelError: the network has none.
        """
        found = [layer for layer in self.layers if "Conv" in layer.kind and layer.is_map]
        if not found:
            raise ModelError("the network has no convolution with maps")
        return found

    def last_convolution(self) -> Layer:
        """Return the last convolution, the one nearest to the classes."""
        return self.convolutions()[-1]

    def weights(self, layer: str | Layer) -> np.ndarray:
        """Return a layer's kernel: height × width × inputs × filters, or inputs × neurons.

        A depthwise kernel has its one filter for each input in the last axis: h × w × 1 × inputs.

        Raises:
            ModelError: the layer has none.
        """
        found = self.layer(layer) if isinstance(layer, str) else layer
        kernel = kernel_of(self._step(found).layer)
        if kernel is None:
            raise ModelError(f"layer {found.name!r} ({found.kind}) has no filters")
        return kernel

    def box(self, layer: str | Layer, row: int, column: int, size: tuple[int, int]) -> Box:
        """Return the part of a picture that one unit of a layer's map sees.

        Args:
            layer: a layer with maps.
            row: the unit's row in the map.
            column: its column.
            size: the picture's height and width.
        """
        found = self.layer(layer) if isinstance(layer, str) else layer
        return self._geometry.box(found.index, row, column, size)

    @property
    def classes(self) -> int:
        """How many class scores there are: two for a single sigmoid unit."""
        if self.head.classes is None:
            raise ModelError("the model does not say how many classes it has")
        return 2 if self.head.kind == "binary" else self.head.classes

    def class_name(self, index: int) -> str:
        """Return the name of a class, or its number where no names are known."""
        if self.labels is not None and index < len(self.labels):
            return one_line(self.labels[index], 60)
        return str(index)

    # --- what it says -----------------------------------------------------------------------

    def scores(self, images: np.ndarray) -> np.ndarray:
        """Return the logits: N × classes, float32.

        Of a model without a head (maps as output) the scores are its channels' means.

        Args:
            images: N×H×W×C in the model's values.
        """
        return self._in_batches(self._score_function, images)[0]

    def probabilities(self, images: np.ndarray) -> np.ndarray | None:
        """Return N × classes numbers in [0, 1]; None for a model that gives no probabilities."""
        return self.to_probabilities(self.scores(images))

    def to_probabilities(self, scores: np.ndarray) -> np.ndarray | None:
        """Turn scores into probabilities, as the model's head does; None where it does not."""
        from scipy import special

        if self.head.kind == "softmax":
            return np.asarray(special.softmax(scores, axis=-1))
        if self.head.kind in ("sigmoid", "binary"):
            return np.asarray(special.expit(scores))
        return None

    def target(self, text: str, scores: np.ndarray) -> Target:
        """Resolve what ``--target`` takes.

        Args:
            text: ``predicted``, a class index, a class name, ``layer:channel`` or a layer.
            scores: N × classes, of the pictures; ``predicted`` is each one's highest.

        Raises:
            UsageError: there is no such class, layer or channel.
        """
        if text == "predicted":
            return np.asarray(scores.argmax(axis=-1))
        if self.labels is not None and text in self.labels:
            return np.full(len(scores), self.labels.index(text))
        if text.lstrip("-").isdecimal():
            index = int(text)
            if not 0 <= index < self.classes:
                raise UsageError(
                    f"--target takes a class from 0 to {self.classes - 1}. Received: {index}"
                )
            return np.full(len(scores), index)
        return self._unit_of(text)

    def activations(self, images: np.ndarray, layer: str | Layer) -> np.ndarray:
        """Return what a layer gives: N×h×w×channels for maps, N×neurons else; float32."""
        found = self.layer(layer) if isinstance(layer, str) else layer
        return self._in_batches(self.function(found), images)[0]

    def gradients(self, images: np.ndarray, target: Target | int) -> np.ndarray:
        """Return ∂ score / ∂ image, of the images' shape.

        Args:
            images: N×H×W×C in the model's values.
            target: a class for all images, one for each, or a `Unit`.

        Raises:
            ModelError: the score does not depend on the image in a way that can be derived.
        """
        if isinstance(target, Unit):
            return self._in_batches(self._unit_gradient(target), images)[0]
        classes = np.broadcast_to(np.asarray(target, np.int32), (len(images),))
        return self._in_batches(self._class_gradient, images, classes)[0]

    def function(self, *layers: str | Layer) -> Callable[[Any], tuple[Any, ...]]:
        """Return a compiled TensorFlow function: pictures in, what the layers give out.

        For those who write TensorFlow: it takes a float32 tensor N×H×W×C in the model's values
        and returns one float32 tensor a layer, maps with their channels last. It can be called
        under a gradient tape inside a ``tf.function``.
        """
        found = [self.layer(layer) if isinstance(layer, str) else layer for layer in layers]
        return self._function(tuple(layer.index for layer in found))

    # --- inside -----------------------------------------------------------------------------

    def _describe(self, step: Step, first: bool) -> Layer:
        index, stored = step.outputs[0], step.shapes[0] or ()
        axis = self._geometry.axes.get(index, 3)
        per_picture = stored[1:]
        moved = (*stored[2:], stored[1]) if len(stored) == 4 and axis == 1 else per_picture
        kernel = kernel_shape(step.layer)
        return Layer(
            name=step.path,
            kind=step.kind,
            shape=moved,
            stored_shape=per_picture,
            parameters=parameters_of(step.layer) if first else 0,
            weights_per_filter=None if kernel is None else math.prod(kernel[:-1]),
            field=self._geometry.field(index) if len(stored) == 4 else None,
            index=index,
        )

    def _step(self, layer: Layer) -> Step:
        step = self._graph.producer(layer.index)
        assert step is not None
        return step

    def _unit_of(self, text: str) -> Unit:
        name, colon, channel = text.rpartition(":")
        try:
            if not colon:
                return Unit(self.layer(text).name)
            layer = self.layer(name)
        except UsageError as error:
            raise UsageError(
                "--target takes 'predicted', a class, LAYER or LAYER:CHANNEL. "
                f"Received: {one_line(text, 60)!r} ({error})"
            ) from error
        if not channel.isdecimal() or int(channel) >= layer.channels:
            raise UsageError(
                f"--target {one_line(text, 60)!r}: layer {layer.name!r} has the channels 0 to "
                f"{layer.channels - 1}. Received: {one_line(channel, 20)!r}"
            )
        return Unit(layer.name, int(channel))

    def _fixed_inputs(self) -> list[str]:
        return [
            f"input {port.name!r} is held at zero; pictures go to {self._port.name!r}"
            for port in self._graph.inputs
            if port is not self._port
        ]

    def _feed(self, pictures: Any) -> dict[int, Any]:
        """Give the model's inputs: the pictures, and zeros for every other input."""
        import tensorflow as tf

        values = {self._port.index: tf.cast(self._layout.to_model(pictures), self._port.dtype)}
        for port in self._graph.inputs:
            if port is not self._port:
                sizes = [1 if n is None else n for n in (port.shape or ())[1:]]
                values[port.index] = tf.zeros((tf.shape(pictures)[0], *sizes), port.dtype)
        return values

    def _logits(self, pictures: Any) -> Any:
        """Return the output with its activation off, as the model lays it out."""
        return self._graph.run(
            self._feed(pictures), [self._output.index], replace=self.head.replace
        )[0]

    def _scores(self, pictures: Any) -> Any:
        import tensorflow as tf

        logits = tf.cast(self._logits(pictures), tf.float32)
        if self.head.kind == "binary":
            logits = tf.reshape(logits, (-1, 1))
            # The log-odds of either class: sigmoid gives the two probabilities.
            return tf.concat([-logits, logits], axis=1)
        rank = logits.shape.rank
        if rank and rank > 2:
            axis = self._geometry.axes.get(self._output.index, 3) if rank == 4 else rank - 1
            logits = tf.reduce_mean(logits, [a for a in range(1, rank) if a != axis])
        return logits

    def _verify(self) -> None:
        """Compare the prepared model with the original on random pictures.

        Raises:
            ModelError: they differ by more than 1e-5 of the largest output.
        """
        import tensorflow as tf

        pictures = tf.constant(self._probe())
        ours = self._logits(pictures)
        if self.head.activation == "softmax":
            axis = self._geometry.axes.get(self._output.index, 3) if ours.shape.rank == 4 else -1
            ours = tf.nn.softmax(ours, axis=axis)
        elif self.head.activation == "sigmoid":
            ours = tf.sigmoid(ours)
        theirs = self._original(pictures)
        one, other = np.asarray(ours, np.float32), np.asarray(theirs, np.float32)
        if one.shape != other.shape:
            raise ModelError(
                f"the prepared model gives the shape {one.shape}, the original {other.shape}"
            )
        if not np.isfinite(other).all():
            self.warnings += (self._not_finite(),)
            return
        difference = float(np.abs(one - other).max(initial=0.0))
        scale = float(np.abs(other).max(initial=0.0))
        if difference > 1e-5 * max(scale, 1e-30):
            raise ModelError(
                "the prepared model does not give the original's outputs: they differ by "
                f"{difference:.2g} where the largest is {scale:.2g}"
            )

    def _probe(self) -> np.ndarray:
        height, width, channels = self._layout.shape
        # Any size will do for a model without a fixed one; 96 survives five halvings.
        unit = np.random.default_rng(0).random((1, height or 96, width or 96, channels))
        low, high = np.asarray(self.input.low), np.asarray(self.input.high)
        return np.asarray(low + unit * (high - low), np.float32)

    def _original(self, pictures: Any) -> Any:
        values = self._feed(pictures)
        inputs = [values[port.index] for port in self._graph.inputs]
        structure = getattr(self.model, "_nested_inputs", None)
        structure = getattr(self.model, "_inputs_struct", structure)
        given: Any = inputs[0] if len(inputs) == 1 else inputs
        if isinstance(structure, dict):
            given = dict(zip(sorted(structure), inputs, strict=True))
        result = self.model(given)
        if isinstance(result, dict):
            result = [result[key] for key in sorted(result)]
        if not isinstance(result, (list, tuple)):
            return result
        position = [port.index for port in self._graph.outputs].index(self._output.index)
        return result[position]

    def _not_finite(self) -> str:
        for step in self._graph.steps:
            for weights in getattr(step.layer, "weights", []):
                if not np.isfinite(np.asarray(weights, np.float32)).all():
                    return f"layer {step.path!r} has weights that are NaN or infinite"
        return "the model gives NaN or infinite numbers"

    def _function(self, indices: tuple[int, ...]) -> Callable[[Any], tuple[Any, ...]]:
        cached = self._functions.get(indices)
        if cached is None:
            import tensorflow as tf

            @tf.function(input_signature=[tf.TensorSpec((None, *self._layout.shape), tf.float32)])
            def run(pictures: Any) -> tuple[Any, ...]:
                values = self._graph.run(self._feed(pictures), indices)
                return tuple(self._outward(i, v) for i, v in zip(indices, values, strict=True))

            cached = self._functions[indices] = run
        return cached

    @functools.cached_property
    def _functions(self) -> dict[tuple[int, ...], Callable[[Any], tuple[Any, ...]]]:
        return {}

    def _outward(self, index: int, value: Any) -> Any:
        """Turn an inner tensor into what visualizers see: float32, channels last."""
        import tensorflow as tf

        value = tf.cast(value, tf.float32)
        if value.shape.rank == 4 and self._geometry.axes.get(index, 3) == 1:
            return tf.transpose(value, (0, 2, 3, 1))
        return value

    @functools.cached_property
    def _score_function(self) -> Any:
        import tensorflow as tf

        @tf.function(input_signature=[tf.TensorSpec((None, *self._layout.shape), tf.float32)])
        def run(pictures: Any) -> tuple[Any]:
            return (self._scores(pictures),)

        return run

    @functools.cached_property
    def _class_gradient(self) -> Any:
        import tensorflow as tf

        signature = [
            tf.TensorSpec((None, *self._layout.shape), tf.float32),
            tf.TensorSpec((None,), tf.int32),
        ]

        @tf.function(input_signature=signature)
        def run(pictures: Any, classes: Any) -> tuple[Any]:
            with tf.GradientTape() as tape:
                tape.watch(pictures)
                score = tf.gather(self._scores(pictures), classes, batch_dims=1)
            return (_derivable(tape.gradient(score, pictures)),)

        return run

    def _unit_gradient(self, unit: Unit) -> Any:
        import tensorflow as tf

        index = self.layer(unit.layer).index

        @tf.function(input_signature=[tf.TensorSpec((None, *self._layout.shape), tf.float32)])
        def run(pictures: Any) -> tuple[Any]:
            with tf.GradientTape() as tape:
                tape.watch(pictures)
                value = self._outward(index, self._graph.run(self._feed(pictures), [index])[0])
                if unit.channel is not None:
                    value = value[..., unit.channel]
            return (_derivable(tape.gradient(value, pictures)),)

        return run

    def _in_batches(
        self, function: Any, images: np.ndarray, *others: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Call a compiled function on as many pictures at once as memory allows, and join up."""
        images = self._checked(images)
        parts: list[tuple[np.ndarray, ...]] = []
        for start, stop in self._slices(len(images)):
            given = [images[start:stop], *(other[start:stop] for other in others)]
            parts.append(tuple(np.asarray(value) for value in function(*given)))
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))

    def _slices(self, count: int) -> Iterator[tuple[int, int]]:
        size = self.memory.batch_size(self._bytes_per_image)
        for start in range(0, count, size):
            yield start, min(start + size, count)

    @functools.cached_property
    def _bytes_per_image(self) -> int:
        """Roughly what one picture takes: every layer's output, once forward and once back."""
        shapes = [shape for step in self._graph.steps for shape in step.shapes if shape]
        return 8 * sum(math.prod(n or 256 for n in shape[1:]) for shape in shapes)

    def _checked(self, images: np.ndarray) -> np.ndarray:
        images = np.asarray(images, np.float32)
        expected = self._layout.shape
        fits = images.ndim == 4 and all(
            wanted is None or wanted == got
            for wanted, got in zip(expected, images.shape[1:], strict=True)
        )
        if not fits or not len(images):
            shown = " × ".join("any" if n is None else str(n) for n in expected)
            raise ModelError(f"images must be N × {shown}. Received the shape {images.shape}")
        return images


def _named(ports: Sequence[Port], name: str | None, what: str) -> Port:
    if name is None:
        return ports[0]
    for port in ports:
        if port.name == name:
            return port
    raise UsageError(
        f"the model has no {what} {one_line(name, 60)!r}{nearest(name, [p.name for p in ports])}"
    )


def _derivable(gradient: Any) -> Any:
    if gradient is None:
        raise ModelError(
            "the score does not depend on the picture in a way that can be derived: the path "
            "between them is cut (whole numbers, an arg-max, a detached layer)"
        )
    return gradient
