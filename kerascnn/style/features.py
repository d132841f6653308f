"""The network of the loss: VGG's convolutions, with a choice of pooling and of padding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascnn.errors import ModelError, UsageError, nearest, one_line
from kerascnn.models.vgg import BLOCKS
from kerascnn.style.winograd import Convolution, Grid

if TYPE_CHECKING:
    from tensorflow import Tensor

Kernels = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""Layer name → kernel (3×3×inputs×filters) and bias, in the network's order."""

MEAN = (103.939, 116.779, 123.68)
"""What is subtracted from VGG's pictures (blue, green, red, 0 to 255)."""

_BLOCKS = {"vgg16": tuple(count for _, count in BLOCKS), "vgg19": (2, 2, 4, 4, 4)}
_WINOGRAD_FROM = 256  # filters: with fewer, cutting tiles takes as long as the saved products


@dataclass(frozen=True)
class Tap:
    """A layer whose maps the loss looks at.

    Attributes:
        name: the layer's.
        channels: how many maps.
        stride: pixels from one unit to the next.
        reach: how many pixels a unit sees on each side of its own ``stride`` × ``stride`` pixels.
    """

    name: str
    channels: int
    stride: int
    reach: int


class Features:
    """VGG up to the layers that are needed, on pictures of any size.

    Args:
        kernels: of its convolutions.
        pooling: ``"average"`` or ``"max"``.
        padding: ``"replicate"`` or ``"zero"``: what the first convolution sees beyond the border.
        winograd: convolve maps of many channels with fewer products, where that is quicker: on a
            processor, in float32 (bfloat16 would round the tiles too much).
    """

    def __init__(
        self, kernels: Kernels, *, pooling: str, padding: str, winograd: bool = True
    ) -> None:
        import tensorflow as tf

        self._pooling, self._padding = pooling, padding
        self.taps = {tap.name: tap for tap in _taps(kernels)}
        self._kernels = dict(kernels)
        self._winograd = winograd and not tf.config.list_physical_devices("GPU")
        self._ready: dict[str, tuple[Convolution | Tensor, Tensor]] = {}

    def tap(self, name: str) -> Tap:
        """Return a layer by its name, or raise a `UsageError`."""
        if name not in self.taps:
            raise UsageError(f"no layer {one_line(name, 40)!r}{nearest(name, self.taps)}")
        return self.taps[name]

    def trace(self, picture: Tensor, names: Iterable[str]) -> dict[str, Tensor]:
        """Return layer name → maps 1×h×w×C of a picture 1×H×W×3 in the network's values.

        To be called inside a ``tf.function``.
        """
        import tensorflow as tf

        wanted, found, values, block, grid = set(names), {}, picture, "block1", None
        pool = tf.nn.avg_pool2d if self._pooling == "average" else tf.nn.max_pool2d
        for position, name in enumerate(self._kernels):
            if not name.startswith(block):
                values, block = pool(values, 2, 2, "VALID"), name.partition("_")[0]
                grid = None
            kernel, bias = self._layer(name)
            if isinstance(kernel, Convolution):
                grid = grid or Grid.of(values)
                values = kernel(values, grid)
            elif position == 0 and self._padding == "replicate":
                edges = tf.pad(values, ((0, 0), (1, 1), (1, 1), (0, 0)), "SYMMETRIC")
                values = tf.nn.conv2d(edges, kernel, 1, "VALID")
            else:
                values = tf.nn.conv2d(values, kernel, 1, "SAME")
            values = tf.nn.relu(tf.nn.bias_add(values, bias))
            if name in wanted:
                found[name] = values
                if len(found) == len(wanted):
                    break
        return found

    def _layer(self, name: str) -> tuple[Convolution | Tensor, Tensor]:
        """Return a layer's kernel and bias for TensorFlow, made when they are first needed."""
        import tensorflow as tf

        if name not in self._ready:
            kernel, bias = self._kernels[name]
            fewer = self._winograd and kernel.shape[3] >= _WINOGRAD_FROM
            with tf.init_scope():  # not within the graph that is being traced
                self._ready[name] = (
                    Convolution(kernel) if fewer else tf.constant(kernel, tf.float32),
                    tf.constant(bias, tf.float32),
                )
        return self._ready[name]

    def bytes_per_pixel(self, names: Iterable[str]) -> float:
        """Return about how many bytes a pixel takes, forward and back; fitted to measurements."""
        deepest = list(self.taps).index(max(names, key=list(self.taps).index))
        maps = [tap.channels / tap.stride**2 for tap in list(self.taps.values())[: deepest + 1]]
        # Each map is kept for the backward pass, which holds two gradients of the largest at once.
        return 4.0 * (1.45 * sum(maps) + 4.0 * max(maps))


def _taps(kernels: Kernels) -> Iterable[Tap]:
    stride, reach, block = 1, 0, "block1"
    for name, (kernel, _) in kernels.items():
        if not name.startswith(block):
            stride, block = 2 * stride, name.partition("_")[0]
        reach += stride
        yield Tap(name, int(kernel.shape[-1]), stride, reach)


def load_kernels(network: str, weights: str) -> Kernels:
    """Return a network's kernels and biases.

    Args:
        network: ``"vgg16"`` or ``"vgg19"``.
        weights: ``"embedded"``, ``"imagenet"`` (Keras downloads them unless it has them), or a
            model file of any Keras format.

    Raises:
        ModelError: the file can't be read, or holds another network.
        RefusedError: the file could run code.
    """
    model = _model(network, weights)
    names = [
        f"block{block}_conv{number}"
        for block, count in enumerate(_BLOCKS[network], start=1)
        for number in range(1, count + 1)
    ]
    layers = {layer.name: layer for layer in model.layers}
    extra = [name for name in layers if name.startswith("block") and "_conv" in name]
    found, inputs = {}, 3
    for name in names:
        filters = BLOCKS[int(name[5]) - 1][0]
        stored = [weight.numpy() for weight in getattr(layers.get(name), "weights", ())]
        shapes = [weight.shape for weight in stored]
        if shapes != [(3, 3, inputs, filters), (filters,)] or len(extra) != len(names):
            raise ModelError(
                f"{one_line(weights)} holds no {network}: its layer {name} must have a kernel of "
                f"3×3×{inputs}×{filters}, and there must be {len(names)} such layers. "
                f"Received: {shapes[0] if shapes else 'no such layer'}, {len(extra)} layers"
            )
        found[name] = (stored[0], stored[1])
        inputs = filters
    return found


def _model(network: str, weights: str) -> Any:
    if weights == "embedded":
        from kerascnn.models import vgg16_features

        return vgg16_features((None, None, 3))
    if weights == "imagenet":
        try:
            return {"vgg16": vgg16, "vgg19": vgg19}[network]("imagenet")
        except Exception as error:
            raise ModelError(
                f"the weights of {network} can't be fetched (no network?): {one_line(error, 200)}"
            ) from error
    from kerascnn.loading import load_model, sniff

    path = Path(weights)
    alone = not path.is_dir() and sniff(path).content == "weights"
    builder = f"kerascnn.style.features:{network}" if alone else None
    return load_model(path, architecture=builder).model


def vgg16(weights: str | None = None) -> Any:
    """Build VGG16's convolutions, by default for a file that holds weights alone."""
    import tf_keras

    return tf_keras.applications.VGG16(weights=weights, include_top=False)


def vgg19(weights: str | None = None) -> Any:
    """Build VGG19's convolutions, by default for a file that holds weights alone."""
    import tf_keras

    return tf_keras.applications.VGG19(weights=weights, include_top=False)
