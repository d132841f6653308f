"""Pooling and flatten (L1, L4): smaller pictures, and what is lost by that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascnn.lecture.book.chapter import Chapter
from kerascnn.sizes import size_text

if TYPE_CHECKING:
    from kerascnn.lecture.book.builder import ChapterBuilder

#: What the lecture keeps of filter 1's map.
SAID_POOLED = "3 0 / 3 1"
#: How far apart two accuracies may lie to be called equally good, in points.
AS_GOOD = 0.01


def make(work: ChapterBuilder) -> None:
    """Pool the lecture's map, derive the maximum, train with either pooling, and subsample."""
    _small(work)
    _gradient(work)
    _again(work)
    _kinds(work)
    _subsampling(work)


def _small(work: ChapterBuilder) -> None:
    from kerascnn.lecture.chapters.convolution import written
    from kerascnn.lecture.drawing.boards import Board, draw
    from kerascnn.lecture.experiments.arithmetic import correlate, filters, picture, pool

    maps = [correlate(picture(), kernel) for kernel in filters()]
    largest, mean = [pool(m) for m in maps], [pool(m, how="mean") for m in maps]
    work.text("max")
    boards = []
    for number, found in enumerate(maps):
        boards += [Board(found, f"({number + 1})"), Board(largest[number], "max", sign="→")]
        boards += [Board(mean[number], "mean", sign="→")]
    arrays = {"maps": maps, "max": largest, "mean": mean}
    work.figure("max", draw(boards, 3), arrays)
    made = [keras_pooled(found) for found in maps]
    work.claim("max", written(largest[0]) == SAID_POOLED, map=written(largest[0]))
    same = all(
        (ours == theirs["max"]).all() and (average == theirs["mean"]).all()
        for ours, average, theirs in zip(largest, mean, made, strict=True)
    )
    work.claim("keras", same, same={"word": "equal" if same else "different"})


def keras_pooled(values: Any) -> dict[str, Any]:
    """Return what Keras 2 makes of an H×W map: ``max`` and ``mean`` over 2×2."""
    import numpy as np

    from kerascnn.families import keras_of

    layers = keras_of("keras2").layers
    volume = values[None, ..., None].astype("float32")
    kinds = {"max": layers.MaxPooling2D, "mean": layers.AveragePooling2D}
    return {
        name: np.asarray(kind(data_format="channels_last")(volume))[0, ..., 0]
        for name, kind in kinds.items()
    }


