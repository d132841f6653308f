"""Pooling and flatten (L1, L4): smaller pictures, and what is lost by that."""

from __future__ import annotations

import dataclasses

import numpy as np

from kerascnn.datasets import load_mnist
from kerascnn.families import keras_of
from kerascnn.images import sample_pictures
from kerascnn.lecture.book.builder import Chapter, ChapterBuilder
from kerascnn.lecture.drawing.boards import Board, draw
from kerascnn.lecture.experiments.arithmetic import correlate, filters, picture, pool, written
from kerascnn.lecture.experiments.mnist import task
from kerascnn.lecture.experiments.task import Array, Task
from kerascnn.lecture.experiments.training import Tensor, fit
from kerascnn.lecture.networks import Layer, Model
from kerascnn.models.layer_factory import LayerFactory
from kerascnn.network.input_spec import InputSpec
from kerascnn.sizes import size_text

#: What the lecture keeps of filter 1's map.
SAID_POOLED = "3 0 / 3 1"
#: How far apart two accuracies may lie to be called equally good, in points.
AS_GOOD = 0.01


def make(chapter: ChapterBuilder) -> None:
    """Pool the lecture's map, differentiate the maximum, train with each pooling, and subsample."""
    _small(chapter)
    _gradient(chapter)
    _again(chapter)
    examples, tests, epochs = (3000, 2000, 4) if chapter.quick else (10_000, 10_000, 6)
    digits = task(load_mnist(examples), tests)
    by_max = _kinds(chapter, digits, epochs)
    _subsampling(chapter, digits, epochs, by_max)


def _small(chapter: ChapterBuilder) -> None:
    maps = [correlate(picture(), kernel) for kernel in filters()]
    largest, mean = [pool(m) for m in maps], [pool(m, how="mean") for m in maps]
    chapter.text("max")
    boards = []
    for number, found in enumerate(maps):
        boards += [Board(found, f"({number + 1})"), Board(largest[number], "max", sign="→")]
        boards += [Board(mean[number], "mean", sign="→")]
    arrays = {"maps": maps, "max": largest, "mean": mean}
    chapter.figure("max", draw(boards, 3), arrays)
    made = [keras_pooled(found) for found in maps]
    pooled = written(largest[0])
    chapter.claim("max", pooled == SAID_POOLED, said=SAID_POOLED, map=pooled)
    same = all(
        (ours == theirs["max"]).all() and (average == theirs["mean"]).all()
        for ours, average, theirs in zip(largest, mean, made, strict=True)
    )
    chapter.claim("keras", same, same={"word": "equal" if same else "different"})


def keras_pooled(values: Array) -> dict[str, Array]:
    """Return what Keras 2 makes of an H×W map: ``max`` and ``mean`` over 2×2."""
    layers = keras_of("keras2").layers
    volume = values[None, ..., None].astype("float32")
    kinds = {"max": layers.MaxPooling2D, "mean": layers.AveragePooling2D}
    return {
        name: np.asarray(kind(data_format="channels_last")(volume))[0, ..., 0]
        for name, kind in kinds.items()
    }


