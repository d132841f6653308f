"""Training as the lecture's listing does it, a hundred steps in one compiled call.

What `Model.fit` does, in other words: the same layers, the same loss, the same Adam. It takes about
half the time, since nothing returns to Python between the steps, Adam is TensorFlow's one kernel
for it instead of a dozen, and pixels that can't reach the output are not convolved.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from kerascnn.families import keras_of
from kerascnn.lecture.experiments.task import Array, Floats, Labels, Task
from kerascnn.lecture.networks import Layer, Model

BATCH = 100
#: Steps in one compiled call: an epoch of the lecture.
CALL = 100

#: A tensor of TensorFlow.
Tensor: TypeAlias = Any


@dataclass(frozen=True)
class Epoch:
    """What was seen during one epoch, while the weights were moving.

    Attributes:
        loss: the mean categorical cross-entropy, in nats.
        accuracy: the share of training examples that were classified correctly.
    """

    loss: float
    accuracy: float


class Trainer:
    """Trains a Keras 2 classifier: categorical cross-entropy, Adam, shuffled batches.

    The order of the examples depends on the seed and the epoch alone, so that a resumed training
    goes on exactly as it would have.

    Args:
        model: a built `Sequential` that ends in a softmax, without dropout and the like. It is
            compiled; Adam's moments are kept in the model's own optimizer.
        pictures: N×…, as the model takes them.
        labels: N classes, from 0.
        seed: of the order of the examples.
        batch: how many examples a step takes.
    """

    def __init__(
        self,
        model: Model,
        pictures: Array,
        labels: Labels,
        *,
        seed: int,
        batch: int = BATCH,
    ) -> None:
        import tensorflow as tf

        # An instance: the bare word "adam" means an older class on some machines.
        adam = keras_of("keras2").optimizers.Adam()
        model.compile(loss="categorical_crossentropy", optimizer=adam, metrics=["accuracy"])
        with tf.name_scope(adam.name):  # its variables are called as after Keras' own `fit`
            adam.build(model.trainable_variables)
        self.model = model
        self.epoch = 0
        self._seed, self._batch = seed, batch
        self._examples = len(pictures)
        seen = (slice(None), *reach(model))
        self._pictures = tf.constant(np.ascontiguousarray(pictures[seen]))
        self._labels = tf.one_hot(labels, model.output_shape[-1])
        self._pass = _compiled_pass(model, batch)

    def run_epoch(self) -> Epoch:
        """See every example once."""
        order = np.random.default_rng((self._seed, self.epoch)).permutation(self._examples)
        loss, right = 0.0, 0.0
        # Ctrl-C waits for the end of a call, so a call must not last.
        for start in range(0, self._examples, CALL * self._batch):
            part = order[start : start + CALL * self._batch].astype(np.int32)
            more = self._pass(self._pictures, self._labels, part)
            loss, right = loss + float(more[0]), right + float(more[1])
        self.epoch += 1
        return Epoch(loss / self._examples, right / self._examples)

    def state(self) -> dict[str, Array]:
        """Return all that the next epoch depends on: weights, moments, counters."""
        return {
            **_numbered("weight", self.model.get_weights()),
            **_numbered("optimizer", [v.numpy() for v in self.model.optimizer.variables]),
            "epoch": np.array(self.epoch),
        }

    def restore(self, state: dict[str, Array]) -> None:
        """Go back to a state that `state` returned.

        Raises:
            ValueError: it is that of another network.
        """
        variables = [*self.model.weights, *self.model.optimizer.variables]
        names = [*_numbered("weight", self.model.weights)]
        names += _numbered("optimizer", self.model.optimizer.variables)
        if {*names, "epoch"} != set(state):
            raise ValueError("other variables than the network's")
        for variable, name in zip(variables, names, strict=True):
            if tuple(variable.shape) != state[name].shape:
                raise ValueError(f"{name}: {state[name].shape} instead of {variable.shape}")
        for variable, name in zip(variables, names, strict=True):
            variable.assign(state[name])
        self.epoch = int(state["epoch"])


def _numbered(prefix: str, values: Sequence[Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}-{number}": value for number, value in enumerate(values)}


def _compiled_pass(
    model: Model, batch: int
) -> Callable[[Tensor, Tensor, Array], tuple[Tensor, Tensor]]:
    """Return a function of (pictures, one-hot labels, order) that trains through ``order`` once.

    It returns the sum of the losses and the number of right answers.
    """
    import tensorflow as tf

    cross_entropy = keras_of("keras2").losses.CategoricalCrossentropy(reduction="sum")
    update = _adam(model)

    def run(pictures: Tensor, labels: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
        loss, right = tf.constant(0.0), tf.constant(0.0)
        for start in tf.range(0, tf.size(order), batch):
            chosen = order[start : start + batch]
            target = tf.gather(labels, chosen)
            with tf.GradientTape() as tape:
                answer = _forward(model, tf.gather(pictures, chosen))
                total = cross_entropy(target, answer)
                mean = total / tf.cast(tf.size(chosen), tf.float32)
            update(tape.gradient(mean, model.trainable_variables))
            loss += total
            same = tf.equal(tf.argmax(target, axis=-1), tf.argmax(answer, axis=-1))
            right += tf.reduce_sum(tf.cast(same, tf.float32))
        return loss, right

    compiled: Callable[[Tensor, Tensor, Array], tuple[Tensor, Tensor]] = tf.function(run)
    return compiled


def _adam(model: Model) -> Callable[[Sequence[Tensor]], None]:
    """Return a function of gradients that takes one step of the model's own Adam.

    Keras applies Adam by a dozen operations a weight, each a pass over memory. TensorFlow's kernel
    (which Keras' Adam was until 2.10) does the same in one. Weights, moments and counter stay
    Keras' own.
    """
    import tensorflow as tf

    optimizer, weights = model.optimizer, model.trainable_variables
    setting = optimizer.get_config()
    # The last of the optimizer's variables: first and second moment of each weight in turn.
    moments = optimizer.variables[-2 * len(weights) :]

    def update(gradients: Sequence[Tensor]) -> None:
        step = tf.cast(optimizer.iterations + 1, tf.float32)
        for number, (weight, gradient) in enumerate(zip(weights, gradients, strict=True)):
            tf.raw_ops.ResourceApplyAdam(
                var=weight.handle,
                m=moments[2 * number].handle,
                v=moments[2 * number + 1].handle,
                beta1_power=tf.pow(setting["beta_1"], step),
                beta2_power=tf.pow(setting["beta_2"], step),
                lr=setting["learning_rate"],
                beta1=setting["beta_1"],
                beta2=setting["beta_2"],
                epsilon=setting["epsilon"],
                grad=tf.convert_to_tensor(gradient),  # an embedding's has only some rows
            )
        optimizer.iterations.assign_add(1)

    return update


def _forward(model: Model, pictures: Tensor) -> Tensor:
    # Layer by layer: the model itself insists on pictures of full size.
    for layer in model.layers:
        pictures = layer(pictures)
    return pictures


def reach(model: Model) -> tuple[slice, ...]:
    """Return the part of the picture that can reach the output, a slice for each axis.

    Pooling drops the odd row and column, and with them every pixel that is seen nowhere else: the
    lecture's network takes 28×28 pixels, and looks at 26×26 of them.

    Args:
        model: a `Sequential`. Where it does not begin with valid convolutions and poolings and then
            a Flatten, the whole picture counts.
    """
    keras = keras_of("keras2")
    whole = tuple(model.input_shape[1:])
    front = list(
        itertools.takewhile(lambda layer: not isinstance(layer, keras.layers.Flatten), model.layers)
    )
    if not front or not all(_is_plain(layer, keras.layers) for layer in front):
        return tuple(slice(size) for size in whole)
    needed = list(front[-1].output_shape[1:])
    for layer in reversed(front):
        convolves = isinstance(layer, keras.layers.Conv2D)
        window = layer.kernel_size if convolves else layer.pool_size
        first = layer.data_format == "channels_first"
        for axis, size, stride in zip(
            (1, 2) if first else (0, 1), window, layer.strides, strict=True
        ):
            needed[axis] = (needed[axis] - 1) * stride + size
        if convolves:  # every map of the input goes into each of the output
            channels = 0 if first else 2
            needed[channels] = layer.input_shape[1:][channels]
    return tuple(slice(size) for size in needed)


def _is_plain(layer: Layer, layers: Any) -> bool:
    return (
        isinstance(layer, (layers.Conv2D, layers.MaxPooling2D))
        and layer.padding == "valid"
        and getattr(layer, "dilation_rate", (1, 1)) == (1, 1)
    )


def answers(model: Model, pictures: Array, batch: int = 500) -> Floats:
    """Return what a network answers to ``pictures`` (N×…): N×classes, shares that add up to 1."""
    # Keras compiles this once for each network.
    parts = [
        model.predict_on_batch(pictures[start : start + batch])
        for start in range(0, len(pictures), batch)
    ]
    return np.asarray(np.concatenate(parts), np.float32)


def accuracy(model: Model, pictures: Array, labels: Labels, batch: int = 500) -> float:
    """Return the share of ``pictures`` (N×…) whose class is that in ``labels`` (N)."""
    return float(np.mean(answers(model, pictures, batch).argmax(axis=1) == labels))


def fit(model: Model, task: Task, epochs: int, batch: int = BATCH) -> float:
    """Train a network with seed 0, without checkpoints, and return its test accuracy.

    Args:
        model: a Keras 2 classifier, as of `Trainer`.
        task: what it learns; its examples in the shape that the network takes.
        epochs: how often it sees all examples.
        batch: how many examples a step takes.
    """
    import tensorflow as tf

    with tf.device("/CPU:0"):  # a graphics card would not give the same numbers each time
        trainer = Trainer(model, task.x_train, task.y_train, seed=0, batch=batch)
        while trainer.epoch < epochs:
            trainer.run_epoch()
        return accuracy(model, task.x_test, task.y_test)
