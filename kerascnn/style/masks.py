"""Soft masks: which style goes where in a painting, and which part of a style's picture counts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kerascnn.errors import ImageError, UsageError, one_line
from kerascnn.images.decoding import decode
from kerascnn.style.features import Tap
from kerascnn.style.pictures import Original, Source, read_file, resized
from kerascnn.terminal.progress import say

_GREY = 0.1  # how far a grey's red, green and blue may lie apart


def read_mask(source: Source, picture: Original) -> np.ndarray:
    """Read a mask: white counts, black does not, grey counts in part.

    Args:
        source: a picture's path, or an array H×W of floats in [0, 1] or uint8.
        picture: the picture that it belongs to; both must have the same size.

    Returns:
        H×W float32 in [0, 1], as large as the picture was read.

    Raises:
        ImageError: it is no picture, or of another size.
    """
    if isinstance(source, np.ndarray):
        values, own, name = np.asarray(source, np.float32), source.shape, "the mask"
        if source.dtype == np.uint8:
            values = values / np.float32(255.0)
        if values.ndim != 2 or not np.isfinite(values).all():
            raise ImageError(f"a mask must be H×W, finite. Received the shape {source.shape}")
        values = resized(values[..., np.newaxis], picture.size)[..., 0]
    else:
        name = one_line(source)
        data, kind = read_file(Path(source))
        shades, _ = decode(data, kind, name, (*picture.size, 3), lambda *_: None)
        if np.ptp(shades, axis=-1).max() > _GREY:
            say(f"{name} is coloured: what counts of a mask is how light it is")
        unit, own = decode(data, kind, name, (*picture.size, 1), lambda *_: None)
        values = np.asarray(unit[..., 0], np.float32)
    if tuple(own) != picture.own_size:
        raise ImageError(
            f"{name} must be as large as its picture {picture.name}: {picture.own_size[1]}×"
            f"{picture.own_size[0]} pixels. Received: {own[1]}×{own[0]}"
        )
    return np.clip(values, 0.0, 1.0)


def read_regions(sources: Sequence[Source], picture: Original, styles: int) -> np.ndarray | None:
    """Read the masks of a painting's regions, R×H×W in [0, 1]; None without masks.

    Args:
        sources: one for each style; or one less: the last style then goes where no other does.
        picture: the content.
        styles: how many styles there are.

    Raises:
        ImageError: as of `read_mask`.
        UsageError: there are too many or too few.
    """
    if not sources:
        return None
    if len(sources) not in (styles, styles - 1):
        raise UsageError(
            f"--mask must be given once for each style ({styles}), or once less: the last style "
            f"then goes where no other does. Received: {len(sources)}"
        )
    regions = [read_mask(source, picture) for source in sources]
    if len(regions) < styles:
        regions.append(np.clip(1.0 - np.sum(regions, axis=0), 0.0, 1.0))
    stacked = np.stack(regions).astype(np.float32)
    empty = [number for number, region in enumerate(stacked, 1) if not region.any()]
    if empty:
        raise ImageError(f"the mask of style {empty[0]} is black everywhere")
    return stacked


def at_size(regions: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return R×H×W masks at another size."""
    values = np.moveaxis(resized(np.moveaxis(regions, 0, -1), size), -1, 0)
    return np.asarray(np.clip(values, 0.0, 1.0))


def at_layer(regions: np.ndarray, tap: Tap) -> np.ndarray:
    """Return R×H×W masks as the units of a layer have them: the mean over each unit's pixels."""
    count, height, width = regions.shape
    rows, columns, stride = height // tap.stride, width // tap.stride, tap.stride
    whole = regions[:, : rows * stride, : columns * stride]
    blocks = whole.reshape(count, rows, stride, columns, stride)
    return np.ascontiguousarray(blocks.mean((2, 4)), np.float32)
