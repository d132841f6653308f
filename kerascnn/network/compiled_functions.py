"""Compiled TensorFlow functions of a prepared model: layers, scores, derivatives."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeAlias

from kerascnn.errors import ModelError, UsageError
from kerascnn.graph.compiled import compiled
from kerascnn.graph.live_types import Tensor
from kerascnn.graph.model_graph import LayerCall
from kerascnn.graph.relu import guided, relu_calls, without_relu
from kerascnn.network.prepared_model import CLASSES, PreparedModel, ScoreSource

Function: TypeAlias = Callable[..., tuple[Tensor, ...]]

_CUT = (
    "the score does not depend on the {} in a way that can be derived: the path between them is "
    "cut (whole numbers, an arg-max, a detached layer) or leads elsewhere; a class's score is its "
    "logit, which comes before the final softmax or sigmoid"
)


class CompiledFunctions:
    """Makes each compiled function once.

    Everything is derived inside a ``tf.function``: pooling with channels first has no gradient on
    a CPU outside of one.
    """

    def __init__(self, prepared: PreparedModel) -> None:
        self._prepared = prepared
        self._made: dict[Hashable, Function] = {}

    def layers(self, indices: tuple[int, ...]) -> Function:
        """Return pictures → inner tensors, as visualizers see them."""
        return self._once(
            ("layers", indices),
            lambda: self._compiled(lambda pictures: traced(self._prepared, pictures, indices)),
        )

    def scores(self) -> Function:
        """Return pictures → N × classes scores."""
        return self._once(
            "scores",
            lambda: self._compiled(lambda pictures: traced(self._prepared, pictures, (), True)),
        )

    def target(self, source: ScoreSource) -> Function:
        """Return pictures, N channels or classes → N scores of a target."""
        prepared = self._prepared

        def run(pictures: Tensor, channels: Tensor) -> tuple[Tensor, ...]:
            (value,) = prepared.run(pictures, (), source)
            return (self._score(value, source, channels),)

        return self._once(("target", source), lambda: self._compiled(run, channels=True))

    def gradient(
        self, source: ScoreSource, at: int | None = None, through: tuple[LayerCall, ...] = ()
    ) -> Function:
        """Return pictures, N channels or classes → derivative of a target's score.

        Args:
            source: what the score is computed from.
            at: the tensor to derive by, which is returned first; None for the picture.
            through: calls that end in a ReLU through which only positive gradients go back.
        """
        key = ("gradient", source, at, through)
        return self._once(key, lambda: self._gradient(source, at, through))

    def _gradient(
        self, source: ScoreSource, at: int | None, through: tuple[LayerCall, ...]
    ) -> Function:
        import tensorflow as tf

        prepared = self._prepared
        replace = dict.fromkeys(through, guided)
        indices = () if at is None else (at,)
        # Raised outside: what is raised while tracing comes out in many lines.
        cut: list[bool] = []

        def run(pictures: Tensor, channels: Tensor) -> tuple[Tensor, ...]:
            with tf.GradientTape() as tape:
                tape.watch(pictures)
                *inner, last = prepared.run(pictures, indices, source, replace)
                score = self._score(last, source, channels)
            by = pictures if at is None else inner[0]
            gradient = tape.gradient(score, by)
            if gradient is None:
                cut.append(True)
                gradient = tf.zeros_like(by)
            if at is None:
                return (gradient,)
            return prepared.outward(at, by), prepared.outward(at, gradient)

        function = self._compiled(run, channels=True)

        def checked(pictures: Tensor, channels: Tensor) -> tuple[Tensor, ...]:
            result = function(pictures, channels)
            if cut:
                raise ModelError(_CUT.format("picture" if at is None else "layer"))
            return result

        return checked

    def relus(self, source: ScoreSource) -> tuple[LayerCall, ...]:
        """Return the calls that end in a ReLU, on the ways from the picture to a score."""
        return relu_calls(self._prepared.calls_before(source))

    def _score(self, value: Tensor, source: ScoreSource, channels: Tensor) -> Tensor:
        import tensorflow as tf

        if source.index is None:
            return tf.gather(self._prepared.head.scores(value), channels, batch_dims=1)
        value = self._prepared.outward(source.index, value)
        return self._prepared.unit_score(value, source.whole, channels[0])

    def _once(self, key: Hashable, make: Callable[[], Function]) -> Function:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def _compiled(self, function: Function, channels: bool = False) -> Function:
        import tensorflow as tf

        signature = [tf.TensorSpec((None, *self._prepared.layout.shape), tf.float32)]
        if channels:
            signature.append(tf.TensorSpec((None,), tf.int32))
        found: Function = compiled(function, input_signature=signature)
        return found


def traced(
    prepared: PreparedModel,
    pictures: Tensor,
    indices: Sequence[int],
    scores: bool = False,
    bare: Sequence[LayerCall] = (),
) -> tuple[Tensor, ...]:
    """Run the network on a tensor; see `Network.trace`.

    The calls in `bare` are done without the ReLU that they end in.
    """
    if bare and (len(indices) != 1 or scores):
        raise UsageError("rectified=False is for one layer alone, without the scores")
    replace = {call: instead for call in bare if (instead := without_relu(call))}
    values = prepared.run(pictures, indices, CLASSES if scores else None, replace)
    given = [prepared.outward(i, v) for i, v in zip(indices, values, strict=False)]
    return (*given, prepared.head.scores(values[-1])) if scores else tuple(given)
