"""The settings of a style transfer: one declaration for flags, checks, help and pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import pydantic

from kerascnn.network.precision import AUTO, BFLOAT16, FLOAT32, has_bfloat16
from kerascnn.plugin.options import OptionRecord, option

STYLE_LAYERS = tuple(f"block{block}_conv1" for block in range(1, 6))
CONTENT_LAYERS = ("block4_conv2",)

#: Johnson's neural-style (2015): his defaults by our names.
NEURAL_STYLE: dict[str, Any] = {
    "content_weight": 5.0,
    "style_weight": 100.0,
    "tv_weight": 1e-3,
    "pooling": "max",
    "padding": "zero",
    "start": "noise",
    "size": 512,
    "coarse_to_fine": False,
    "iterations": 1000,
    "history": 100,
    "plateau": 0.0,
}


class StyleSettings(OptionRecord):
    """How a picture is painted: network, objective, schedule, optimiser.

    The defaults paint coarse to fine from the content, with Gram matrices and L-BFGS.
    """

    name = "style"

    size: int | None = option(
        None, "long side of the painting in pixels; without: the content's own, 512 at most",
        ge=16, le=16384,
    )  # fmt: skip
    content_weight: float = option(1.0, "weight of the content", ge=0.0)
    style_weight: float | None = option(
        None, "weight of the style; without: 3, and 0.3 with --statistic wasserstein", ge=0.0
    )
    tv_weight: float = option(
        0.1, "weight of the total variation: how much differences between pixels cost", ge=0.0
    )
    content_layers: tuple[str, ...] = option(
        CONTENT_LAYERS, "layers that define the content, as NAME or NAME:WEIGHT", min_length=1
    )
    style_layers: tuple[str, ...] = option(
        STYLE_LAYERS, "layers that define the style, as NAME or NAME:WEIGHT", min_length=1
    )
    statistic: Literal["gram", "mean-std", "wasserstein"] = option(
        "gram", "which statistic of a layer's maps is the style: products of maps, their mean and "
        "standard deviation, or the distance of two normal distributions",
    )  # fmt: skip
    width_weights: bool = option(
        True, "weight a layer of C maps by 1/C², as Gatys did (with --statistic gram)"
    )
    blend: tuple[float, ...] = option((), "weights of the styles, where there are several")
    style_scale: float = option(
        1.0, "long side of the style's picture, as a multiple of the painting's", gt=0.0, le=8.0
    )
    keep_colour: Literal["no", "luminance", "histogram"] = option(
        "no", "keep the content's colours: paint its luminance alone, or give the style its colours"
    )
    start: str = option("content", "what to start from: content, noise, or a picture's path")
    iterations: int = option(
        40, "steps at the smallest size; larger sizes get fewer, as their steps cost more", ge=1
    )
    coarse_to_fine: bool = option(True, "paint small first, then larger and larger")
    smallest: int = option(128, "long side of the first size, in pixels", ge=16)
    plateau: float = option(
        5e-3, "leave a size when ten steps lower the loss by less than this share; 0: never",
        ge=0.0, lt=1.0,
    )  # fmt: skip
    optimiser: Literal["lbfgs", "adam"] = option("lbfgs", "the optimiser")
    history: int = option(10, "pairs that L-BFGS keeps", ge=1, le=1000)
    broad: bool = option(True, "L-BFGS: paint broad strokes first, in fewer steps")
    rate: float = option(4.0, "Adam's step, in grey levels of 255", gt=0.0)
    pooling: Literal["average", "max"] = option(
        "average", "the network's pooling; average paints smoother than max, its own"
    )
    padding: Literal["replicate", "zero"] = option(
        "replicate", "what the first layer sees beyond the border"
    )
    network: Literal["vgg16", "vgg19"] = option("vgg16", "whose layers are compared")
    weights: str = option(
        "embedded", "its weights: embedded (vgg16 in half precision), imagenet, or a file"
    )
    precision: Literal["float32", "bfloat16", "auto"] = option(
        "float32", "the precision of the arithmetic; auto: bfloat16 where the processor has it"
    )
    compat: Literal["no", "neural-style"] = option(
        "no", "start from the defaults of another tool instead of ours"
    )
    seed: int = option(0, "seed of the noise: same seed, same painting", ge=0, lt=2**32)

    @pydantic.model_validator(mode="before")
    @classmethod
    def _fill(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get("compat") == "neural-style":
            return {**NEURAL_STYLE, **values}
        return values

    @pydantic.field_validator("content_layers", "style_layers")
    @classmethod
    def _layers(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            weighted(name)
        if len({weighted(name)[0] for name in names}) < len(names):
            raise ValueError("a layer is named twice")
        return names

    @pydantic.field_validator("blend")
    @classmethod
    def _blend(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        if weights and (min(weights) < 0.0 or not 0.0 < sum(weights) < float("inf")):
            raise ValueError("weights are positive or zero, and not all zero")
        return weights

    @pydantic.model_validator(mode="after")
    def _together(self) -> StyleSettings:
        if self.network == "vgg19" and self.weights == "embedded":
            raise ValueError(
                "the weights of vgg19 are not in the package: --weights takes imagenet (Keras "
                "fetches them) or a file"
            )
        if not (self.content_weight or self._style_weight):
            raise ValueError("--content-weight and --style-weight can't both be 0")
        return self

    @property
    def content(self) -> dict[str, float]:
        """Content layers and their weights, multiplied by that of the content."""
        return {n: w * self.content_weight for n, w in map(weighted, self.content_layers)}

    @property
    def style(self) -> dict[str, float]:
        """Style layers and their weights, multiplied by that of the style."""
        return {n: w * self._style_weight for n, w in map(weighted, self.style_layers)}

    @property
    def _style_weight(self) -> float:
        if self.style_weight is not None:
            return self.style_weight
        # Chosen by eye, so that each statistic leaves as much of the content.
        return 0.3 if self.statistic == "wasserstein" else 3.0

    @property
    def computed_in(self) -> str:
        """The precision of the arithmetic: for ``auto`` bfloat16, where the processor has it."""
        if self.precision != AUTO:
            return self.precision
        return BFLOAT16 if has_bfloat16() else FLOAT32

    @property
    def start_path(self) -> str | None:
        """The picture to start from, where ``start`` is a path."""
        return None if self.start in ("content", "noise") else self.start

    @property
    def exact_neural_style(self) -> bool:
        """Whether total variation and first step are those of neural-style."""
        return self.compat == "neural-style"


def weighted(text: str) -> tuple[str, float]:
    """Read ``NAME`` or ``NAME:WEIGHT``; ``relu4_2`` and ``conv4_2`` mean ``block4_conv2``."""
    name, _, number = text.partition(":")
    try:
        weight = float(number) if number else 1.0
    except ValueError:
        weight = -1.0
    if not 0.0 <= weight < float("inf"):
        raise ValueError("a weight is a number from 0")
    short = re.fullmatch(r"(?:relu|conv)([1-9])_([1-9])", name.strip())
    return f"block{short[1]}_conv{short[2]}" if short else name.strip(), weight
