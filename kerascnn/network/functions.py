"""Compiled TensorFlow functions of a prepared model: layers, scores, derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kerascnn.errors import ModelError, UsageError
from kerascnn.graph.compiled import compiled
from kerascnn.graph.model_graph import LayerCall
from kerascnn.graph.relu import guided, unrectified
from kerascnn.network.prepared_model import Prepared

_CUT = (
    "the score does not depend on {} in a way that can be derived: the path between them is cut "
    "(whole numbers, an arg-max, a detached layer) or leads elsewhere"
)


class Functions:
    """Makes each compiled function once.

    Everything is derived inside a ``tf.function``: pooling with channels first has no gradient on
    a CPU outside of one.

    Args:
        prepared: the model.
    """

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._made: dict[Any, Any] = {}

    def layers(self, indices: tuple[int, ...]) -> Callable[[Any], tuple[Any, ...]]:
        """Return pictures → inner tensors, as visualizers see them."""
        if indices not in self._made:
            prepared = self._prepared

            def run(pictures: Any) -> tuple[Any, ...]:
                values = prepared.inner(pictures, indices, logits=False)
                return tuple(
                    prepared.outward(i, value) for i, value in zip(indices, values, strict=True)
                )

            self._made[indices] = compiled(run, input_signature=[self._pictures()])
        return self._made[indices]

    def scores(self) -> Callable[[Any], tuple[Any]]:
        """Return pictures → N × classes scores."""
        if "scores" not in self._made:
            prepared = self._prepared

            def run(pictures: Any) -> tuple[Any]:
                logits = prepared.inner(pictures, [prepared.output.index], logits=True)[0]
                return (prepared.scores(logits),)

            self._made["scores"] = compiled(run, input_signature=[self._pictures()])
        return self._made["scores"]

    def target(self, unit: int | None, whole: bool) -> Callable[[Any, Any], tuple[Any]]:
        """Return pictures, channels → N scores of a target.

        Args:
            unit: the tensor whose channel is the target; None for the class scores.
            whole: whether all channels together are.
        """
        key = ("target", unit, whole)
        if key not in self._made:
            prepared = self._prepared

            def run(pictures: Any, channels: Any) -> tuple[Any]:
                index = prepared.output.index if unit is None else unit
                value = prepared.inner(pictures, [index], logits=unit is None)[0]
                return (self._score(value, unit, whole, channels),)

            signature = [self._pictures(), self._channels()]
            self._made[key] = compiled(run, input_signature=signature)
        return self._made[key]

    def gradient(
        self,
        unit: int | None,
        whole: bool,
        at: int | None = None,
        rectifiers: tuple[LayerCall, ...] = (),
    ) -> Callable[[Any, Any], tuple[Any, ...]]:
        """Return pictures, channels → derivative of a target's score.

        Args:
            unit: as in `target`.
            whole: as in `target`.
            at: the tensor to derive by, which is returned first; None for the picture.
            rectifiers: ReLUs through which only positive gradients go back.
        """
        key = ("gradient", unit, whole, at, rectifiers)
        if key not in self._made:
            self._made[key] = self._gradient(unit, whole, at, rectifiers)
        return self._made[key]

    def _gradient(
        self, unit: int | None, whole: bool, at: int | None, rectifiers: tuple[LayerCall, ...]
    ) -> Callable[[Any, Any], tuple[Any, ...]]:
        import tensorflow as tf

        prepared = self._prepared
        replace = dict.fromkeys(rectifiers, guided)
        index = prepared.output.index if unit is None else unit
        wanted = [index] if at is None else [at, index]
        # Raised outside: what is raised while tracing comes out in many lines.
        cut: list[bool] = []

        def run(pictures: Any, channels: Any) -> tuple[Any, ...]:
            with tf.GradientTape() as tape:
                tape.watch(pictures)
                values = prepared.inner(pictures, wanted, logits=unit is None, replace=replace)
                score = self._score(values[-1], unit, whole, channels)
            source = pictures if at is None else values[0]
            gradient = tape.gradient(score, source)
            if gradient is None:
                cut.append(True)
                gradient = tf.zeros_like(source)
            if at is None:
                return (gradient,)
            return prepared.outward(at, source), prepared.outward(at, gradient)

        function = compiled(run, input_signature=[self._pictures(), self._channels()])

        def checked(pictures: Any, channels: Any) -> tuple[Any, ...]:
            result: tuple[Any, ...] = function(pictures, channels)
            if cut:
                raise ModelError(_CUT.format("the picture" if at is None else "the layer"))
            return result

        return checked

    def _score(self, value: Any, unit: int | None, whole: bool, channels: Any) -> Any:
        import tensorflow as tf

        if unit is None:
            return tf.gather(self._prepared.scores(value), channels, batch_dims=1)
        value = self._prepared.outward(unit, value)
        if not whole:
            value = value[..., channels[0]]
        return tf.reduce_sum(tf.reshape(value, (tf.shape(value)[0], -1)), axis=1)

    def _pictures(self) -> Any:
        import tensorflow as tf

        return tf.TensorSpec((None, *self._prepared.layout.shape), tf.float32)

    def _channels(self) -> Any:
        import tensorflow as tf

        return tf.TensorSpec((None,), tf.int32)


def traced(
    prepared: Prepared,
    pictures: Any,
    indices: Sequence[int],
    scores: bool,
    bare: Sequence[LayerCall] = (),
) -> tuple[Any, ...]:
    """Run the network on a tensor; see `Network.trace`.

    Args:
        prepared: the model.
        pictures: N×H×W×C.
        indices: the tensors to return.
        scores: whether to return the scores too, after them.
        bare: the steps to be done without the ReLU that they end in.
    """
    if bare and (len(indices) != 1 or scores):
        raise UsageError("rectified=False is for one layer alone, without the scores")
    replace = {step: call for step in bare if (call := unrectified(step))}
    wanted = [*indices, prepared.output.index] if scores else indices
    values = prepared.inner(pictures, wanted, logits=scores, replace=replace)
    given = [prepared.outward(i, v) for i, v in zip(indices, values, strict=False)]
    return (*given, prepared.scores(values[-1])) if scores else tuple(given)
