"""The loss of a painting (content, style and total variation), and its gradient by the picture.

The loss is Σ w·mean((F − P)²) over the content layers, Σ w·distance over the style layers (see
`kerascnn.style.statistics`), and w·½Σ((x − right)² + (x − below)²).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascnn.ascent.tiles import Tile
from kerascnn.graph.compiled import compiled
from kerascnn.style.features import Features
from kerascnn.style.statistics import Statistic

if TYPE_CHECKING:
    from tensorflow import Tensor

Maps = dict[str, "Tensor"]
"""Layer name → 1×h×w×C."""
Layers = list[list["Tensor"]]
"""For each style layer its sums or means, R×… each."""
Goal = tuple[Layers, "Tensor", "Tensor | float"]
"""The style's means, each region's share, and the weight of the total variation."""


@dataclass(frozen=True)
class Targets:
    """What the loss compares a picture of one size with.

    Attributes:
        content: a tensor 1×h×w×C for each content layer.
        style: for each style layer its means, R×… each.
        masks: for each style layer R×h×w; empty where one style is everywhere.
        shares: how much each region counts, R numbers.
        tv_weight: the weight of ½Σ((x − right)² + (x − below)²).
        tiles: how the picture is worked.
    """

    content: list[Tensor]
    style: Layers
    masks: list[Tensor]
    shares: Tensor
    tv_weight: float
    tiles: Sequence[Tile] = field(default=())


@dataclass(frozen=True)
class Value:
    """The loss of a picture.

    Attributes:
        loss: the sum of the terms.
        terms: the weighted terms: a number for each content layer, each style layer, and the total
            variation.
        gradient: ∂ loss / ∂ picture, of the picture's shape, float32.
    """

    loss: float
    terms: np.ndarray
    gradient: np.ndarray

    @property
    def is_finite(self) -> bool:
        """Whether loss and gradient are numbers."""
        return bool(np.isfinite(self.loss) and np.isfinite(self.gradient).all())


class Objective:
    """The loss on one network, compiled once for pictures of all sizes.

    Args:
        features: the network.
        content: content layers and their weights.
        style: style layers and their weights.
        statistic: which statistic of the layers is the style.
    """

    def __init__(
        self,
        features: Features,
        content: dict[str, float],
        style: dict[str, float],
        statistic: Statistic,
    ) -> None:
        self.features, self._statistic = features, statistic
        self.content, self.style = dict(content), dict(style)
        self._names = list({**self.content, **self.style})
        self.taps = [features.tap(name) for name in self._names]
        self._functions: dict[tuple[str, bool], Callable[..., Any]] = {}

    def content_of(self, picture: np.ndarray, tiles: Sequence[Tile]) -> list[Tensor]:
        """Return the content layers' maps of a picture 1×H×W×3."""
        import tensorflow as tf

        run = self._compiled("maps")
        taps = [self.features.tap(name) for name in self.content]
        _, height, width, _ = picture.shape
        found = [
            np.zeros((1, height // tap.stride, width // tap.stride, tap.channels), np.float32)
            for tap in taps
        ]
        for tile in tiles:
            maps = run(tf.constant(tile.part(picture)))
            for whole, part, tap in zip(found, maps, taps, strict=True):
                inner = tile.inner_units(tap.stride, tap.stride)
                _box(whole, tile.units(tap.stride, tap.stride))[...] = np.asarray(_box(part, inner))
        return [tf.constant(whole) for whole in found]

    def means_of(self, picture: np.ndarray, masks: list[Tensor], tiles: Sequence[Tile]) -> Layers:
        """Return the style layers' means of a picture 1×H×W×3, over the masks' regions."""
        sums, counts = self._sums(picture, masks, tiles), self._counts(picture, masks)
        return [_means(layer, count) for layer, count in zip(sums, counts, strict=True)]

    def evaluate(self, picture: np.ndarray, targets: Targets) -> Value:
        """Return the loss of a picture 1×H×W×3 in the network's values, and its gradient."""
        import tensorflow as tf

        if len(targets.tiles) > 1:
            return self._evaluate_tiles(picture, targets)
        goal = (targets.style, targets.shares, targets.tv_weight)
        terms, gradient = self._compiled("whole", bool(targets.masks))(
            tf.constant(picture), targets.content, targets.masks, goal
        )
        return _value(np.asarray(terms), np.asarray(gradient))

    def _evaluate_tiles(self, picture: np.ndarray, targets: Targets) -> Value:
        """Go over the tiles twice: for the statistics, and for the gradient once they are known."""
        import tensorflow as tf

        sums = self._sums(picture, targets.masks, targets.tiles)
        counts = self._counts(picture, targets.masks)
        goal = (targets.style, targets.shares, targets.tv_weight)
        rest, slopes, gradient = self._compiled("rest")(tf.constant(picture), sums, counts, goal)
        content, gradient = np.zeros(len(self.content), np.float32), np.array(gradient)
        sizes = tf.constant([np.prod(whole.shape) for whole in targets.content], tf.float32)
        run = self._compiled("tile", bool(targets.masks))
        for tile in targets.tiles:
            terms, part = run(
                tf.constant(tile.part(picture)), self._inner(tile),
                self._of_tile(tile, self.content, targets.content), sizes,
                self._of_tile(tile, self.style, targets.masks), slopes,
            )  # fmt: skip
            content += np.asarray(terms)
            tile.part(gradient)[...] += np.asarray(part)
        return _value(np.concatenate([content, np.asarray(rest)]), gradient)

    def _sums(self, picture: np.ndarray, masks: list[Tensor], tiles: Sequence[Tile]) -> Layers:
        """Return the style layers' sums over a picture."""
        import tensorflow as tf

        run = self._compiled("sums", bool(masks))
        parts = (
            run(
                tf.constant(tile.part(picture)), self._inner(tile),
                self._of_tile(tile, self.style, masks),
            )
            for tile in tiles
        )  # fmt: skip
        add = functools.partial(tf.nest.map_structure, tf.add)
        found: Layers = functools.reduce(add, parts)
        return found

    def _counts(self, picture: np.ndarray, masks: Sequence[Tensor]) -> list[Tensor]:
        """Return for each style layer how many places each region has, R numbers."""
        import tensorflow as tf

        if masks:
            return _mask_counts(masks)
        _, height, width, _ = picture.shape
        taps = [self.features.tap(name) for name in self.style]
        return [tf.constant([(height // t.stride) * (width // t.stride)], tf.float32) for t in taps]

    def _inner(self, tile: Tile) -> np.ndarray:
        """Return where a tile's own units are in its maps: layers × 4."""
        return np.array([tile.inner_units(tap.stride, tap.stride) for tap in self.taps], np.int32)

    def _of_tile(self, tile: Tile, names: Iterable[str], maps: Sequence[Tensor]) -> list[Tensor]:
        """Return a tile's own part of maps of whole pictures: of all layers, or of none."""
        strides = [self.features.tap(name).stride for name in names]
        return [_box(whole, tile.units(s, s)) for whole, s in zip(maps, strides, strict=False)]

    def _compiled(self, name: str, masked: bool = False) -> Callable[..., Any]:
        """Return a compiled function; each is traced once, whatever the sizes of its tensors."""
        if (name, masked) not in self._functions:
            function = getattr(self, f"_trace_{name}")
            signature = self._signatures(masked)[name]
            self._functions[name, masked] = compiled(function, input_signature=signature)
        return self._functions[name, masked]

    def _signatures(self, masked: bool) -> dict[str, list[Any]]:
        import tensorflow as tf

        spec = tf.TensorSpec
        channels = {tap.name: tap.channels for tap in self.taps}
        picture, regions = spec((1, None, None, 3)), spec((None,))
        content = [spec((1, None, None, channels[name])) for name in self.content]
        style = [
            [spec((None, *shape)) for shape in self._statistic.shapes(channels[name])]
            for name in self.style
        ]
        masks = [spec((None, None, None)) for _ in self.style] if masked else []
        inner, goal = spec((len(self.taps), 4), tf.int32), (style, regions, spec(()))
        return {
            "maps": [picture],
            "sums": [picture, inner, masks],
            "rest": [picture, style, [regions for _ in self.style], goal],
            "tile": [picture, inner, content, spec((len(content),)), masks, style],
            "whole": [picture, content, masks, goal],
        }

    def _trace_maps(self, picture: Tensor) -> list[Tensor]:
        """Return the content layers' maps."""
        found = self.features.trace(picture, self.content)
        return [found[name] for name in self.content]

    def _trace_sums(self, picture: Tensor, inner: Tensor, masks: list[Tensor]) -> Layers:
        """Return the style layers' sums over a tile's own units."""
        return self._style_sums(self._own(picture, inner), masks)

    def _trace_whole(
        self, picture: Tensor, content: list[Tensor], masks: list[Tensor], goal: Goal
    ) -> tuple[Tensor, Tensor]:
        """Return the terms and the gradient of a picture that is not in tiles."""
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(picture)
            found = self.features.trace(picture, self._names)
            sizes = [tf.cast(tf.size(target), tf.float32) for target in content]
            counts = _mask_counts(masks) or [_count(found[name]) for name in self.style]
            terms = self._content_terms(found, content, sizes)
            terms += self._rest(picture, self._style_sums(found, masks), counts, goal)
            loss = tf.add_n(terms)
        return tf.stack(terms), tape.gradient(loss, picture)

    def _trace_rest(
        self, picture: Tensor, sums: Layers, counts: list[Tensor], goal: Goal
    ) -> tuple[Tensor, Layers, Tensor]:
        """Return all terms but the content's, and their gradient by the sums and the picture."""
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch((sums, picture))
            terms = self._rest(picture, sums, counts, goal)
            loss = tf.add_n(terms)
        return (tf.stack(terms), *tape.gradient(loss, (sums, picture)))

    def _trace_tile(
        self, picture: Tensor, inner: Tensor, content: list[Tensor], sizes: Tensor,
        masks: list[Tensor], slopes: Layers,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """Return a tile's part of the content's terms, and of the gradient by the picture."""
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(picture)
            found = self._own(picture, inner)
            terms = self._content_terms(found, content, tf.unstack(sizes))
            loss = tf.add_n(terms)
            for layer, by_layer in zip(self._style_sums(found, masks), slopes, strict=True):
                for part, slope in zip(layer, by_layer, strict=True):
                    loss += tf.reduce_sum(part * slope)
        return tf.stack(terms), tape.gradient(loss, picture)

    def _own(self, picture: Tensor, inner: Tensor) -> Maps:
        """Return the maps of all layers, cut to a tile's own units."""
        found = self.features.trace(picture, self._names)
        return {name: _box(found[name], inner[row]) for row, name in enumerate(self._names)}

    def _content_terms(
        self, found: Maps, content: list[Tensor], sizes: Sequence[Tensor]
    ) -> list[Tensor]:
        import tensorflow as tf

        layers = zip(self.content.items(), content, sizes, strict=True)
        return [
            weight * tf.reduce_sum(tf.math.squared_difference(found[name], target)) / size
            for (name, weight), target, size in layers
        ]

    def _style_sums(self, found: Maps, masks: list[Tensor]) -> Layers:
        given = zip(self.style, masks or [None] * len(self.style), strict=True)
        return [self._statistic.sums(found[name], mask) for name, mask in given]

    def _rest(
        self, picture: Tensor, sums: Layers, counts: list[Tensor], goal: Goal
    ) -> list[Tensor]:
        """Return the terms of the style layers and of the total variation."""
        import tensorflow as tf

        style, shares, tv_weight = goal
        distance = self._statistic.distance
        layers = zip(self.style.values(), sums, style, counts, strict=True)
        terms = [
            weight * tf.reduce_sum(shares * distance(_means(layer, count), target))
            for weight, layer, target, count in layers
        ]
        # As neural-style counts it: of pixels that have both a right and a lower neighbour. (It
        # leaves the term out of the loss that it reports.)
        here = picture[:, :-1, :-1]
        right, below = picture[:, :-1, 1:] - here, picture[:, 1:, :-1] - here
        squares = tf.reduce_sum(right * right) + tf.reduce_sum(below * below)
        return [*terms, 0.5 * tv_weight * squares]


def _value(terms: np.ndarray, gradient: np.ndarray) -> Value:
    return Value(float(terms.sum(dtype=np.float64)), terms, gradient)


def _box(maps: Any, units: Any) -> Any:
    """Return the units between top, bottom, left and right of maps N×h×w…."""
    top, bottom, left, right = units[0], units[1], units[2], units[3]
    return maps[:, top:bottom, left:right]


def _means(sums: Sequence[Tensor], count: Tensor) -> list[Tensor]:
    """Divide sums R×… by the number of places of each of the R regions."""
    import tensorflow as tf

    return [part / tf.reshape(count, (-1, *([1] * (len(part.shape) - 1)))) for part in sums]


def _mask_counts(masks: Sequence[Tensor]) -> list[Tensor]:
    import tensorflow as tf

    return [tf.maximum(tf.reduce_sum(mask, (1, 2)), 1e-6) for mask in masks]


def _count(maps: Tensor) -> Tensor:
    import tensorflow as tf

    shape = tf.shape(maps)
    return tf.reshape(tf.cast(shape[1] * shape[2], tf.float32), (1,))
