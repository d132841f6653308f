"""Networks that predict the next move in Go (section "More applications"), in Keras 2.

All of them give a share to each of the board's 361 points, row by row from the top left.
"""

from __future__ import annotations

from kerascnn.lecture.datasets.go import SIDE
from kerascnn.lecture.networks import Layer, Model
from kerascnn.models.layer_factory import LayerFactory

POINTS = SIDE * SIDE
PLANES = 48


def go_fully_connected(seed: int | None = None) -> Model:
    """Build the fully connected network: the board as a vector of 361 numbers.

    Args:
        seed: of the initial weights, 0 or more; None for others each time.

    Returns:
        A Keras 2 model: N×361 (1 black, −1 white, 0 empty; black moves) → N×361.
    """
    make = LayerFactory(seed)
    stack = [
        make("Dense", 256, activation="relu", input_shape=(POINTS,)),
        make("Dense", 256, activation="relu"),
        make("Dense", POINTS, activation="softmax"),
    ]
    return make.sequential("go_dnn", stack)


def go_cnn(*, pooling: bool = False, seed: int | None = None) -> Model:
    """Build a small convolutional network: the board as an image.

    As AlphaGo's (see `alphago_policy`), but narrower, shallower, and without hand-made planes: one
    convolution of 5×5, three of 3×3 and the last of 1×1.

    Args:
        pooling: put a max pooling 2×2 behind the first convolution, and repeat each value 2×2
            before the last, so that a share for each point comes out. All weights stay the same in
            number and shape.
        seed: of the initial weights, 0 or more; None for others each time.

    Returns:
        A Keras 2 model: N×19×19×1 (1 black, −1 white, 0 empty; black moves) → N×361.
    """
    make = LayerFactory(seed)
    same = {"padding": "same", "activation": "relu"}
    stack = [make("Conv2D", 32, (5, 5), input_shape=(SIDE, SIDE, 1), **same)]
    if pooling:
        stack.append(make("MaxPooling2D", (2, 2), padding="same"))
    stack += [make("Conv2D", 32, (3, 3), **same) for _ in range(3)]
    if pooling:
        stack += [make("UpSampling2D", (2, 2)), make("Cropping2D", ((0, 1), (0, 1)))]
    return make.sequential("go_cnn_pooling" if pooling else "go_cnn", [*stack, *_policy(make)])


def alphago_policy(filters: int = 192, seed: int | None = None) -> Model:
    """Build AlphaGo's policy network (Silver et al. 2016, methods, "Neural network architecture").

    "The first hidden layer zero pads the input into a 23×23 image, then convolves k filters of
    kernel size 5×5 with stride 1"; layers 2 to 12 pad to 21×21 and convolve k filters of 3×3; "the
    final layer convolves 1 filter of kernel size 1×1 with stride 1, with a different bias for each
    position, and applies a softmax function". No pooling. The match version used k = 192.

    Args:
        filters: k.
        seed: of the initial weights, 0 or more; None for others each time.

    Returns:
        A Keras 2 model: N×19×19×48 (see `kerascnn.lecture.go.planes`) → N×361.
    """
    make = LayerFactory(seed)
    stack = [
        make("ZeroPadding2D", (2, 2), input_shape=(SIDE, SIDE, PLANES)),
        make("Conv2D", filters, (5, 5), activation="relu"),
    ]
    for _ in range(11):
        stack += [
            make("ZeroPadding2D", (1, 1)),
            make("Conv2D", filters, (3, 3), activation="relu"),
        ]
    return make.sequential("alphago_policy", [*stack, *_policy(make)])


def _policy(make: LayerFactory) -> list[Layer]:
    """Return a 1×1 convolution with one filter and a bias for each point, and a softmax."""
    return [
        # What a Conv2D of 1×1 does, whose one bias would be for all points.
        make("EinsumDense", "nrcf,fo->nrco", output_shape=(SIDE, SIDE, 1), bias_axes="rc"),
        make("Flatten"),
        make("Activation", "softmax"),
    ]
