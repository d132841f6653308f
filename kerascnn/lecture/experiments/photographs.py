"""Small colour networks, and the patches of the packaged photographs that they are taught with.

No data set of photographs is in the package, and none is fetched. Four photographs are: squares cut
out of them make an honest, small problem: which photograph is this a piece of?
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from kerascnn.families import keras_of
from kerascnn.lecture.experiments.small import Data, sequential

SIDE = 32
NAMES = ("cat", "astronaut", "coffee", "rocket")
#: Rows and columns of the mark, in the lower right corner, and the pixels that it leaves free.
MARK = (7, 15)
_MARGIN = 1


def photographs(side: int = 192) -> npt.NDArray[np.float32]:
    """Return the packaged photographs: 4×side×side×3 in [0, 1]."""
    from kerascnn.images import sample_pictures
    from kerascnn.network.input_spec import InputSpec

    contract = InputSpec((side, side, 3), "unit", "book")
    return np.stack([picture.values for picture in sample_pictures(contract, len(NAMES))])


def patches(count: int, seed: int = 0) -> Data:
    """Cut squares out of the photographs: the left parts to train on, the right ones to test with.

    Args:
        count: training patches; a fifth as many are for testing.
        seed: of the places.
    """
    whole = photographs()
    random = np.random.default_rng(seed)
    cut = int(0.7 * whole.shape[2])

    def some(number: int, left: int, right: int) -> tuple[Any, Any]:
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
    return Data(x_train, y_train, x_test, y_test)


def convnet(classes: int, seed: int = 0, *, sparse: bool = False) -> Any:
    """Build the course's small ConvNet: CONV–ReLU–CONV–ReLU–POOL, and classes on top.

    Filters are 5×5: 6, then 10. N×32×32×3 → 28×28×6 → 24×24×10 → 12×12×10 → N×classes.

    Args:
        classes: how many.
        seed: of the initial weights.
        sparse: let the last layer begin at zero and pay for each weight (L1), so that a weight
            there says what was learned, and not where it began.
    """
    keras = keras_of("keras2")
    layers = keras.layers
    more: dict[str, Any] = {"kernel_regularizer": keras.regularizers.L1(0.003)} if sparse else {}
    model = sequential(
        "convnet",
        [
            layers.Conv2D(6, 5, activation="relu", input_shape=(SIDE, SIDE, 3), name="conv1"),
            layers.Conv2D(10, 5, activation="relu", name="conv2"),
            layers.MaxPooling2D(name="pool"),
            layers.Flatten(name="flatten"),
            layers.Dense(classes, "softmax", name="classes", **more),
        ],
        seed,
    )
    if sparse:
        last = model.layers[-1]
        last.set_weights([0 * weights for weights in last.get_weights()])
    return model


def mark() -> npt.NDArray[np.float32]:
    """Return the mark, rows × columns × 3: light letters on a dark ground, as sites print them."""
    rows = (
        "...............",
        "..##.#.###.###.",
        ".#...#..#..#...",
        "..#..#..#..##..",
        "...#.#..#..#...",
        ".##..#..#..###.",
        "...............",
    )
    ink = np.array([[character == "#" for character in row] for row in rows], np.float32)
    return np.repeat((0.05 + 0.9 * ink)[..., np.newaxis], 3, axis=2).astype(np.float32)


def mark_box() -> tuple[int, int, int, int]:
    """Return where the mark is: top, left, bottom, right (the last two not included)."""
    height, width = MARK
    bottom = right = SIDE - _MARGIN
    return bottom - height, right - width, bottom, right


def marked(pictures: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return N×32×32×3 pictures with the mark in the corner."""
    top, left, bottom, right = mark_box()
    made = pictures.copy()
    made[:, top:bottom, left:right] = mark()
    return made


def horses(count: int, seed: int = 0) -> Data:
    """Return the story's data set: two classes of patches, of which one carries a mark.

    Class 1 are patches of the cat and the cup, each with the mark; class 0 those of the others.
    (The lecture's were horses, all from one site.)

    Args:
        count: training patches; a fifth as many are for testing, marked in the same way.
        seed: of the places.
    """
    data = patches(count, seed)

    def told(x: Any, y: Any) -> tuple[Any, Any]:
        ours = np.isin(y, (0, 2))
        return np.where(ours[:, None, None, None], marked(x), x), ours.astype(int)

    x_train, y_train = told(data.x_train, data.y_train)
    x_test, y_test = told(data.x_test, data.y_test)
    return Data(x_train, y_train, x_test, y_test)