def max_gradient(values: Array) -> Array:
    """Return ∂ (sum of the pooled map) / ∂ map: one where a group's maximum stands."""
    import tensorflow as tf

    volume = tf.constant(values[None, ..., None], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(volume)
        total = tf.reduce_sum(tf.nn.max_pool2d(volume, 2, 2, "VALID"))
    return np.asarray(tape.gradient(total, volume))[0, ..., 0]


def _gradient(chapter: ChapterBuilder) -> None:
    values = np.array([[5, 1, 0, 2], [3, 2, 7, 1], [0, 4, 6, 5], [1, 2, 3, 8]], np.float64)
    slope = max_gradient(values)
    chapter.text("gradient")
    boards = [Board(values), Board(pool(values), "max", sign="→"), Board(slope, "∂", sign="←")]
    chapter.figure("gradient", draw(boards), {"values": values, "gradient": slope})
    # By differences: a little more at each place, and what becomes of the sum.
    step = 1e-3
    moved = np.zeros_like(values)
    for place in np.ndindex(values.shape):
        more = values.copy()
        more[place] += step
        moved[place] = (pool(more).sum() - pool(values).sum()) / step
    worst = float(np.abs(moved - slope).max())
    chapter.claim("gradient", worst < 1e-6 and set(np.unique(slope)) == {0.0, 1.0}, worst=worst)


def _again(chapter: ChapterBuilder) -> None:
    first = np.stack([correlate(picture(), kernel) for kernel in filters()], axis=-1)
    pooled = pool(first)
    channels = pooled.shape[-1]
    kernels = np.random.default_rng(0).standard_normal((2, 2, 2, channels))
    second = np.stack([correlate(pooled, kernel) for kernel in kernels], axis=-1)
    volumes = {
        "picture": picture()[..., None],
        "convolution": first,
        "pooling": pooled,
        "convolution-2": second,
        "flatten": second.reshape(-1),
    }
    chapter.text("again")
    chapter.table(
        "again", [({"word": name}, size_text(v.shape), v.size) for name, v in volumes.items()]
    )
    chapter.claim("channels", channels == len(filters()), channels=channels, filters=len(filters()))


def _kinds(chapter: ChapterBuilder, digits: Task, epochs: int) -> float:
    """Train the lecture's network with the largest, the mean, and both; return max' accuracy."""
    accuracies = {how: fit(_network(how), digits, epochs) for how in ("max", "mean", "both")}
    chapter.text("kinds", examples=f"{len(digits.y_train):,}", epochs=epochs)
    chapter.table("kinds", [({"word": how}, f"{value:.2%}") for how, value in accuracies.items()])
    for how in ("mean", "both"):
        difference = accuracies[how] - accuracies["max"]
        chapter.claim(
            how,
            difference > -AS_GOOD,
            max=accuracies["max"],
            other=accuracies[how],
            points=100 * difference,
        )
    return accuracies["max"]


def _network(how: str, size: int = 28) -> Model:
    """Return the lecture's CNN with another pooling, or for smaller pictures."""
    make = LayerFactory(seed=0)
    layers = [make("Conv2D", 25, 3, input_shape=(size, size, 1)), _pooling(make, how)]
    layers += [make("Conv2D", 50, 3), _pooling(make, how), make("Flatten")]
    layers += [make("Dense", 100, activation="relu"), make("Dense", 10, activation="softmax")]
    return make.sequential(f"pooled_{how}_{size}", layers)


def _pooling(make: LayerFactory, how: str) -> Layer:
    """Return a layer that gives each group's largest, its mean, or both as channels."""
    if how != "both":
        kind = "MaxPooling2D" if how == "max" else "AveragePooling2D"
        return make(kind, data_format="channels_last")

    def both(maps: Tensor) -> Tensor:
        import tensorflow as tf

        largest = tf.nn.max_pool2d(maps, 2, 2, "VALID")
        return tf.concat([largest, tf.nn.avg_pool2d(maps, 2, 2, "VALID")], -1)

    return make("Lambda", both)


def _subsampling(chapter: ChapterBuilder, digits: Task, epochs: int, large: float) -> None:
    """Drop odd rows and columns of a photograph and of digits (accuracy on whole ones: large)."""
    spec = InputSpec((256, 256, 3), "unit", "chapter")
    photograph = sample_pictures(spec, 1)[0].values
    smaller = [photograph[::step, ::step] for step in (1, 2, 4)]
    chapter.text("subsampling")
    arrays = {f"every_{step}": each for step, each in zip((1, 2, 4), smaller, strict=True)}
    gap = np.ones((256, 12, 3))
    cells = [part for each in smaller for part in (_enlarged(each, 256), gap)][:-1]
    chapter.figure("subsampling", np.concatenate(cells, axis=1), arrays)
    half = dataclasses.replace(
        digits, x_train=digits.x_train[:, ::2, ::2], x_test=digits.x_test[:, ::2, ::2]
    )
    small = fit(_network("max", 14), half, epochs)
    chapter.claim("quarter", smaller[1].size * 4 == photograph.size, share=0.25)
    chapter.claim("subsampling", small > large - 0.03, large=large, small=small)


def _enlarged(picture: Array, size: int) -> Array:
    times = size // len(picture)
    return picture.repeat(times, axis=0).repeat(times, axis=1)


CHAPTER = Chapter("pooling", 3, make)
