"""The lecture's networks for MNIST (section "CNN in Keras"), in Keras 2.

The convolutions have no activation, as in the lecture. Layers have the names that Keras gives them
in the lecture's listing.
"""

from __future__ import annotations

from kerascnn.families import Layer, Model
from kerascnn.models.layer_factory import LayerFactory


def dnn(seed: int | None = None) -> Model:
    """Build the fully connected network: 784 → 500 → 500 → 500 → 10, relu and softmax.

    Args:
        seed: of the initial weights, 0 or more; None for others each time.

    Returns:
        A Keras 2 model with 898,510 parameters: N×784 → N×10.
    """
    make = LayerFactory(seed)
    layers = [make("Dense", 500, activation="relu", input_shape=(784,))]
    layers += [make("Dense", 500, activation="relu") for _ in range(2)]
    return make.sequential("dnn", [*layers, make("Dense", 10, activation="softmax")])


def cnn(seed: int | None = None) -> Model:
    """Build the convolutional network as it is taught.

    Args:
        seed: of the initial weights, 0 or more; None for others each time.

    Returns:
        A Keras 2 model with 137,660 parameters: N×28×28×1 → N×10. Its maps are 26×26×25, 13×13×25,
        11×11×50 and 5×5×50.
    """
    make = LayerFactory(seed)
    first = make("Conv2D", 25, (3, 3), input_shape=(28, 28, 1))
    return _convolutional(make, "cnn", first)


def cnn_as_written(seed: int | None = None) -> Model:
    """Build the convolutional network as the lecture's listing prints it.

    The listing sets ``data_format='channels_first'`` on the first convolution alone. With the usual
    default the layers after it take the maps' channel axis for the height: pooling runs over it.

    Args:
        seed: of the initial weights, 0 or more; None for others each time.

    Returns:
        A Keras 2 model with 138,110 parameters: N×1×28×28 → N×10. After the first convolution
        (25×26×26) its maps are 12×13×26, 10×11×50 and 5×5×50, in Keras' own order.
    """
    make = LayerFactory(seed)
    first = make("Conv2D", 25, (3, 3), input_shape=(1, 28, 28), data_format="channels_first")
    return _convolutional(make, "cnn_as_written", first)


def _convolutional(make: LayerFactory, name: str, first: Layer) -> Model:
    return make.sequential(
        name,
        [
            first,
            make("MaxPooling2D", (2, 2)),
            make("Conv2D", 50, (3, 3)),
            make("MaxPooling2D", (2, 2)),
            make("Flatten"),
            make("Dense", 100, activation="relu"),
            make("Dense", 10, activation="softmax"),
        ],
    )