def max_gradient(values: Any) -> Any:
    """Return ∂ (sum of the pooled map) / ∂ map: one where a group's maximum stands."""
    import tensorflow as tf

    volume = tf.constant(values[None, ..., None], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(volume)
        total = tf.reduce_sum(tf.nn.max_pool2d(volume, 2, 2, "VALID"))
    return tape.gradient(total, volume).numpy()[0, ..., 0]


def _gradient(work: ChapterBuilder) -> None:
    import numpy as np

    from kerascnn.lecture.drawing.boards import Board, draw
    from kerascnn.lecture.experiments.arithmetic import pool

    values = np.array([[5, 1, 0, 2], [3, 2, 7, 1], [0, 4, 6, 5], [1, 2, 3, 8]], np.float64)
    slope = max_gradient(values)
    work.text("gradient")
    boards = [Board(values), Board(pool(values), "max", sign="→"), Board(slope, "∂", sign="←")]
    work.figure("gradient", draw(boards), {"values": values, "gradient": slope})
    # By differences: a little more at each place, and what becomes of the sum.
    step = 1e-3
    moved = np.zeros_like(values)
    for place in np.ndindex(values.shape):
        more = values.copy()
        more[place] += step
        moved[place] = (pool(more).sum() - pool(values).sum()) / step
    worst = float(np.abs(moved - slope).max())
    work.claim("gradient", worst < 1e-6 and set(np.unique(slope)) == {0.0, 1.0}, worst=worst)


def _again(work: ChapterBuilder) -> None:
    import numpy as np

    from kerascnn.lecture.experiments.arithmetic import correlate, filters, picture, pool

    volume = picture()[..., None]
    random = np.random.default_rng(0)
    rows: list[tuple[Any, ...]] = [({"word": "picture"}, size_text(volume.shape), volume.size)]
    volume = np.stack([correlate(volume[..., 0], kernel) for kernel in filters()], axis=-1)
    rows.append(({"word": "convolution"}, size_text(volume.shape), volume.size))
    volume = pool(volume)
    rows.append(({"word": "pooling"}, size_text(volume.shape), volume.size))
    channels = volume.shape[-1]
    second = random.standard_normal((2, 2, 2, channels))
    volume = np.stack([correlate(volume, kernel) for kernel in second], axis=-1)
    rows.append(({"word": "convolution-2"}, size_text(volume.shape), volume.size))
    rows.append(({"word": "flatten"}, str(volume.reshape(-1).size), volume.size))
    work.text("again")
    work.table("again", rows)
    work.claim("channels", channels == len(filters()), channels=channels, filters=len(filters()))


def _kinds(work: ChapterBuilder) -> None:
    """Train the lecture's network with the largest, the mean, and both at once."""
    from kerascnn.lecture.experiments.small import digits, fit

    examples, tests, epochs = (3000, 2000, 4) if work.quick else (10_000, 10_000, 6)
    data = digits(examples, tests)
    accuracies = {}
    for how in ("max", "mean", "both"):
        accuracies[how] = fit(_network(how), data, epochs)
    work.text("kinds", examples=f"{examples:,}", epochs=epochs)
    work.table("kinds", [({"word": how}, f"{value:.2%}") for how, value in accuracies.items()])
    for how in ("mean", "both"):
        difference = accuracies[how] - accuracies["max"]
        work.claim(
            how,
            difference > -AS_GOOD,
            max=accuracies["max"],
            other=accuracies[how],
            points=100 * difference,
        )


def _network(how: str, size: int = 28) -> Any:
    """Return the lecture's CNN with another pooling, or for smaller pictures."""
    from kerascnn.families import keras_of
    from kerascnn.lecture.experiments.small import sequential

    keras = keras_of("keras2")

    class Both(keras.layers.Layer):  # type: ignore[name-defined]
        """The largest and the mean of each group, side by side as channels."""

        def call(self, maps: Any) -> Any:
            import tensorflow as tf

            largest = tf.nn.max_pool2d(maps, 2, 2, "VALID")
            return tf.concat([largest, tf.nn.avg_pool2d(maps, 2, 2, "VALID")], -1)

    kinds = {
        "max": keras.layers.MaxPooling2D,
        "mean": keras.layers.AveragePooling2D,
        "both": Both,
    }
    layers = [keras.layers.Conv2D(25, 3, input_shape=(size, size, 1)), kinds[how]()]
    layers += [keras.layers.Conv2D(50, 3), kinds[how](), keras.layers.Flatten()]
    layers += [keras.layers.Dense(100, "relu"), keras.layers.Dense(10, "softmax")]
    return sequential(f"pooled_{how}_{size}", layers, seed=0)


def _subsampling(work: ChapterBuilder) -> None:
    """Drop odd rows and columns of a photograph, and of the digits a network learns."""
    import dataclasses

    import numpy as np

    from kerascnn.images import sample_pictures
    from kerascnn.lecture.experiments.small import digits, fit
    from kerascnn.network.input_spec import InputSpec

    contract = InputSpec((256, 256, 3), "unit", "chapter")
    photograph = sample_pictures(contract, 1)[0].values
    smaller = [photograph[::step, ::step] for step in (1, 2, 4)]
    work.text("subsampling")
    arrays = {f"every_{step}": each for step, each in zip((1, 2, 4), smaller, strict=True)}
    gap = np.ones((256, 12, 3))
    cells = [part for each in smaller for part in (_enlarged(each, 256), gap)][:-1]
    work.figure("subsampling", np.concatenate(cells, axis=1), arrays)
    examples, tests, epochs = (3000, 2000, 4) if work.quick else (10_000, 10_000, 6)
    whole = digits(examples, tests)
    half = dataclasses.replace(
        whole, x_train=whole.x_train[:, ::2, ::2], x_test=whole.x_test[:, ::2, ::2]
    )
    large, small = fit(_network("max"), whole, epochs), fit(_network("max", 14), half, epochs)
    work.claim("quarter", smaller[1].size * 4 == photograph.size, share=0.25)
    work.claim("subsampling", small > large - 0.03, large=large, small=small)


def _enlarged(picture: Any, size: int) -> Any:
    times = size // len(picture)
    return picture.repeat(times, axis=0).repeat(times, axis=1)


CHAPTER = Chapter("pooling", 3, make)
