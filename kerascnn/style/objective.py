"""What a painting is judged by: content, style and unevenness, and their slope by the picture.

The loss is Σ w·mean((F − P)²) over the content layers, Σ w·distance over the style layers (see
`kerascnn.style.statistics`), and w·½Σ((x − right)² + (x − below)²).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kerascnn.graph.compiled import compiled
from kerascnn.style.features import Features
from kerascnn.style.statistics import Statistic
from kerascnn.style.tiles import Tile


@dataclass(frozen=True)
class Targets:
    """What a painting of one size is held against.

    Attributes:
        content: a tensor 1×h×w×C for each content layer.
        style: for each style layer its means, R×… each.
        masks: for each style layer R×h×w; empty where the one style is everywhere.
        shares: how much each region counts, R numbers.
        unevenness: the weight of ½Σ((x − right)² + (x − below)²).
        tiles: how the picture is worked.
    """

    content: Sequence[Any]
    style: Sequence[Sequence[Any]]
    masks: Sequence[Any]
    shares: Any
    unevenness: float
    tiles: Sequence[Tile] = field(default=())


@dataclass(frozen=True)
class Value:
    """The loss of a picture.

    Attributes:
        loss: the sum of the terms.
        terms: the weighted terms: a number for each content layer, each style layer, and the
            unevenness.
        gradient: ∂ loss / ∂ picture, of the picture's shape, float32.
    """

    loss: float
    terms: np.ndarray
    gradient: np.ndarray


class Objective:
    """The loss on one network, compiled once for pictures of all sizes.

    Args:
        features: the network.
        content: content layers and their weights.
        style: style layers and their weights.
        statistic: what of the layers is the style.
    """

    def __init__(
        self,
        features: Features,
        content: dict[str, float],
        style: dict[str, float],
        statistic: Statistic,
    ) -> None:
        self.features, self.statistic = features, statistic
        self.content, self.style = dict(content), dict(style)
        self.taps = [features.tap(name) for name in {**self.content, **self.style}]
        self._compiled: dict[tuple[str, bool], Any] = {}

    @property
    def names(self) -> list[str]:
        """What each of the terms is."""
        content = [f"content {name}" for name in self.content]
        return [*content, *(f"style {name}" for name in self.style), "unevenness"]

    def content_of(self, picture: np.ndarray, tiles: Sequence[Tile]) -> list[Any]:
        """Return the content layers' maps of a picture 1×H×W×3."""
        import tensorflow as tf

        size = picture.shape[1:3]
        run = self._function("maps", False)
        if len(tiles) == 1:
            return list(run(tf.constant(picture)))
        taps = [self.features.tap(name) for name in self.content]
        found = [
            np.zeros((1, *(side // tap.stride for side in size), tap.channels), np.float32)
            for tap in taps
        ]
        for tile in tiles:
            values = run(tf.constant(_part(picture, tile)))
            for whole, value, tap in zip(found, values, taps, strict=True):
                top, bottom, left, right = tile.own(tap, size)
                t, b, l, r = tile.inner(tap, size)  # noqa: E741
                whole[:, top:bottom, left:right] = np.asarray(value[:, t:b, l:r])
        return found

    def means_of(
        self, picture: np.ndarray, masks: Sequence[Any], tiles: Sequence[Tile]
    ) -> list[tuple[Any, ...]]:
        """Return the style layers' means of a picture 1×H×W×3, over the masks' regions."""
        sums = self._sums(picture, masks, tiles)
        return [
            tuple(part / _to(count, part) for part in layer)
            for layer, count in zip(sums, self._counts(picture, masks), strict=True)
        ]

    def evaluate(self, picture: np.ndarray, targets: Targets) -> Value:
        """Return the loss of a picture 1×H×W×3 in the network's values, and its slope."""
        import tensorflow as tf

        if len(targets.tiles) > 1:
            return self._evaluate_tiles(picture, targets)
        run = self._function("whole", bool(targets.masks))
        terms, gradient = run(
            tf.constant(picture),
            list(targets.content),
            [list(layer) for layer in targets.style],
            list(targets.masks),
            targets.shares,
            tf.constant(targets.unevenness, tf.float32),
        )
        return _value(np.asarray(terms), np.asarray(gradient))

    def _evaluate_tiles(self, picture: np.ndarray, targets: Targets) -> Value:
        """Go over the tiles twice: sum up the statistics, then send their slope back."""
        import tensorflow as tf

        size, masked = picture.shape[1:3], bool(targets.masks)
        sums = self._sums(picture, targets.masks, targets.tiles)
        counts = self._counts(picture, targets.masks)
        style, pulls = self._function("combine", False)(
            [list(layer) for layer in sums], [list(layer) for layer in targets.style],
            counts, targets.shares,
        )  # fmt: skip
        unevenness, gradient = (
            np.array(part)
            for part in self._function("unevenness", False)(
                tf.constant(picture), tf.constant(targets.unevenness, tf.float32)
            )
        )
        content = np.zeros(len(self.content), np.float32)
        run = self._function("pull", masked)
        for tile in targets.tiles:
            inner = np.stack([tile.inner(tap, size) for tap in self.taps])
            slices = self._content_slices(targets.content, tile, size)
            sizes = [float(np.prod(whole.shape)) for whole in targets.content]
            part, slope = run(
                tf.constant(_part(picture, tile)), inner, slices,
                tf.constant(sizes, tf.float32), self._mask_slices(targets.masks, tile, size), pulls,
            )  # fmt: skip
            content += np.asarray(part)
            (top, bottom), (left, right) = tile.rows, tile.columns
            gradient[:, top:bottom, left:right] += np.asarray(slope)
        return _value(np.concatenate([content, np.asarray(style), unevenness[None]]), gradient)

    def _content_slices(self, content: Sequence[Any], tile: Tile, size: Any) -> list[Any]:
        found = []
        for name, whole in zip(self.content, content, strict=True):
            top, bottom, left, right = tile.own(self.features.tap(name), size)
            found.append(whole[:, top:bottom, left:right])
        return found

    def _mask_slices(self, masks: Sequence[Any], tile: Tile, size: Any) -> list[Any]:
        if not masks:
            return []
        found = []
        for name, mask in zip(self.style, masks, strict=True):
            top, bottom, left, right = tile.own(self.features.tap(name), size)
            found.append(mask[:, top:bottom, left:right])
        return found

    def _sums(
        self, picture: np.ndarray, masks: Sequence[Any], tiles: Sequence[Tile]
    ) -> list[tuple[Any, ...]]:
        import tensorflow as tf

        size = picture.shape[1:3]
        run = self._function("sums", bool(masks))
        total: list[tuple[Any, ...]] | None = None
        for tile in tiles:
            inner = np.stack([tile.inner(tap, size) for tap in self.taps])
            part = run(
                tf.constant(_part(picture, tile)), inner, self._mask_slices(masks, tile, size)
            )
            if total is None:
                total = [tuple(layer) for layer in part]
            else:
                total = [
                    tuple(a + b for a, b in zip(one, two, strict=True))
                    for one, two in zip(total, part, strict=True)
                ]
        assert total is not None
        return total

    def _counts(self, picture: np.ndarray, masks: Sequence[Any]) -> list[Any]:
        """Return for each style layer how many places each region has, R numbers."""
        import tensorflow as tf

        if masks:
            return [tf.maximum(tf.reduce_sum(mask, (1, 2)), 1e-6) for mask in masks]
        height, width = picture.shape[1:3]
        taps = [self.features.tap(name) for name in self.style]
        return [tf.constant([(height // t.stride) * (width // t.stride)], tf.float32) for t in taps]

    # --- what is compiled ---------------------------------------------------------------------

    def _function(self, name: str, masked: bool) -> Any:
        """Return one of the compiled functions; each is traced once, whatever the sizes."""
        key = (name, masked)
        if key not in self._compiled:
            self._compiled[key] = _Traced(self, masked).compiled(name)
        return self._compiled[key]


class _Traced:
    """The functions that TensorFlow compiles, for regions or without."""

    def __init__(self, objective: Objective, masked: bool) -> None:
        self._features, self._statistic = objective.features, objective.statistic
        self._content, self._style = objective.content, objective.style
        self._names = [tap.name for tap in objective.taps]
        self._masked = masked

    def compiled(self, name: str) -> Any:
        """Compile one of the functions for tensors of any height, width and number of regions."""
        import tensorflow as tf

        def spec(*shape: int | None) -> Any:
            return tf.TensorSpec(shape, tf.float32)

        channels = {name: self._features.tap(name).channels for name in self._names}
        picture, regions, number = spec(1, None, None, 3), spec(None), spec()
        content = [spec(1, None, None, channels[name]) for name in self._content]
        style = [
            [spec(None, *shape) for shape in self._statistic.shapes(channels[name])]
            for name in self._style
        ]
        masks = [spec(None, None, None) for _ in self._style] if self._masked else []
        inner = tf.TensorSpec((len(self._names), 4), tf.int32)
        sizes = spec(len(self._content))
        signatures = {
            "maps": [picture],
            "sums": [picture, inner, masks],
            "combine": [style, style, [regions for _ in self._style], regions],
            "pull": [picture, inner, content, sizes, masks, style],
            "unevenness": [picture, number],
            "whole": [picture, content, style, masks, regions, number],
        }
        return compiled(getattr(self, name), input_signature=signatures[name])

    def maps(self, picture: Any) -> list[Any]:
        """Return the content layers' maps."""
        found = self._features.trace(picture, self._content)
        return [found[name] for name in self._content]

    def sums(self, picture: Any, inner: Any, masks: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Return the style layers' sums over a tile's own units."""
        return self._style_sums(self._own(picture, inner), masks)

    def whole(
        self, picture: Any, content: Any, style: Any, masks: Any, shares: Any, weight: Any
    ) -> tuple[Any, Any]:
        """Return the terms and the slope for a picture that is worked at once."""
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(picture)
            found = self._features.trace(picture, self._names)
            sizes = [tf.cast(tf.size(target), tf.float32) for target in content]
            terms = self._content_terms(found, content, sizes)
            sums = self._style_sums(found, masks)
            if self._masked:
                counts = [tf.maximum(tf.reduce_sum(mask, (1, 2)), 1e-6) for mask in masks]
            else:
                counts = [_count(found[name]) for name in self._style]
            terms += self._style_terms(sums, style, counts, shares)
            terms.append(_unevenness(picture, weight))
            loss = tf.add_n(terms)
        return tf.stack(terms), tape.gradient(loss, picture)

    def combine(self, sums: Any, style: Any, counts: Any, shares: Any) -> tuple[Any, Any]:
        """Return the style's terms and their slope by the sums."""
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(sums)
            terms = self._style_terms(sums, style, counts, shares)
            loss = tf.add_n(terms) if terms else tf.zeros(())
        return tf.stack(terms), tape.gradient(loss, sums)

    def pull(
        self, picture: Any, inner: Any, content: Any, sizes: Any, masks: Any, pulls: Any
    ) -> tuple[Any, Any]:
        """Return a tile's part of the content's terms, and of the slope by the picture."""
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(picture)
            found = self._own(picture, inner)
            terms = self._content_terms(found, content, tf.unstack(sizes))
            loss = tf.add_n(terms) if terms else tf.zeros(())
            for layer, slope in zip(self._style_sums(found, masks), pulls, strict=True):
                for part, back in zip(layer, slope, strict=True):
                    loss += tf.reduce_sum(part * back)
        return tf.stack(terms), tape.gradient(loss, picture)

    def unevenness(self, picture: Any, weight: Any) -> tuple[Any, Any]:
        """Return the unevenness and its slope."""
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(picture)
            term = _unevenness(picture, weight)
        return term, tape.gradient(term, picture)

    def _own(self, picture: Any, inner: Any) -> dict[str, Any]:
        found = self._features.trace(picture, self._names)
        own = {}
        for position, name in enumerate(self._names):
            at = inner[position]
            own[name] = found[name][:, at[0] : at[1], at[2] : at[3]]
        return own

    def _content_terms(self, found: Any, content: Any, sizes: Any) -> list[Any]:
        import tensorflow as tf

        return [
            weight * tf.reduce_sum(tf.math.squared_difference(found[name], target)) / size
            for (name, weight), target, size in zip(
                self._content.items(), content, sizes, strict=True
            )
        ]

    def _style_sums(self, found: Any, masks: Sequence[Any]) -> list[tuple[Any, ...]]:
        given = masks if self._masked else [None] * len(self._style)
        return [
            self._statistic.sums(found[name], mask)
            for name, mask in zip(self._style, given, strict=True)
        ]

    def _style_terms(self, sums: Any, style: Any, counts: Any, shares: Any) -> list[Any]:
        import tensorflow as tf

        terms = []
        for (_, weight), layer, target, count in zip(
            self._style.items(), sums, style, counts, strict=True
        ):
            means = [part / _to(count, part) for part in layer]
            apart = self._statistic.distance(means, target)
            terms.append(weight * tf.reduce_sum(shares * apart))
        return terms


def _part(picture: np.ndarray, tile: Tile) -> np.ndarray:
    (top, bottom), (left, right) = tile.rows, tile.columns
    return np.ascontiguousarray(picture[:, top:bottom, left:right])


def _value(terms: np.ndarray, gradient: np.ndarray) -> Value:
    return Value(float(terms.sum(dtype=np.float64)), terms, gradient)


def _to(count: Any, part: Any) -> Any:
    """Shape R numbers so that they divide R×…."""
    import tensorflow as tf

    return tf.reshape(count, (-1, *([1] * (len(part.shape) - 1))))


def _count(maps: Any) -> Any:
    import tensorflow as tf

    shape = tf.shape(maps)
    return tf.reshape(tf.cast(shape[1] * shape[2], tf.float32), (1,))


def _unevenness(picture: Any, weight: Any) -> Any:
    """Return w·½Σ of squared differences, of pixels that have both a right and a lower neighbour.

    So neural-style counts them (its gradient; it leaves the term out of the loss that it reports).
    """
    import tensorflow as tf

    here = picture[:, :-1, :-1]
    right, below = picture[:, :-1, 1:] - here, picture[:, 1:, :-1] - here
    return 0.5 * weight * (tf.reduce_sum(right * right) + tf.reduce_sum(below * below))
