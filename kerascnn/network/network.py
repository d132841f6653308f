"""`Network`: the one view that visualizers have of a model. NumPy in, NumPy out.

Whatever the family, the file or the nesting: pictures are N×H×W×C float32 in the model's own
values, maps have their channels last, scores are logits. The work is done by the other modules
of this package; see README.md beside this file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascnn.errors import ModelError, UsageError, one_line
from kerascnn.families import family_of_model
from kerascnn.graph.compiled import as_written
from kerascnn.graph.head import Head
from kerascnn.graph.layers import Layer
from kerascnn.graph.live_types import KerasModel, Tensor
from kerascnn.graph.receptive import Box
from kerascnn.network.affine import affine_sums
from kerascnn.network.batches import Batches
from kerascnn.network.compiled_functions import CompiledFunctions, Function, traced
from kerascnn.network.input_spec import InputSpec
from kerascnn.network.labels import known_labels
from kerascnn.network.layer_catalogue import LayerCatalogue
from kerascnn.network.memory import MemoryBudget
from kerascnn.network.occlusion_scores import OcclusionScores, PatchedScores
from kerascnn.network.precision import FLOAT32, check_precision, choose
from kerascnn.network.prepared_model import CLASSES, prepare
from kerascnn.network.preprocessing import find_preprocessing
from kerascnn.network.target import Target, Targets
from kerascnn.network.units import Unit
from kerascnn.network.verification import bad_weights, finite, verify

if TYPE_CHECKING:
    from kerascnn.loading.loaded import Loaded


class Network:
    """A model, prepared for questions; the preparation is compared with the original.

    The model itself is never changed, and may be in use elsewhere meanwhile.

    Args:
        model: a built model of Keras 2 (``tf_keras``) or Keras 3.
        preprocessing: a name of `kerascnn.network.input_spec.PREPROCESSINGS`; None to find it out.
        labels: class names, in order; None for what keras.applications knows of its own.
        input: name of the input that takes the picture, where there are several.
        output: name of the output to explain, where there are several.
        memory: bytes that work on it may take; None for a quarter of what is free.
        precision: ``float32``, ``bfloat16`` or ``auto``: what `kerascnn.visualize` computes in, see
            ``kerascnn.network.precision``. The preparation is compared in float32 whatever it is.
        loaded: where the model came from, for the manifest.

    Raises:
        ModelError: it is no Keras model, its input is no picture, or the prepared model does not
            give the original's outputs.
        UsageError: no such input, output, preprocessing or precision.
    """

    def __init__(
        self,
        model: KerasModel,
        *,
        preprocessing: str | None = None,
        labels: Sequence[str] | None = None,
        input: str | None = None,
        output: str | None = None,
        memory: int | None = None,
        precision: str = FLOAT32,
        loaded: Loaded | None = None,
    ) -> None:
        check_precision(precision)
        family = family_of_model(model)
        if family is None:
            raise ModelError(f"a Keras model is needed. Received: {one_line(type(model), 80)}")
        self.model = model
        self.loaded = loaded
        self.family = family
        self.memory = MemoryBudget(memory)
        self._prepared = prepared = prepare(model, input, output)
        self.head: Head = prepared.head
        self.input = InputSpec(
            prepared.layout.shape,
            *find_preprocessing(model, prepared.graph, prepared.port, preprocessing),
        )
        known = known_labels(model.name, self.head.classes) if labels is None else tuple(labels)
        self.labels = known
        self._catalogue = LayerCatalogue(prepared)
        self._functions = CompiledFunctions(prepared)
        self._batches = Batches(self.memory)
        self._occlusion = OcclusionScores(prepared, self._functions, self._batches)
        self._targets = Targets(self.head, self.labels, self._catalogue)
        warning = verify(model, prepared, self.input)
        self._is_suspect = warning is not None
        self.warnings: tuple[str, ...] = (*prepared.warnings, *([warning] if warning else []))
        self.precision = choose(precision, self.scores, self.input.probe)

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
            trust: load even a file that could run code.
            custom_objects: custom layers and functions by name.
            **options: as for `Network` itself.

        Raises:
            ModelError: it can't be read.
            RefusedError: it holds something that could run code.
        """
        from kerascnn.loading.loader import load_model

        loaded = load_model(
            path,
            weights=weights,
            architecture=architecture,
            trust=trust,
            custom_objects=custom_objects,
        )
        return cls(loaded.model, loaded=loaded, **options)

    # --- what the model is --------------------------------------------------------------------

    @property
    def input_name(self) -> str:
        """The name of the input that takes the picture."""
        return self._prepared.port.name

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers' calls in the order of the data, nested models unfolded."""
        return self._catalogue.layers

    def layer(self, name: str) -> Layer:
        """Return a layer by its name; that of the innermost model will do where it is unique.

        Raises:
            UsageError: there is none, or there are several.
        """
        return self._catalogue.find(name)

    def select(self, *patterns: str) -> list[Layer]:
        """Return layers by name, glob (``block?_conv*``), ``first-conv`` or ``last-conv``.

        They come in the model's order, each once.

        Raises:
            UsageError: a pattern fits no layer.
        """
        return self._catalogue.select(*patterns)

    def convolutions(self) -> list[Layer]:
        """Return every convolution: depthwise, separable and transposed ones too.

        Raises:
            ModelError: the network has none.
        """
        found = self._catalogue.convolutions()
        if not found:
            raise ModelError("the network has no convolution with maps")
        return found

    def last_convolution(self, target: Target | int | None = None) -> Layer:
        """Return the last convolution, the one nearest to the classes.

        Args:
            target: where it is given, the last one that the target's score is computed from.

        Raises:
            ModelError: the network has none.
            UsageError: there is none before the target.
        """
        found = self.convolutions()
        if target is not None:
            calls = self._prepared.calls_before(self._targets.source(target))
            before = {index for call in calls for index in call.outputs}
            found = [layer for layer in found if layer.index in before]
        if not found:
            what = target if isinstance(target, Unit) else "the class scores"
            raise UsageError(f"there is no convolution before {what}; choose a layer by its name")
        return found[-1]

    def weights(self, layer: str | Layer) -> np.ndarray:
        """Return a layer's kernel: height × width × inputs × filters, or inputs × neurons.

        A depthwise kernel has its one filter for each input in the last axis: h × w × 1 × inputs.

        Raises:
            ModelError: the layer has none.
        """
        return self._catalogue.kernel(self._catalogue.find(layer))

    def box(self, layer: str | Layer, row: int, column: int, size: tuple[int, int]) -> Box:
        """Return the part of a picture that one unit of a layer's map sees.

        Args:
            layer: a layer with maps.
            row: the unit's row in the map.
            column: its column.
            size: the picture's height and width.
        """
        found = self._catalogue.find(layer)
        shapes = self._prepared.shapes(size)
        return self._prepared.geometry.box(found.index, row, column, size, shapes)

    @property
    def classes(self) -> int:
        """How many class scores there are: two for a single sigmoid unit."""
        return self.head.score_count

    def class_name(self, index: int) -> str:
        """Return the name of a class, or its number where no names are known."""
        if self.labels is not None and index < len(self.labels):
            return one_line(self.labels[index], 60)
        return str(index)

    # --- what it computes --------------------------------------------------------------------

    def scores(self, images: np.ndarray) -> np.ndarray:
        """Return the logits: N × classes, float32.

        Of a model without a head (maps as output) the scores are its channels' means.

        Args:
            images: N×H×W×C in the model's values.
        """
        return self._in_batches(self._functions.scores(), images)[0]

    def probabilities(self, images: np.ndarray) -> np.ndarray | None:
        """Return N × classes numbers in [0, 1]; None for a model that gives no probabilities."""
        return self.head.probabilities(self.scores(images))

    def to_probabilities(self, scores: np.ndarray) -> np.ndarray | None:
        """Turn scores into probabilities, as the model's head does; None where it does not."""
        return self.head.probabilities(scores)

    def target(self, text: str, scores: np.ndarray) -> Target:
        """Read a target as a user types it.

        Args:
            text: ``predicted``, a class index, a class name, ``layer:channel`` or a layer.
            scores: N × classes, of the pictures; ``predicted`` is each one's highest.

        Raises:
            UsageError: there is no such class, layer or channel.
        """
        return self._targets.read(text, scores)

    def activations(self, images: np.ndarray, layer: str | Layer) -> np.ndarray:
        """Return what a layer gives: N×h×w×channels for maps, N×neurons else; float32.

        Raises:
            ModelError: weights up to it are not finite.
        """
        found = self._catalogue.find(layer)
        if self._is_suspect:  # a ReLU may turn NaN into zeros
            calls = self._prepared.graph.between(self._prepared.port.index, found.index)
            if reason := bad_weights(calls):
                raise ModelError(reason)
        return self._in_batches(self.function(found), images)[0]

    def target_scores(self, images: np.ndarray, target: Target | int) -> np.ndarray:
        """Return the very scores that `gradients` derives: N numbers, float32.

        Args:
            images: N×H×W×C in the model's values.
            target: a class for all images, one for each, or a `Unit`.
        """
        images = self._prepared.checked(images)
        source, channels = self._targets.resolve(target, len(images))
        return self._in_batches(self._functions.target(source), images, channels)[0]

    def gradients(
        self, images: np.ndarray, target: Target | int, *, guided: bool = False
    ) -> np.ndarray:
        """Return ∂ score / ∂ image, of the images' shape.

        Args:
            images: N×H×W×C in the model's values.
            target: a class for all images, one for each, or a `Unit`.
            guided: let only positive gradients pass back through ReLUs (guided back-propagation).

        Raises:
            ModelError: the score does not depend on the image in a way that can be derived, the
                gradient is not finite, or ``guided`` finds no ReLU between image and score.
        """
        images = self._prepared.checked(images)
        source, channels = self._targets.resolve(target, len(images))
        relus = self._functions.relus(source) if guided else ()
        if guided and not relus:
            raise ModelError(
                "guided back-propagation changes what goes back through ReLUs, and there is none "
                "between the picture and the score; take the plain gradient"
            )
        function = self._functions.gradient(source, through=relus)
        (found,) = self._in_batches(function, images, channels)
        return finite(found, "the gradient", self._prepared.graph)

    def gradients_at(
        self, images: np.ndarray, target: Target | int, layer: str | Layer
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what a layer gives, and ∂ score / ∂ that: both N×h×w×channels or N×neurons.

        Args:
            images: N×H×W×C in the model's values.
            target: a class for all images, one for each, or a `Unit`.
            layer: which layer.

        Raises:
            ModelError: the score does not depend on the layer, or the gradient is not finite.
        """
        found = self._catalogue.find(layer)
        images = self._prepared.checked(images)
        source, channels = self._targets.resolve(target, len(images))
        function = self._functions.gradient(source, at=found.index)
        values, gradients = self._in_batches(function, images, channels)
        return values, finite(gradients, "the gradient", self._prepared.graph)

    def patched_scores(
        self,
        image: np.ndarray,
        fill: np.ndarray,
        boxes: Sequence[Box] | np.ndarray,
        *,
        unit: Unit | None = None,
        incremental: bool | None = None,
    ) -> PatchedScores:
        """Return the scores of a picture with a patch on it, for each of many places.

        The result is exact. Where it pays, only what a patch changes is computed (within float32's
        rounding the same as whole pictures).

        Args:
            image: H×W×C in the model's values.
            fill: what is seen in place of the picture: a colour (C), or a picture H×W×C.
            boxes: P×4 whole numbers: top, left, bottom, right (the last two not included), or
                each a `Box`; all inside the picture.
            unit: what to score instead of the classes.
            incremental: whether to compute only what changes; None to do so where it pays.

        Raises:
            ModelError: the scores of the picture itself are not finite.
            UsageError: boxes or fill do not fit the picture.
        """
        source, channel = (CLASSES, 0) if unit is None else self._targets.of_unit(unit)
        return self._occlusion.scores(image, fill, boxes, source, channel, incremental)

    def rectifiers(self, target: Target | int | None = None) -> list[str]:
        """Return the names of the layers that end in a ReLU, on the way to a target's score."""
        source = CLASSES if target is None else self._targets.source(target)
        return [call.path for call in self._functions.relus(source)]

    def function(self, *layers: str | Layer) -> Callable[[Tensor], tuple[Tensor, ...]]:
        """Return a compiled TensorFlow function: pictures in, what the layers give out.

        For those who write TensorFlow: it takes a float32 tensor N×H×W×C in the model's values
        and returns one float32 tensor a layer, maps with their channels last. It can be called
        under a gradient tape inside a ``tf.function``.
        """
        found = [self._catalogue.find(layer) for layer in layers]
        return self._functions.layers(tuple(layer.index for layer in found))

    def score_function(self) -> Callable[[Tensor], tuple[Tensor, ...]]:
        """Return a compiled TensorFlow function: pictures in, N × classes logits out.

        As `function`, for the scores.
        """
        return self._functions.scores()

    @as_written
    def trace(
        self, pictures: Tensor, *layers: str | Layer, scores: bool = False, rectified: bool = True
    ) -> tuple[Tensor, ...]:
        """Run the network on a tensor, inside a ``tf.function`` of one's own.

        As `function`, but not compiled by itself, and not bound to the model's input size: layers
        whose filters slide take pictures of any size.

        Args:
            pictures: float32 tensor N×H×W×C in the model's values.
            *layers: what to return.
            scores: whether to return the N × classes logits too, after the layers.
            rectified: False gives what goes into the ReLU that a layer ends in, so that it can be
                derived where the ReLU is dead. Of one layer alone: the next would be given it too.

        Raises:
            UsageError: ``rectified=False`` for anything but one layer.
        """
        found = [self._catalogue.find(layer) for layer in layers]
        bare = () if rectified else [self._catalogue.call_of(layer) for layer in found]
        return traced(self._prepared, pictures, [each.index for each in found], scores, bare)

    def affine(
        self, layer: str | Layer, channels: Sequence[int]
    ) -> tuple[str, np.ndarray, np.ndarray] | None:
        """Return what sums over a layer's maps are made of, where it has no activation.

        The sum of channel k is ⟨weights_k, what the layer before gives⟩ + constant_k.

        Returns:
            The name of the layer before, the weights (channels × that layer's shape) and the
            constants; None where the layer is no weighted sum, or sizes are open.
        """
        found = self._catalogue.find(layer)
        return affine_sums(self._prepared, self._catalogue, found, channels)

    def _in_batches(
        self, function: Function, images: np.ndarray, *others: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        images = self._prepared.checked(images)
        return self._batches.run(function, self._prepared.bytes_per_image, images, *others)
