"""The works of the peers on TensorFlow, in bare TensorFlow: what each is held against."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def vgg16(count: int) -> tuple[Any, Any]:
    """Return VGG16 with random weights and a linear head, and ``count`` random pictures."""
    import numpy as np
    import tensorflow as tf

    model = tf.keras.applications.VGG16(weights=None, classifier_activation=None)
    images = np.random.default_rng(0).standard_normal((count, 224, 224, 3)) * 60
    return model, images.astype(np.float32)


def bare_gradient(model: Any, images: Any) -> Callable[[], object]:
    """Return one forward and backward pass from the scores to the pictures."""
    import tensorflow as tf

    @tf.function
    def run(pictures: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            scores = tf.linalg.diag_part(model(pictures)[:, : len(images)])
        return tape.gradient(scores, pictures)

    fixed = tf.constant(images)
    return lambda: run(fixed).numpy()


def bare_positions(model: Any, image: Any, positions: int) -> Callable[[], object]:
    """Return as many forward passes as positions, up to 16 at once.

    The pictures are copies of one: what is on them takes no other time.
    """
    import numpy as np
    import tensorflow as tf

    run = tf.function(model)
    size = max(some for some in range(1, 17) if positions % some == 0)
    batch = tf.constant(np.repeat(image, size, axis=0))
    return lambda: [run(batch).numpy() for _ in range(positions // size)]


def lecture_cnn() -> Any:
    """Return the lecture's network with random weights."""
    import tensorflow as tf

    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(25, 3),
            layers.MaxPooling2D(),
            layers.Conv2D(50, 3, name="second"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(100, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def bare_ascent(model: Any, steps: int) -> Callable[[], object]:
    """Return steps of forward and backward for 12 filters of the second convolution, no more."""
    import tensorflow as tf

    part = tf.keras.Model(model.inputs, model.get_layer("second").output)
    pictures = tf.random.uniform((12, 28, 28, 1))
    chosen = tf.one_hot(tf.range(12), 50)

    @tf.function
    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(tf.reduce_sum(part(x), (1, 2)) * chosen)
        return tape.gradient(value, x)

    return lambda: [step(pictures) for _ in range(steps)]
