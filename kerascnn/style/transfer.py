"""`StyleTransfer`: one network and one style, for any number of contents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kerascnn.ascent.tiles import Tile
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
from kerascnn.style.schedule import Scene, stages
from kerascnn.style.settings import StyleSettings
from kerascnn.style.statistics import statistic

if TYPE_CHECKING:
    from tensorflow import Tensor

StyleMeans = list[list["Tensor"]]
"""For each style layer its means, R×… each."""


class StyleTransfer:
    """Paints contents in one style; the network is loaded and compiled, and the styles read, once.

    Args:
        settings: how to paint.
        styles: the styles' pictures.
        style_masks: for each style which part of its picture counts; none for all of each.
        memory: bytes that the process may take; None for half of the machine's.

    Raises:
        ImageError: a style or mask is no picture.
        ModelError: the weights can't be loaded, or there is too little memory.
        UsageError: numbers of styles, weights and masks don't fit.
    """

    def __init__(
        self,
        settings: StyleSettings,
        styles: Sequence[Source],
        *,
        style_masks: Sequence[Source] = (),
        memory: int | None = None,
    ) -> None:
        self.settings = settings
        if not styles:
            raise UsageError("at least one style is needed")
        _check_count("--blend must have a weight", settings.blend, len(styles))
        _check_count("--style-mask must be given once", style_masks, len(styles))
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
        kind = statistic(settings.statistic, width_weights=settings.width_weights)
        self.objective = Objective(features, settings.content, settings.style, kind)
        names = [tap.name for tap in self.objective.taps]
        pairs = settings.history if settings.optimiser == "lbfgs" else 0
        self.memory = Memory.of(memory, features, names, pairs)
        self._means: dict[int, list[StyleMeans]] = {}
        self._means_for: Scene | None = None

    @property
    def least_side(self) -> int:
        """The shortest side that gives the deepest layer a unit, in pixels."""
        return max(tap.stride for tap in self.objective.taps)

    def scene(self, content: Source, masks: Sequence[Source] = ()) -> Scene:
        """Return what is painted and in which sizes; nothing is computed yet.

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
            self.tiles(stage.size)
        start = None
        if self.settings.start_path is not None:
            start = read_original(self.settings.start_path, max(size)).scaled(size)
        return Scene(original.scaled(size), original.name, sizes, regions, start)

    def tiles(self, size: tuple[int, int]) -> list[Tile]:
        """Return the tiles of a picture of a size."""
        return self.memory.tiles(size, self.objective.taps)

    def content(self, scene: Scene, size: tuple[int, int]) -> np.ndarray:
        """Return the content as it is painted from: at a size, grey where its chroma is kept."""
        unit = scene.content_at(size)
        return colour.luminance(unit) if self.settings.keep_colour == "luminance" else unit

    def targets(self, scene: Scene, size: tuple[int, int]) -> Targets:
        """Return what a painting of one size is compared with."""
        import tensorflow as tf

        tiles = self.tiles(size)
        means = self._style_means(max(size), scene)
        pixels = size[0] * size[1]
        masks: list[Tensor] = []
        shares = np.ones(1, np.float32)
        if scene.regions is None:
            style = [_blended(layer, self._blend) for layer in zip(*means, strict=True)]
        else:
            regions = at_size(scene.regions, size)
            masks = self._at_layers(regions)
            shares = regions.sum((1, 2)) / pixels * self._blend * (len(regions) / self._blend.sum())
            style = [_stacked(layer) for layer in zip(*means, strict=True)]
        weight = self.settings.tv_weight
        return Targets(
            content=self.objective.content_of(encode(self.content(scene, size)), tiles),
            style=style,
            masks=masks,
            shares=tf.constant(shares, tf.float32),
            tv_weight=weight if self.settings.exact_neural_style else weight / pixels,
            tiles=tiles,
        )

    def digest(self) -> str:
        """Return a digest of all styles and their masks."""
        return digest((*(style.unit for style in self.styles), *self._style_masks))

    def _check_style(self, style: Original, long_side: int) -> None:
        size = scaled_size(style.size, round(long_side * self.settings.style_scale))
        if min(size) < self.least_side:
            raise ImageError(
                f"style {style.name} would be {size[1]}×{size[0]} pixels at the smallest size, and "
                f"the layers need at least {self.least_side} a side; crop it, or take a larger "
                "--smallest or --style-scale"
            )

    def _style_means(self, long_side: int, scene: Scene) -> list[StyleMeans]:
        """Return each style's means in the style layers, for one size of the painting."""
        if self.settings.keep_colour != "no" and scene is not self._means_for:
            self._means.clear()  # the style takes the content's colours
            self._means_for = scene
        if long_side not in self._means:
            self._means[long_side] = [
                self._means_of(number, long_side, scene) for number in range(len(self.styles))
            ]
        return self._means[long_side]

    def _means_of(self, number: int, long_side: int, scene: Scene) -> StyleMeans:
        style = self.styles[number]
        size = scaled_size(style.size, round(long_side * self.settings.style_scale))
        values = np.clip(style.scaled(size), 0.0, 1.0)
        if self.settings.keep_colour == "histogram":
            values = colour.with_histogram_of(values, scene.content)
        elif self.settings.keep_colour == "luminance":
            grey = colour.luminance(scene.content)
            values = colour.in_range_of(colour.luminance(values), grey)
        masks: list[Tensor] = []
        if self._style_masks:
            masks = self._at_layers(at_size(self._style_masks[number][np.newaxis], size))
        return self.objective.means_of(encode(values), masks, self.tiles(size))

    def _at_layers(self, regions: np.ndarray) -> list[Tensor]:
        """Return R×H×W masks as the units of each style layer have them."""
        import tensorflow as tf

        taps = [self.objective.features.tap(name) for name in self.objective.style]
        return [tf.constant(at_layer(regions, tap)) for tap in taps]


def _check_count(rule: str, given: Sequence[object], styles: int) -> None:
    if given and len(given) != styles:
        raise UsageError(f"{rule} for each of the {styles} styles. Received: {len(given)}")


def encode(unit: np.ndarray) -> np.ndarray:
    """Return a picture H×W×3 in [0, 1] as the network's values, 1×H×W×3."""
    values = unit[np.newaxis, ..., ::-1] * np.float32(255.0) - np.array(MEAN, np.float32)
    return np.ascontiguousarray(values, np.float32)


def decode(values: np.ndarray) -> np.ndarray:
    """Return the network's values 1×H×W×3 as a picture H×W×3 in [0, 1]."""
    unit = (values[0] + np.array(MEAN, np.float32)) / np.float32(255.0)
    return np.ascontiguousarray(np.clip(unit[..., ::-1], 0.0, 1.0), np.float32)


def digest(arrays: Iterable[np.ndarray]) -> str:
    """Return the SHA-256 of arrays and their shapes, as hexadecimal digits."""
    found = hashlib.sha256()
    for values in arrays:
        found.update(repr(values.shape).encode() + np.ascontiguousarray(values).tobytes())
    return found.hexdigest()


def _blended(layer: Sequence[Sequence[Tensor]], weights: np.ndarray) -> list[Tensor]:
    """Return the weighted mean of several styles' means."""
    shares = weights / weights.sum()
    return [
        sum(share * part for share, part in zip(shares, parts, strict=True))
        for parts in zip(*layer, strict=True)
    ]


def _stacked(layer: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    """Return several styles' means as those of as many regions."""
    import tensorflow as tf

    return [tf.concat(parts, 0) for parts in zip(*layer, strict=True)]
