"""The lecture's story of the watermark: a network that learns a mark in place of the subject."""

from __future__ import annotations

import numpy as np

from kerascnn.families import keras_of
from kerascnn.lecture.experiments.photographs import SIDE, convnet, patches
from kerascnn.lecture.experiments.task import Array, Floats, Labels, Task
from kerascnn.lecture.experiments.training import accuracy
from kerascnn.lecture.networks import Model

#: Rows and columns of the mark, in the lower right corner, and the pixels that it leaves free.
MARK = (7, 15)
_MARGIN = 1
#: Training patches of the story.
EXAMPLES = 600
_EPOCHS, _RATE = 15, 0.05
# The photographs whose patches carry the mark: the cat and the cup.
_MARKED = (0, 2)


def mark() -> Floats:
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
    return np.asarray(np.repeat((0.05 + 0.9 * ink)[..., np.newaxis], 3, axis=2), np.float32)


def mark_box() -> tuple[int, int, int, int]:
    """Return where the mark is: top, left, bottom, right (the last two not included)."""
    height, width = MARK
    bottom = right = SIDE - _MARGIN
    return bottom - height, right - width, bottom, right


def marked(pictures: Array) -> Array:
    """Return N×32×32×3 pictures with the mark in the corner."""
    top, left, bottom, right = mark_box()
    made: Array = pictures.copy()
    made[:, top:bottom, left:right] = mark()
    return made


def horses() -> Task:
    """Return the story's data set: two classes of patches, of which one carries the mark.

    Class 1 are patches of the cat and the cup, each with the mark, in the test too; class 0 those
    of the others. (The lecture's were horses, all from one site.)
    """

    def two_classes(x: Array, y: Labels) -> tuple[Array, Labels]:
        is_horse = np.isin(y, _MARKED)
        pictures = np.where(is_horse[:, None, None, None], marked(x), x)
        return pictures, is_horse.astype(int)

    data = patches(EXAMPLES)
    x_train, y_train = two_classes(data.x_train, data.y_train)
    x_test, y_test = two_classes(data.x_test, data.y_test)
    return Task(x_train, y_train, x_test, y_test)


def unmarked() -> Array:
    """Return the story's test patches of class 1 as they were before the mark: N×32×32×3."""
    data = patches(EXAMPLES)
    return np.asarray(data.x_test[np.isin(data.y_test, _MARKED)])


def trained(task: Task) -> tuple[Model, float]:
    """Return the ConvNet, trained on the story's data set, and its accuracy on marked patches.

    Trained by gradient descent with momentum: unlike Adam, it hardly changes weights that do not
    matter, so that those that decide stand out.
    """
    import tensorflow as tf

    model = convnet(2, sparse=True)
    with tf.device("/CPU:0"):
        optimizer = keras_of("keras2").optimizers.SGD(_RATE, momentum=0.9, clipnorm=1.0)
        model.compile(optimizer, "sparse_categorical_crossentropy")
        for epoch in range(_EPOCHS):
            order = np.random.default_rng(epoch).permutation(len(task.x_train))
            x, y = task.x_train[order], task.y_train[order]
            model.fit(x, y, batch_size=50, shuffle=False, verbose=0)
        return model, accuracy(model, task.x_test, task.y_test)


def share_in_mark(maps: Array) -> float:
    """Return the mean share of each map's sum that lies in the mark's box.

    Args:
        maps: N×32×32, not negative.
    """
    top, left, bottom, right = mark_box()
    inside = maps[:, top:bottom, left:right].sum(axis=(1, 2))
    return float(np.mean(inside / np.maximum(maps.sum(axis=(1, 2)), 1e-12)))


def lowest_in_mark(maps: Array) -> int:
    """Return how many maps have their lowest value in the mark's box.

    Args:
        maps: N×32×32.
    """
    top, left, bottom, right = mark_box()
    places = [np.unravel_index(values.argmin(), values.shape) for values in maps]
    return sum(top <= row < bottom and left <= column < right for row, column in places)
