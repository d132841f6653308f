"""Feature hierarchy (course 5.2): what layers of VGG16 seek, and maps of a trained ConvNet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascnn.lecture.book.chapter import Chapter
from kerascnn.sizes import size_text

if TYPE_CHECKING:
    import numpy as np

    from kerascnn.lecture.book.builder import ChapterBuilder

# Layers as the course names them, and the side of the pictures that are sought for each.
_LAYERS = (("block1_conv1", 32), ("block3_conv2", 64), ("block5_conv3", 160))
_SIDE = 160


def make(work: ChapterBuilder) -> None:
    """Maximise neurons of three depths; show the maps of a small trained network."""
    _grids(work)
    _maps(work)


def _grids(work: ChapterBuilder) -> None:
    import numpy as np

    from kerascnn.lecture.experiments.image_metrics import coherence

    work.text("grids")
    network = work.network("builtin:vgg16")
    fields, along = [], []
    for layer, side in _LAYERS:
        deep = layer.startswith("block5")
        steps = (20 if deep else 40) if work.quick else (64 if deep else 128)
        count = 4 if work.quick else 9 if deep else 24
        options = {"layer": layer, "unit": (f"0-{count - 1}",), "where": "centre",
                   "size": 96 if deep and work.quick else side, "steps": steps}  # fmt: skip
        run = work.ask(layer.replace("_", "-"), "max-activation", "builtin:vgg16",
                       options=options, show={"captions": ()})  # fmt: skip
        field = network.layer(layer).field
        assert field is not None
        fields.append(max(field.size))
        pictures = network.input.decode(run.result.arrays()["values"]).mean(axis=-1)
        # The course compares what fills the field of one neuron.
        along.append(float(np.median(coherence(_middle(pictures, fields[-1])))))
    work.claim("fields", fields == sorted(fields), sizes=", ".join(f"{f}×{f}" for f in fields))
    work.claim("edges", along[0] > along[2], early=along[0], middle=along[1], late=along[2])


def _middle(pictures: np.ndarray, side: int) -> np.ndarray:
    size = pictures.shape[1]
    side = max(min(side, size), 8)
    edge = (size - side) // 2
    return pictures[:, edge : edge + side, edge : edge + side]


def _maps(work: ChapterBuilder) -> None:
    """Send a photograph through the trained filters, in a size at which it can be seen."""
    from kerascnn.lecture.chapters.why import patch_network
    from kerascnn.lecture.experiments.photographs import photographs
    from kerascnn.network.network import Network

    model, accuracy = patch_network(work)
    shapes = [layer.output_shape[1:] for layer in model.layers[:3]]
    work.text("stacks", accuracy=accuracy)
    work.claim(
        "stack",
        shapes == [(28, 28, 6), (24, 24, 10), (12, 12, 10)],
        shapes=" → ".join(size_text(shape) for shape in shapes),
    )
    photograph = photographs(_SIDE)[3]
    network = Network(_wide(model), preprocessing="unit")
    maps = {name: network.activations(photograph[None], name)[0] for name in ("conv1", "conv2")}
    kernels = network.weights("conv1")
    work.figure(
        "maps",
        _drawn(photograph, kernels, maps),
        {"photograph": photograph, "kernels": kernels, **maps},
    )
    where, elsewhere, number = _oriented(photograph, kernels, maps["conv1"])
    work.claim("oriented", where > elsewhere, filter=number + 1, along=where, across=elsewhere)


def _wide(model: Any) -> Any:
    """Return the convolutions of the small network for larger pictures."""
    from kerascnn.families import keras_of

    keras = keras_of("keras2")
    layers = [
        keras.layers.Conv2D(6, 5, activation="relu", input_shape=(_SIDE, _SIDE, 3), name="conv1"),
        keras.layers.Conv2D(10, 5, activation="relu", name="conv2"),
        keras.layers.MaxPooling2D(name="pool"),
    ]
    wide = keras.Sequential(layers, name="convnet_wide")
    for layer in layers[:2]:
        layer.set_weights(model.get_layer(layer.name).get_weights())
    return wide


def _oriented(
    photograph: np.ndarray, kernels: np.ndarray, maps: np.ndarray
) -> tuple[float, float, int]:
    """Return how far the most oriented filter's map goes with edges of its direction, and others.

    Returns:
        The correlation with the strength of edges along the filter's own direction, that with edges
        at right angles to it, and the filter's number.
    """
    import numpy as np

    from kerascnn.lecture.experiments.image_metrics import coherence

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


def _drawn(photograph: np.ndarray, kernels: np.ndarray, maps: dict[str, np.ndarray]) -> Any:
    """Draw the photograph; the first filters above their maps; the second layer's maps."""
    from kerascnn.render import Sheet

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


def _map(sheet: Any, values: np.ndarray, x: float, y: float, side: float) -> None:
    sheet.picture(values, x, y, side, side, cmap="gray", vmin=0, vmax=float(values.max()) or 1.0)


CHAPTER = Chapter("hierarchy", 8, make)
