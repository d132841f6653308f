"""Convolution is a fully connected layer with weights cut and shared (L3; course 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kerascnn.families import keras_of
from kerascnn.lecture.book.builder import Chapter, ChapterBuilder
from kerascnn.lecture.drawing.boards import number
from kerascnn.lecture.experiments.arithmetic import (
    correlate,
    filters,
    matrix,
    picture,
    positions,
    wires,
)
from kerascnn.lecture.experiments.task import Array
from kerascnn.render import new_figure, palette
from kerascnn.sizes import size_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure


#: What the lecture says of the first two neurons: their inputs, counted from 1.
SAID_WIRES = {
    0: [1, 2, 3, 7, 8, 9, 13, 14, 15],
    1: [2, 3, 4, 8, 9, 10, 14, 15, 16],
}


def make(chapter: ChapterBuilder) -> None:
    """Write the filter as a matrix, and compare a Dense layer with it."""
    kernel, pixels = filters()[0], picture()
    weights = matrix(kernel, 6, 6)
    found = pixels.reshape(-1) @ weights
    chapter.text("wires")
    chapter.figure("wires", _wires(pixels, weights, found), {"matrix": weights, "neurons": found})
    for neuron, says in SAID_WIRES.items():
        inputs, value = wires(kernel, 6, 6, neuron), int(found[neuron])
        chapter.claim(f"wires-{neuron}", inputs == says, said=says, inputs=inputs, value=value)
    first, second = (weights[np.array(wires(kernel, 6, 6, n)) - 1, n] for n in (0, 1))
    chapter.claim("same-weights", bool((first == second).all()), same=int((first == second).sum()))
    chapter.text("matrix", ties=int((weights != 0).sum()), all=weights.size)
    chapter.figure("matrix", _matrix(weights, kernel), {"matrix": weights})
    chapter.claim(
        "fewer",
        kernel.size < np.count_nonzero(weights) < weights.size,
        full=weights.size,
        cut=int(np.count_nonzero(weights)),
        shared=kernel.size,
    )
    same = int((dense_outputs(weights, pixels) == correlate(pixels, kernel).ravel()).sum())
    chapter.claim("dense", same == len(found), same=same)
    chapter.text("counts")
    chapter.table("counts", _counts())
    chapter.text("course")
    _course(chapter)


def dense_outputs(weights: Array, pixels: Array) -> Array:
    """Return what a Dense layer of Keras 2 with these weights gives for one picture.

    Args:
        weights: inputs × neurons.
        pixels: the picture, stretched by the layer's own Flatten.
    """
    keras = keras_of("keras2")
    layer = keras.layers.Dense(weights.shape[1], use_bias=False)
    model = keras.Sequential([keras.layers.Flatten(input_shape=pixels.shape), layer])
    layer.set_weights([weights])
    return np.asarray(model(pixels[None].astype("float32"))[0])


def _counts() -> list[tuple[str, ...]]:
    """Return rows of: picture, maps, weights fully connected, cut, shared."""
    rows = []
    for size, channels, window, count in ((6, 1, 3, 1), (28, 1, 3, 25), (13, 25, 3, 50),
                                          (32, 3, 5, 6), (224, 3, 3, 64)):  # fmt: skip
        side = positions(size, window, 1)
        neurons, each = side * side * count, window * window * channels
        full = size * size * channels * neurons
        shown = (full, neurons * each, count * each)
        volume = f"{size}×{size}×{channels}", f"{side}×{side}×{count}"
        rows.append((*volume, *(f"{number:,}" for number in shown)))
    return rows


def _course(chapter: ChapterBuilder) -> None:
    keras = keras_of("keras2")
    model = keras.Sequential(
        [keras.layers.Flatten(input_shape=(32, 32, 3)), keras.layers.Dense(10, use_bias=False)]
    )
    stretched = model.layers[0].output_shape[1]
    kernel = model.layers[1].get_weights()[0]
    outputs = np.asarray(model(np.zeros((1, 32, 32, 3), "float32"))).shape[1]
    chapter.claim(
        "course",
        (stretched, kernel.T.shape, outputs) == (3072, (10, 3072), 10),
        inputs=stretched,
        weights=size_text(kernel.T.shape),
        outputs=outputs,
    )


def _wires(pixels: Array, weights: Array, found: Array) -> Figure:
    """Draw the 36 inputs and the first two neurons, connected in the colours of the weights."""
    figure = new_figure(7.5, 9)
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set(xlim=(-0.6, 4.2), ylim=(36.7, -0.7))
    connected = set(np.flatnonzero(weights[:, :2].any(axis=1)))
    for neuron, height in ((0, 5.0), (1, 13.0)):
        inputs = np.flatnonzero(weights[:, neuron])
        for place, index in enumerate(inputs):
            axes.plot([0.18, 2.8], [float(index), height], color=palette.AREAS[place], linewidth=2)
        axes.text(3.0, height, number(found[neuron]), fontsize=17, ha="center", va="center",
                  bbox={"boxstyle": "circle", "fc": "white", "ec": "0.3"})  # fmt: skip
    for place, value in enumerate(pixels.reshape(-1)):
        shade = "black" if place in connected else "0.65"
        axes.text(-0.45, place, f"{place + 1}:", fontsize=10, ha="right", va="center", color=shade)
        axes.text(0, place, f"{value:.0f}", fontsize=10, ha="center", va="center", color=shade,
                  bbox={"boxstyle": "circle,pad=0.2", "fc": "white", "ec": shade})  # fmt: skip
    return figure


def _matrix(weights: Array, kernel: Array) -> Figure:
    """Draw the 16×36 matrix, a row for each neuron; equal colour is the same weight."""
    from matplotlib.colors import to_rgb

    # The same matrix of the weights' numbers 1 … 9 in place of their values.
    which = matrix(np.arange(1.0, kernel.size + 1).reshape(kernel.shape), 6, 6).T.astype(int)
    colours = np.array([(1, 1, 1), *(to_rgb(colour) for colour in palette.AREAS)])
    figure = new_figure(11, 5.3)
    axes = figure.add_subplot()
    axes.imshow(colours[which], interpolation="nearest")
    for neuron, index in np.argwhere(which):
        text = number(weights[index, neuron])
        axes.text(index, neuron, text, fontsize=8, ha="center", va="center")
    axes.set_xticks(range(36), [str(index) for index in range(1, 37)], fontsize=8)
    axes.set_yticks(range(16), [str(neuron) for neuron in range(1, 17)], fontsize=8)
    axes.set_xticks(np.arange(-0.5, 36), minor=True)
    axes.set_yticks(np.arange(-0.5, 16), minor=True)
    axes.grid(which="minor", color=palette.LIGHT.line, linewidth=0.6)
    axes.tick_params(which="both", length=0)
    return figure


CHAPTER = Chapter("sharing", 2, make)
