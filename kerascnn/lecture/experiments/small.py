"""Small networks of single chapters, trained on the spot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kerascnn.families import keras_of
from kerascnn.lecture.experiments.training import Examiner, Trainer


@dataclass(frozen=True)
class Data:
    """Pictures and their classes, to train on and to test with.

    Attributes:
        x_train: N×H×W×C, values 0 to 1.
        y_train: N classes, from 0.
        x_test: M×H×W×C.
        y_test: M classes.
    """

    x_train: npt.NDArray[np.float32]
    y_train: npt.NDArray[Any]
    x_test: npt.NDArray[np.float32]
    y_test: npt.NDArray[Any]


def digits(examples: int, tests: int) -> Data:
    """Return MNIST as N×28×28×1 in [0, 1]."""
    from kerascnn.datasets import load_mnist

    found = load_mnist(examples)

    def shaped(pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        return (pictures / np.float32(255))[..., np.newaxis]

    return Data(
        shaped(found.x_train), found.y_train, shaped(found.x_test[:tests]), found.y_test[:tests]
    )


def sequential(name: str, layers: list[Any], seed: int) -> Any:
    """Build a Keras 2 `Sequential` whose weights come from a seed.

    Args:
        name: the model's.
        layers: the first one with an ``input_shape``.
        seed: of all weights that are not zero.
    """
    keras = keras_of("keras2")
    model = keras.Sequential(layers, name=name)
    random = np.random.default_rng(seed)
    for layer in model.layers:
        weights = [_glorot(value.shape, random) for value in layer.get_weights()]
        layer.set_weights(weights)
    return model


def _glorot(shape: tuple[int, ...], random: np.random.Generator) -> npt.NDArray[np.float32]:
    if len(shape) < 2:
        return np.zeros(shape, np.float32)
    area = int(np.prod(shape[:-2]))
    limit = np.sqrt(6 / (area * (shape[-2] + shape[-1])))
    return random.uniform(-limit, limit, shape).astype(np.float32)


def fit(model: Any, data: Data, epochs: int, seed: int = 0, batch: int = 100) -> float:
    """Train a model as the lecture's are trained, and return its test accuracy.

    Args:
        model: a Keras 2 classifier.
        data: what it learns, and what it is tested with.
        epochs: passes over the training pictures.
        seed: of the order of the pictures.
        batch: pictures a step.
    """
    import tensorflow as tf

    with tf.device("/CPU:0"):
        trainer = Trainer(model, data.x_train, data.y_train, seed=seed, batch=batch)
        while trainer.epoch < epochs:
            trainer.run_epoch()
        return Examiner(model).accuracy(data.x_test, data.y_test)


def descend(model: Any, data: Data, epochs: int, *, rate: float = 0.05, batch: int = 50) -> float:
    """Train by plain gradient descent with momentum, and return the test accuracy.

    Unlike Adam, it leaves weights alone that hardly matter: what a network goes by stands out.

    Args:
        model: a Keras 2 classifier.
        data: what it learns, and what it is tested with.
        epochs: passes over the training pictures.
        rate: of learning.
        batch: pictures a step.
    """
    import tensorflow as tf

    keras = keras_of("keras2")
    with tf.device("/CPU:0"):
        optimizer = keras.optimizers.SGD(rate, momentum=0.9, clipnorm=1.0)
        model.compile(optimizer, "sparse_categorical_crossentropy")
        for epoch in range(epochs):
            order = np.random.default_rng(epoch).permutation(len(data.x_train))
            model.fit(
                data.x_train[order],
                data.y_train[order],
                batch_size=batch,
                shuffle=False,
                verbose=0,
            )
        return Examiner(model).accuracy(data.x_test, data.y_test)
