"""Deep Dream: a picture is changed so that what a network finds in it grows stronger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascnn.ascent.objective import Measure, Objective, single
from kerascnn.ascent.tiles import Tile, tiles
from kerascnn.errors import ModelError, UsageError
from kerascnn.graph.compiled import compiled
from kerascnn.terminal.progress import progress

if TYPE_CHECKING:
    from tensorflow import Tensor

    from kerascnn.graph.layers import Layer
    from kerascnn.network.network import Network

_SMALLEST = 32  # pixels a side of the smallest octave


@dataclass(frozen=True)
class Dream:
    """The result of a dream.

    Attributes:
        image: 1×H×W×C in the model's values.
        history: for each octave, from the smallest to the picture itself, the objective before
            each step.
        sizes: height and width of each octave.
        tiles: how many tiles the largest octave took.
    """

    image: np.ndarray
    history: tuple[tuple[float, ...], ...]
    sizes: tuple[tuple[int, int], ...]
    tiles: int


class Dreamer:
    """Dreams with one objective on one network; compiled once for all sizes.

    Args:
        network: what the layers are of. Only layers of maps will do.
        objective: of `strength` and `match` terms.

    Raises:
        UsageError: the objective has other terms, or a layer without maps.
    """

    def __init__(self, network: Network, objective: Objective) -> None:
        import tensorflow as tf

        self._network, self._objective = network, objective
        if not objective.terms or not all(term.measure.places for term in objective.terms):
            raise UsageError("a dream's objective is made of strength(...) and match(...) alone")
        self._layers = [network.layer(name) for name in objective.needs]
        for layer in self._layers:
            if not layer.is_map:
                raise UsageError(
                    f"layer {layer.name!r} ({layer.kind}) has no maps; a dream needs some, such as "
                    f"{network.last_convolution().name}"
                )
        self._low, self._range = network.input.low, network.input.noise_scale
        channels = network.input.channels
        signature = (tf.TensorSpec((1, None, None, channels)), tf.TensorSpec((None, 4), tf.int32))
        self._compiled = compiled(self._trace, input_signature=signature)
        self._tiles: list[Tile] = []

    def dream(
        self,
        image: np.ndarray,
        *,
        octaves: int = 4,
        ratio: float = 1.4,
        steps: int = 10,
        rate: float = 1.5,
        jitter: int = 32,
        seed: int = 0,
        advance: Callable[[], None] = lambda: None,
    ) -> Dream:
        """Dream on a picture: the small octaves first; each passes its detail to the next.

        Args:
            image: 1×H×W×C in the model's values.
            octaves: how many sizes; fewer where the smallest would be below 32 pixels.
            ratio: from one octave's size to the next.
            steps: in each octave.
            rate: how far an average pixel moves in a step, in 255ths of black to white.
            jitter: the picture is moved by up to so many pixels before each step, and back after.
            seed: of the jitter.
            advance: called after each step.

        Raises:
            ModelError: the gradient is not finite, or memory is too small.
        """
        base = np.clip((np.asarray(image, np.float32) - self._low) / self._range, 0.0, 1.0)
        sizes = octave_sizes(base.shape[1:3], octaves, ratio)
        random = np.random.default_rng(seed)
        detail = np.zeros((1, *sizes[0], base.shape[3]), np.float32)
        history = []
        for size in sizes:
            start = _resize(base, size)
            unit = np.clip(start + _resize(detail, size), 0.0, 1.0)
            reach, values = min(jitter, min(size) // 2), []
            for _ in range(steps):
                move = random.integers(-reach, reach + 1, 2)
                unit, value = self._step(unit, rate / 255.0, move)
                values.append(value)
                advance()
            detail = unit - start
            history.append(tuple(values))
        found = np.asarray(self._low + unit * self._range, np.float32)
        return Dream(found, tuple(history), tuple(sizes), len(self._tiles))

    def gradient(self, unit: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the objective of a picture 1×H×W×C in [0, 1], and its gradient by the picture.

        Where memory is short the picture is worked in tiles; the result is the same.
        """
        size = (unit.shape[1], unit.shape[2])
        self._tiles = tiles(self._network, self._layers, size, self._network.memory.bytes)
        total, gradient = 0.0, np.zeros_like(unit)
        for tile in self._tiles:
            units = [tile.inner_units(*_stride(layer)) for layer in self._layers]
            value, part = self._compiled(tile.part(unit), np.array(units, np.int32))
            total += float(value)
            tile.part(gradient)[...] += np.asarray(part)
        return total, gradient

    def _step(self, unit: np.ndarray, rate: float, move: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the picture after a step in which it is moved, and the objective before it."""
        value, gradient = self.gradient(np.roll(unit, move, (1, 2)))
        if not np.isfinite(gradient).all():
            raise ModelError("the layers give NaN or infinite numbers for this picture")
        gradient = np.roll(gradient, -move, (1, 2))
        mean = float(np.abs(gradient).mean())
        if mean > 0.0:
            # Within black and white in every step, not only at the end.
            unit = np.clip(unit + rate / mean * gradient, 0.0, 1.0)
        return unit, value

    def _trace(self, unit: Tensor, units: Tensor) -> tuple[Tensor, Tensor]:
        """Return the objective over some units of each layer, and its gradient; compiled."""
        import tensorflow as tf

        names = [layer.name for layer in self._layers]
        with tf.GradientTape() as tape:
            tape.watch(unit)
            given = self._network.trace(self._low + unit * self._range, *names)
            value = tf.zeros(())
            for term in self._objective.terms:
                assert term.measure.places is not None
                at = names.index(term.measure.needs[0])
                places = term.measure.places(given[at])
                top, bottom, left, right = tf.unstack(units[at])
                value += term.weight * tf.reduce_sum(places[:, top:bottom, left:right])
        gradient = tape.gradient(value, unit)
        return value, tf.zeros_like(unit) if gradient is None else gradient


def _stride(layer: Layer) -> tuple[int, int]:
    """Return a layer's stride; 1 where its units see the whole picture, which is then one tile."""
    return layer.field.stride if layer.field and min(layer.field.stride) > 0 else (1, 1)


def dream(network: Network, objective: Objective, image: np.ndarray, **options: Any) -> Dream:
    """Dream on one picture with a progress bar: see `Dreamer.dream` for the options."""
    dreamer = Dreamer(network, objective)
    octaves = octave_sizes(image.shape[1:3], options.get("octaves", 4), options.get("ratio", 1.4))
    with progress("dreaming", len(octaves) * options.get("steps", 10)) as bar:
        return dreamer.dream(image, advance=bar.advance, **options)


def octave_sizes(size: Sequence[int], octaves: int, ratio: float) -> list[tuple[int, int]]:
    """Return height and width of each octave, the smallest first, the picture's own last."""
    found = []
    for octave in range(octaves):
        height, width = (max(1, round(side / ratio**octave)) for side in size[:2])
        if octave and min(height, width) < _SMALLEST:
            break
        found.append((height, width))
    return found[::-1]


def shrink(pictures: np.ndarray, longest: int) -> np.ndarray:
    """Return N×H×W×C pictures whose longest side is at most ``longest``; 0 changes nothing."""
    height, width = pictures.shape[1:3]
    scale = longest / max(height, width)
    if not longest or scale >= 1.0:
        return pictures
    return _resize(pictures, (max(1, round(height * scale)), max(1, round(width * scale))))


def zoomed(pictures: np.ndarray, by: float) -> np.ndarray:
    """Return N×H×W×C pictures scaled by ``by`` about their middle, of the same size."""
    import tensorflow as tf

    count, height, width, _ = pictures.shape
    first, last = 0.5 - 0.5 / by, 0.5 + 0.5 / by
    box = [first, first, last, last]
    found = tf.image.crop_and_resize(pictures, [box] * count, list(range(count)), (height, width))
    return np.asarray(found, np.float32)


def _resize(pictures: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    import tensorflow as tf

    if pictures.shape[1:3] == size:
        return pictures
    return np.asarray(tf.image.resize(pictures, size, antialias=True), np.float32)


def match(network: Network, layer: str, guide: np.ndarray) -> Objective:
    """Return how well a picture's activations match a guide picture's: Σ_i max_j a_i·g_j.

    At each place i of the map counts the place j of the guide whose activations fit best.

    Args:
        network: what the layer is of.
        layer: a layer of maps.
        guide: 1×H×W×C in the model's values, of any size that the layers take.

    Raises:
        UsageError: the layer has no maps.
    """
    import tensorflow as tf

    run = compiled(lambda pictures: network.trace(pictures, layer)[0])
    values = np.asarray(run(tf.constant(guide, tf.float32)))
    if values.ndim != 4:
        raise UsageError(f"layer {layer!r} has no maps that a guide could be matched by")
    best = np.ascontiguousarray(values.reshape(-1, values.shape[-1]))

    def places(values: Tensor) -> Tensor:
        return tf.reduce_max(tf.tensordot(values, tf.constant(best.T), 1), -1)

    return single(
        Measure(lambda values: tf.reduce_sum(places(values), (1, 2)), (layer,), places=places)
    )
