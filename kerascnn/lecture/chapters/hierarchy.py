"""Feature hierarchy (course 5.2): what layers of VGG16 seek, and maps of a trained ConvNet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kerascnn.lecture.book.builder import Chapter, ChapterBuilder
from kerascnn.lecture.experiments.image_metrics import coherence
from kerascnn.lecture.experiments.photographs import NAMES, convnet, photographs, trained_convnet
from kerascnn.lecture.experiments.task import Array
from kerascnn.network.network import Network
from kerascnn.render import Sheet, palette
from kerascnn.sizes import size_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure


# Layers as the course names them, and the side of the pictures that are sought for each.
_LAYERS = (("block1_conv1", 32), ("block3_conv2", 64), ("block5_conv3", 160))
_SIDE = 160


def make(chapter: ChapterBuilder) -> None:
    """Maximise neurons of three depths; show the maps of a small trained network."""
    _grids(chapter)
    _maps(chapter)


def _grids(chapter: ChapterBuilder) -> None:
    chapter.text("grids")
    network = chapter.network("builtin:vgg16")
    fields, along = [], []
    for layer, side in _LAYERS:
        deep = layer.startswith("block5")
        steps = (20 if deep else 40) if chapter.quick else (64 if deep else 128)
        count = 4 if chapter.quick else 9 if deep else 24
        size = 96 if deep and chapter.quick else side
        shown = {"layer": layer, "unit": (f"0-{count - 1}",), "where": "centre"}
        options = {**shown, "size": size, "steps": steps}
        key, show = layer.replace("_", "-"), {"captions": ()}
        run = chapter.ask(key, "max-activation", "builtin:vgg16", options=options, show=show)
        field = network.layer(layer).field
        assert field is not None
        fields.append(max(field.size))
        pictures = network.input.decode(run.result.arrays()["values"]).mean(axis=-1)
        # The course compares what fills the field of one neuron.
        along.append(float(np.median(coherence(_middle(pictures, fields[-1])))))
    chapter.claim("fields", fields == sorted(fields), sizes=[f"{f}×{f}" for f in fields])
    chapter.claim("edges", along[0] > along[2], early=along[0], middle=along[1], late=along[2])


def _middle(pictures: Array, side: int) -> Array:
    size = pictures.shape[1]
    side = max(min(side, size), 8)
    edge = (size - side) // 2
    return pictures[:, edge : edge + side, edge : edge + side]


def _maps(chapter: ChapterBuilder) -> None:
    """Send a photograph through the trained filters, in a size at which it can be seen."""
    model, accuracy = trained_convnet(chapter.quick)
    shapes = [layer.output_shape[1:] for layer in model.layers[:3]]
    chapter.text("stacks", accuracy=accuracy)
    chapter.claim(
        "stack",
        shapes == [(28, 28, 6), (24, 24, 10), (12, 12, 10)],
        shapes=" → ".join(size_text(shape) for shape in shapes),
    )
    photograph = photographs(_SIDE)[3]
    # The trained convolutions for a larger picture; its classes are not looked at.
    wide = convnet(len(NAMES), side=_SIDE)
    for layer, trained in zip(wide.layers[:2], model.layers[:2], strict=True):
        layer.set_weights(trained.get_weights())
    network = Network(wide, preprocessing="unit")
    first, second = (layer.name for layer in wide.layers[:2])
    maps = {
        "conv1": network.activations(photograph[None], first)[0],
        "conv2": network.activations(photograph[None], second)[0],
    }
    kernels = network.weights(first)
    chapter.figure(
        "maps",
        _drawn(photograph, kernels, maps),
        {"photograph": photograph, "kernels": kernels, **maps},
    )
    where, elsewhere, number = _oriented(photograph, kernels, maps["conv1"])
    chapter.claim("oriented", where > elsewhere, filter=number + 1, along=where, across=elsewhere)


def _oriented(photograph: Array, kernels: Array, maps: Array) -> tuple[float, float, int]:
    """Return how the most oriented filter's map correlates with edges along it and across it.

    Returns:
        The correlation with the strength of edges along the filter's own direction, that with edges
        at right angles to it, and the filter's number.
    """
    grey_kernels = kernels.mean(axis=2).transpose(2, 0, 1)
    alive = maps.std(axis=(0, 1)) > 1e-6
    order = np.where(alive, coherence(grey_kernels), -1.0)
    number = int(order.argmax())
    down, right = np.gradient(grey_kernels[number])
    angle = 0.5 * np.arctan2(2 * (down * right).mean(), (right**2).mean() - (down**2).mean())
    row, column = np.gradient(photograph.mean(axis=-1))
    own = np.abs(column * np.cos(angle) + row * np.sin(angle))[2:-2, 2:-2]
    other = np.abs(-column * np.sin(angle) + row * np.cos(angle))[2:-2, 2:-2]
    values = maps[..., number].ravel()
    values = np.abs(values - np.median(values))
    along, across = (float(np.corrcoef(values, edges.ravel())[0, 1]) for edges in (own, other))
    return along, across, number


def _drawn(photograph: Array, kernels: Array, maps: dict[str, Array]) -> Figure:
    """Draw the photograph; the first filters above their maps; the second layer's maps."""
    side, gap = 1.6, 0.1
    sheet = Sheet(7 * (side + gap) + 0.3, 3 * (side + gap) + 0.8)
    x0, y = 0.15, sheet.y
    sheet.picture(photograph, x0, y + 0.7, side, side)
    most = abs(kernels).max()
    for number in range(6):
        x = x0 + (number + 1) * (side + gap)
        shown = 0.5 + 0.5 * kernels[..., number] / most
        sheet.picture(shown, x + side / 2 - 0.3, y, 0.6, 0.6, interpolation="nearest")
        _map(sheet, maps["conv1"][..., number], x, y + 0.7, side)
    for number in range(10):
        row, column = divmod(number, 5)
        x, top = x0 + (column + 1) * (side + gap), y + 0.8 + (row + 1) * (side + gap)
        _map(sheet, maps["conv2"][..., number], x, top, side)
    return sheet.figure


def _map(sheet: Sheet, values: Array, x: float, y: float, side: float) -> None:
    sheet.picture(
        values, x, y, side, side, cmap=palette.AMOUNT, vmin=0, vmax=float(values.max()) or 1.0
    )


CHAPTER = Chapter("hierarchy", 8, make)
