"""`StyleTransfer`: one network, one style; paints any number of contents."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerascnn.errors import ImageError, UsageError
from kerascnn.network.precision import FLOAT32
from kerascnn.style import colour
from kerascnn.style.features import MEAN, Features, load_kernels
from kerascnn.style.forecast import Memory
from kerascnn.style.masks import at_layer, at_size, read_mask, read_regions
from kerascnn.style.objective import Objective, Targets
from kerascnn.style.pictures import (
    DEFAULT_LONG_SIDE,
    Original,
    Source,
    read_original,
    scaled_size,
)
from kerascnn.style.scene import Scene
from kerascnn.style.schedule import stages
from kerascnn.style.settings import StyleSettings
from kerascnn.style.statistics import statistic
from kerascnn.style.tiles import Tile


class StyleTransfer:
    """Paints contents in one style: the network is loaded, compiled and asked of the style once.

    Args:
        settings: how to paint.
        styles: the styles' pictures.
        style_masks: for each style what part of its picture counts; none for the whole of each.
        memory: bytes that the process may take; None for half of the machine's.

    Raises:
        ImageError: a style or mask is no picture.
        ModelError: the weights can't be had, or there is too little memory.
        UsageError: numbers of styles, weights and masks don't fit.
    """

    def __init__(
        self,
        settings: StyleSettings,
        styles: Sequence[Source],
        *,
        style_masks: Sequence[Any] = (),
        memory: int | None = None,
    ) -> None:
        self.settings = settings
        if not styles:
            raise UsageError("at least one style is needed")
        if settings.blend and len(settings.blend) != len(styles):
            raise UsageError(
                f"--blend must have a weight for each of the {len(styles)} styles. Received: "
                f"{len(settings.blend)}"
            )
        if style_masks and len(style_masks) != len(styles):
            raise UsageError(
                f"--style-mask must be given once for each of the {len(styles)} styles. Received: "
                f"{len(style_masks)}"
            )
        longest = round((settings.size or DEFAULT_LONG_SIDE) * settings.style_scale)
        self.styles = [read_original(style, longest) for style in styles]
        self._style_masks = [
            read_mask(mask, style) for mask, style in zip(style_masks, self.styles, strict=False)
        ]
        self._blend = np.array(settings.blend or [1.0] * len(styles), np.float32)
        features = Features(
            load_kernels(settings.network, settings.weights),
            pooling=settings.pooling,
            padding=settings.padding,
            winograd=settings.computed_in == FLOAT32,
        )
        self.objective = Objective(
            features,
            settings.content,
            settings.style,
            statistic(settings.statistic, width_weights=settings.width_weights),
        )
        self.memory = Memory.of(
            memory,
            features,
            [tap.name for tap in self.objective.taps],
            settings.history if settings.optimiser == "lbfgs" else 0,
        )
        self.memory.check()
        self._means: dict[int, list[list[tuple[Any, ...]]]] = {}
        self._means_for: Scene | None = None

    @property
    def least_side(self) -> int:
        """The shortest side that gives the deepest layer a unit, in pixels."""
        return max(tap.stride for tap in self.objective.taps)

    def scene(self, content: Source, masks: Sequence[Any] = ()) -> Scene:
        """Return what is painted, in which sizes; nothing is computed yet.

        Args:
            content: the content's picture.
            masks: where each style goes, see `kerascnn.style.masks.read_regions`.

        Raises:
            ImageError: the content or a mask is no picture, or too narrow.
            ModelError: there is too little memory.
        """
        original = read_original(content, self.settings.size)
        regions = read_regions(masks, original, len(self.styles))
        size = scaled_size(original.size, self.settings.size or max(original.size))
        sizes = stages(size, self.settings, self.least_side, original.name)
        for style in self.styles:
            self._check_style(style, max(sizes[0].size))
        for stage in sizes:
            self.memory.tiles(stage.size, self.objective.taps)
        start = None
        if self.settings.start not in ("content", "noise"):
            start = read_original(self.settings.start, max(size)).scaled(size)
        return Scene(original.scaled(size), original.name, sizes, regions, start)

    def tiles(self, size: tuple[int, int]) -> list[Tile]:
        """Return how a picture of a size is worked."""
        return self.memory.tiles(size, self.objective.taps)

    def targets(self, scene: Scene, size: tuple[int, int]) -> Targets:
        """Return what a painting of one size is held against."""
        import tensorflow as tf

        content = scene.content_at(size)
        if self.settings.keep_colour == "luminance":
            content = colour.luminance(content)
        tiles = self.tiles(size)
        means = self._style_means(max(size), scene)
        pixels = size[0] * size[1]
        masks: list[Any] = []
        shares = np.ones(1, np.float32)
        if scene.regions is None:
            style = [_blended(layer, self._blend) for layer in zip(*means, strict=True)]
        else:
            regions = at_size(scene.regions, size)
            taps = [self.objective.features.tap(name) for name in self.objective.style]
            masks = [tf.constant(at_layer(regions, tap)) for tap in taps]
            shares = regions.sum((1, 2)) / pixels * self._blend * (len(regions) / self._blend.sum())
            style = [_stacked(layer) for layer in zip(*means, strict=True)]
        weight = self.settings.tv_weight
        return Targets(
            content=self.objective.content_of(encode(content), tiles),
            style=style,
            masks=masks,
            shares=tf.constant(shares, tf.float32),
            unevenness=weight if self.settings.exact_neural_style else weight / pixels,
            tiles=tiles,
        )

    def digest(self) -> str:
        """Return a digest of all styles and their masks."""
        found = hashlib.sha256()
        for values in (*(style.unit for style in self.styles), *self._style_masks):
            found.update(repr(values.shape).encode() + np.ascontiguousarray(values).tobytes())
        return found.hexdigest()

    def _check_style(self, style: Original, long_side: int) -> None:
        size = scaled_size(style.size, round(long_side * self.settings.style_scale))
        if min(size) < self.least_side:
            raise ImageError(
                f"style {style.name} would be {size[1]}×{size[0]} pixels at the smallest size, and "
                f"the layers need at least {self.least_side} a side; crop it, or take a larger "
                "--smallest or --style-scale"
            )

    def _style_means(self, long_side: int, scene: Scene) -> list[list[tuple[Any, ...]]]:
        """Return for each style what the style layers say of it, at a size of the painting."""
        if self.settings.keep_colour != "no" and scene is not self._means_for:
            self._means.clear()  # the style takes the content's colours
            self._means_for = scene
        if long_side not in self._means:
            self._means[long_side] = [
                self._means_of(number, long_side, scene) for number in range(len(self.styles))
            ]
        return self._means[long_side]

    def _means_of(self, number: int, long_side: int, scene: Scene) -> list[tuple[Any, ...]]:
        style = self.styles[number]
        size = scaled_size(style.size, round(long_side * self.settings.style_scale))
        values = np.clip(style.scaled(size), 0.0, 1.0)
        if self.settings.keep_colour == "histogram":
            values = colour.with_histogram_of(values, scene.content)
        elif self.settings.keep_colour == "luminance":
            grey = colour.luminance(scene.content)
            values = colour.in_range_of(colour.luminance(values), grey)
        masks: list[Any] = []
        if self._style_masks:
            import tensorflow as tf

            mask = at_size(self._style_masks[number][np.newaxis], size)
            taps = [self.objective.features.tap(name) for name in self.objective.style]
            masks = [tf.constant(at_layer(mask, tap)) for tap in taps]
        return self.objective.means_of(encode(values), masks, self.tiles(size))


def encode(unit: np.ndarray) -> np.ndarray:
    """Return a picture H×W×3 in [0, 1] as the network's values, 1×H×W×3."""
    values = unit[np.newaxis, ..., ::-1] * np.float32(255.0) - np.array(MEAN, np.float32)
    return np.ascontiguousarray(values, np.float32)


def decode(values: np.ndarray) -> np.ndarray:
    """Return the network's values 1×H×W×3 as a picture H×W×3 in [0, 1]."""
    unit = (values[0] + np.array(MEAN, np.float32)) / np.float32(255.0)
    return np.ascontiguousarray(np.clip(unit[..., ::-1], 0.0, 1.0), np.float32)


def _blended(layer: Sequence[tuple[Any, ...]], weights: np.ndarray) -> list[Any]:
    """Return the weighted mean of several styles' means."""
    shares = weights / weights.sum()
    return [
        sum(share * part for share, part in zip(shares, parts, strict=True))
        for parts in zip(*layer, strict=True)
    ]


def _stacked(layer: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Return several styles' means as those of as many regions."""
    import tensorflow as tf

    return [tf.concat(parts, 0) for parts in zip(*layer, strict=True)]
