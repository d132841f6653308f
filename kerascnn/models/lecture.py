"""The lecture's networks for MNIST (section "CNN in Keras"), in Keras 2.

The convolutions have no activation, as in the lecture.
"""

from __future__ import annotations

from typing import Any


def dnn(seed: int | None = None) -> Any:
    """Build the fully connected network: 784 → 500 → 500 → 500 → 10, relu and softmax.

    Args:
        seed: of the initial weights; None for others each time.

    Returns:
        A Keras 2 model with 898,510 parameters: N×784 → N×10.
    """
    keras = _keras2(seed)
    layers = [keras.layers.Dense(500, activation="relu") for _ in range(3)]
    output = keras.layers.Dense(10, activation="softmax")
    return keras.Sequential([keras.layers.Input((784,)), *layers, output], name="dnn")


def cnn(seed: int | None = None) -> Any:
    """Build the convolutional network as it is taught.

    Args:
        seed: of the initial weights; None for others each time.

    Returns:
        A Keras 2 model with 137,660 parameters: N×28×28×1 → N×10. Its maps are 26×26×25, 13×13×25,
        11×11×50 and 5×5×50.
    """
    keras = _keras2(seed)
    first = keras.layers.Conv2D(25, (3, 3))
    return _convolutional(keras, (28, 28, 1), first, "cnn")


def cnn_as_written(seed: int | None = None) -> Any:
    """Build the convolutional network as the lecture's listing prints it.

    The listing sets ``data_format='channels_first'`` on the first convolution alone. With the usual
    default the layers behind it take the maps' channel axis for height: pooling runs over it.

    Args:
        seed: of the initial weights; None for others each time.

    Returns:
        A Keras 2 model with 138,110 parameters: N×1×28×28 → N×10.
    """
    keras = _keras2(seed)
    first = keras.layers.Conv2D(25, (3, 3), data_format="channels_first")
    return _convolutional(keras, (1, 28, 28), first, "cnn_as_written")


def _convolutional(keras: Any, shape: tuple[int, int, int], first: Any, name: str) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input(shape),
            first,
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(50, (3, 3)),
            layers.MaxPooling2D((2, 2)),
            layers.Flatten(),
            layers.Dense(100, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ],
        name=name,
    )


def _keras2(seed: int | None) -> Any:
    """Return Keras 2, its random numbers seeded, its layer names counted from the start."""
    import tf_keras

    if seed is not None:
        tf_keras.utils.set_random_seed(seed)
    tf_keras.backend.clear_session()
    return tf_keras
