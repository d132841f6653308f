"""Deep Dream: a picture is changed so that what a network sees in it grows stronger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascnn.ascent.objective import SCORES, Measure, Objective, single
from kerascnn.ascent.tiles import Tile, tiles
from kerascnn.errors import ModelError, UsageError
from kerascnn.graph.compiled import compiled
from kerascnn.terminal.progress import progress

if TYPE_CHECKING:
    from kerascnn.network.network import Network

_SMALLEST = 32  # pixels a side of the smallest octave


@dataclass(frozen=True)
class Dream:
    """What a dream came to.

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
    """Dreams on one objective of one network; compiled once for all sizes.

    Args:
        network: whose layers are asked. Only layers whose filters slide will do.
        objective: of `strength` and `match` terms.

    Raises:
        UsageError: the objective has other terms, or a layer without maps.
    """

    def __init__(self, network: Network, objective: Objective) -> None:
        self._network, self._objective = network, objective
        if not objective.terms or any(not t.measure.is_local for t in objective.terms):
            raise UsageError("a dream's objective is made of strength(...) and match(...) alone")
        self._layers = [network.layer(name) for name in objective.needs if name != SCORES]
        for layer in self._layers:
            if not layer.is_map:
                raise UsageError(
                    f"layer {layer.name!r} ({layer.kind}) has no maps; a dream needs some, such as "
                    f"{network.last_convolution().name}"
                )
        self._low, self._range = network.input.low, network.input.noise_scale
        self._compiled = self._compile()
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
        """Dream on a picture, the small octaves first; each hands its detail on to the next.

        Args:
            image: 1×H×W×C in the model's values.
            octaves: how many sizes; fewer where the smallest would be tiny.
            ratio: from one octave to the next.
            steps: in each octave.
            rate: how far an average pixel moves in a step, in 255ths from black to white.
            jitter: the picture is moved by up to so many pixels before each step, and back after.
            seed: of the jitter.
            advance: called after each step.

        Raises:
            ModelError: the layers can't be derived by the picture, or memory is too small.
        """
        base = np.clip((np.asarray(image, np.float32) - self._low) / self._range, 0.0, 1.0)
        sizes = octave_sizes(base.shape[1:3], octaves, ratio)
        random = np.random.default_rng(seed)
        detail = np.zeros((1, *sizes[0], base.shape[3]), np.float32)
        history = []
        for size in sizes:
            start = _resize(base, size)
            unit = np.clip(start + _resize(detail, size), 0.0, 1.0)
            unit, values = self._ascend(unit, steps, rate / 255.0, jitter, random, advance)
            detail = unit - start
            history.append(tuple(values))
        values_ = np.asarray(self._low + unit * self._range, np.float32)
        return Dream(values_, tuple(history), tuple(sizes), len(self._tiles))

    def gradient(self, unit: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the objective and its derivative by a picture 1×H×W×C in [0, 1].

        Where memory is short the picture goes in tiles; the result is the same.
        """
        size = (unit.shape[1], unit.shape[2])
        self._tiles = tiles(self._network, self._layers, size, self._network.memory.bytes)
        total, gradient = 0.0, np.zeros_like(unit)
        for tile in self._tiles:
            (top, bottom), (left, right) = tile.rows, tile.columns
            owned = np.array(tile.owned, np.int32).reshape(len(self._layers), 4)
            value, part = self._compiled(unit[:, top:bottom, left:right], owned)
            total += float(value)
            gradient[:, top:bottom, left:right] += np.asarray(part)
        return total, gradient

    def _ascend(
        self,
        unit: np.ndarray,
        steps: int,
        rate: float,
        jitter: int,
        random: np.random.Generator,
        advance: Callable[[], None],
    ) -> tuple[np.ndarray, list[float]]:
        reach = min(jitter, min(unit.shape[1:3]) // 2)
        values = []
        for _ in range(steps):
            move = random.integers(-reach, reach + 1, 2)
            value, gradient = self.gradient(np.roll(unit, move, (1, 2)))
            if not np.isfinite(gradient).all():
                raise ModelError("the layers give NaN or infinite numbers for this picture")
            gradient = np.roll(gradient, -move, (1, 2))
            mean = float(np.abs(gradient).mean())
            if mean > 0.0:
                # Held to black and white in every step, not only at the end.
                unit = np.clip(unit + rate / mean * gradient, 0.0, 1.0)
            values.append(value)
            advance()
        return unit, values

    def _compile(self) -> Any:
        import tensorflow as tf

        channels = self._network.input.channels
        signature = [
            tf.TensorSpec((1, None, None, channels), tf.float32),
            tf.TensorSpec((len(self._layers), 4), tf.int32),
        ]
        names = [layer.name for layer in self._layers]

        def run(unit: Any, owned: Any) -> tuple[Any, Any]:
            with tf.GradientTape() as tape:
                tape.watch(unit)
                given = self._network.trace(self._low + unit * self._range, *names)
                value = tf.zeros(())
                for term in self._objective.terms:
                    at = names.index(term.measure.needs[0])
                    places = term.measure.places(given[at])
                    top, bottom, left, right = tf.unstack(owned[at])
                    value += term.weight * tf.reduce_sum(places[:, top:bottom, left:right])
            gradient = tape.gradient(value, unit)
            if gradient is None:
                gradient = tf.zeros_like(unit)
            return value, gradient

        return compiled(run, input_signature=signature)


def dream(network: Network, objective: Objective, image: np.ndarray, **options: Any) -> Dream:
    """Dream on one picture with a progress bar: see `Dreamer.dream` for the options."""
    dreamer = Dreamer(network, objective)
    octaves = octave_sizes(image.shape[1:3], options.get("octaves", 4), options.get("ratio", 1.4))
    with progress("dreaming", len(octaves) * options.get("steps", 10)) as bar:
        return dreamer.dream(image, advance=bar.advance, **options)


def octave_sizes(size: Sequence[int], octaves: int, ratio: float) -> list[tuple[int, int]]:
    """Return the sizes of the octaves, the smallest first, the picture's own last."""
    found = []
    for octave in range(octaves):
        height, width = (max(1, round(side / ratio**octave)) for side in size[:2])
        if octave and min(height, width) < _SMALLEST:
            break
        found.append((height, width))
    return found[::-1]


def shrink(pictures: np.ndarray, longest: int) -> np.ndarray:
    """Return N×H×W×C pictures whose longest side is at most ``longest``; 0 leaves them."""
    height, width = pictures.shape[1:3]
    scale = longest / max(height, width)
    if not longest or scale >= 1.0:
        return pictures
    return _resize(pictures, (max(1, round(height * scale)), max(1, round(width * scale))))


def zoomed(pictures: np.ndarray, by: float) -> np.ndarray:
    """Return N×H×W×C pictures scaled by ``by`` about their middle, of the same size."""
    import tensorflow as tf

    count, height, width, _ = pictures.shape
    rows, columns = (0.5 - 0.5 / by, 0.5 + 0.5 / by), (0.5 - 0.5 / by, 0.5 + 0.5 / by)
    box = [rows[0], columns[0], rows[1], columns[1]]
    found = tf.image.crop_and_resize(pictures, [box] * count, list(range(count)), (height, width))
    return np.asarray(found, np.float32)


def _resize(pictures: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    import tensorflow as tf

    if pictures.shape[1:3] == size:
        return pictures
    return np.asarray(tf.image.resize(pictures, size, antialias=True), np.float32)


# --- guided by a second picture ------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Match(Measure):
    layer: str
    guide: np.ndarray  # places × channels
    is_local = True

    @property
    def needs(self) -> tuple[str, ...]:  # type: ignore[override]
        return (self.layer,)

    def places(self, values: Any) -> Any:
        import tensorflow as tf

        products = tf.tensordot(values, tf.constant(self.guide.T), 1)
        return tf.reduce_max(products, -1)

    def value(self, given: Sequence[Any], items: Any) -> Any:
        import tensorflow as tf

        return tf.reduce_sum(self.places(given[0]), (1, 2))


def match(network: Network, layer: str, guide: np.ndarray) -> Objective:
    """Return how well each place's activations fit the best of a guide picture's: Σ max_j a·g_j.

    Args:
        network: what the layer is of.
        layer: a layer of maps.
        guide: 1×H×W×C in the model's values, of any size that the layers take.
    """
    import tensorflow as tf

    run = compiled(lambda pictures: network.trace(pictures, layer)[0])
    values = np.asarray(run(tf.constant(guide, tf.float32)))
    if values.ndim != 4:
        raise UsageError(f"layer {layer!r} has no maps that a guide could be matched by")
    return single(_Match(layer, np.ascontiguousarray(values.reshape(-1, values.shape[-1]))))
