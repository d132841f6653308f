"""Small colour networks, and patches of the packaged photographs for them to learn.

No data set of photographs is in the package, and none is downloaded. Four photographs are: squares
cut out of them make a small problem: which photograph does this patch come from?
"""

from __future__ import annotations

import functools

import numpy as np

from kerascnn.families import keras_of
from kerascnn.lecture.experiments.task import Array, Floats, Labels, Task
from kerascnn.lecture.experiments.training import fit
from kerascnn.lecture.networks import Model
from kerascnn.models.layer_factory import LayerFactory

SIDE = 32
NAMES = ("cat", "astronaut", "coffee", "rocket")


def photographs(side: int = 192) -> Floats:
    """Return the packaged photographs: 4×side×side×3 in [0, 1]."""
    from kerascnn.images import sample_pictures
    from kerascnn.network.input_spec import InputSpec

    contract = InputSpec((side, side, 3), "unit", "book")
    return np.stack([picture.values for picture in sample_pictures(contract, len(NAMES))])


def patches(count: int, seed: int = 0) -> Task:
    """Cut squares out of the photographs: the left parts to train on, the right ones to test with.

    Args:
        count: training patches; a fifth as many are for testing.
        seed: of the places.
    """
    whole = photographs()
    random = np.random.default_rng(seed)
    cut = int(0.7 * whole.shape[2])

    def some(number: int, left: int, right: int) -> tuple[Array, Labels]:
        classes = np.arange(number) % len(whole)
        rows = random.integers(0, whole.shape[1] - SIDE + 1, number)
        columns = random.integers(left, right - SIDE + 1, number)
        made = [
            whole[k, r : r + SIDE, c : c + SIDE]
            for k, r, c in zip(classes, rows, columns, strict=True)
        ]
        return np.stack(made), classes

    x_train, y_train = some(count, 0, cut)
    x_test, y_test = some(count // 5, cut, whole.shape[2])
    return Task(x_train, y_train, x_test, y_test)


def convnet(classes: int, *, sparse: bool = False, side: int = SIDE) -> Model:
    """Build the course's small ConvNet: CONV–ReLU–CONV–ReLU–POOL, and classes on top.

    Filters are 5×5: 6, then 10. N×32×32×3 → 28×28×6 → 24×24×10 → 12×12×10 → N×classes.

    Args:
        classes: how many.
        sparse: let the last layer begin at zero and pay for each weight (L1), so that a weight
            there says what was learned, and not where it began.
        side: of the pictures.
    """
    make = LayerFactory(seed=0)
    penalty = keras_of("keras2").regularizers.L1(0.003) if sparse else None
    model = make.sequential(
        "convnet",
        [
            make("Conv2D", 6, 5, activation="relu", input_shape=(side, side, 3)),
            make("Conv2D", 10, 5, activation="relu"),
            make("MaxPooling2D"),
            make("Flatten"),
            make("Dense", classes, activation="softmax", kernel_regularizer=penalty),
        ],
    )
    if sparse:
        last = model.layers[-1]
        last.set_weights([0 * weights for weights in last.get_weights()])
    return model


@functools.cache
def trained_convnet(quick: bool) -> tuple[Model, float]:
    """Return the ConvNet, trained to tell the photographs' patches apart, and its test accuracy.

    Args:
        quick: with fewer patches and epochs.
    """
    model = convnet(len(NAMES))
    first = model.layers[0]
    # Small at first, so that what is seen of the filters is what they have learned.
    first.set_weights([0.1 * first.get_weights()[0], first.get_weights()[1]])
    count, epochs = (1000, 6) if quick else (4000, 20)
    return model, fit(model, patches(count), epochs, batch=50)
