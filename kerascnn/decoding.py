"""A picture file in, values in [0, 1] out."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kerascnn.errors import ImageError, one_line

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")


def read_unit(
    path: Path, shape: tuple[int | None, int | None, int]
) -> tuple[np.ndarray, tuple[int, int]]:
    """Read a file as values in [0, 1] of the model's size, and its own height and width."""
    from PIL import Image

    try:
        with Image.open(path, formats=FORMATS) as image:
            image.load()
            plain = image.convert("RGB" if shape[2] == 3 else "L")
    except Exception as error:
        raise ImageError(f"can't read {one_line(path)} as a picture: {one_line(error)}") from error
    unit = np.asarray(plain, np.float64) / 255.0
    if unit.ndim == 2:
        unit = unit[..., None]
    return fit_unit(unit, shape), (plain.height, plain.width)


def fit_unit(unit: np.ndarray, shape: tuple[int | None, int | None, int]) -> np.ndarray:
    """Scale the short side to the model's size, crop the rest evenly."""
    from PIL import Image

    height, width = unit.shape[:2]
    target = (shape[0] or height, shape[1] or width)
    if target == (height, width):
        return unit
    scale = max(target[0] / height, target[1] / width)
    crop_h, crop_w = target[0] / scale, target[1] / scale
    top, left = (height - crop_h) / 2, (width - crop_w) / 2
    planes = [
        Image.fromarray(unit[..., c].astype(np.float32)).resize(
            (target[1], target[0]),
            Image.Resampling.BICUBIC,
            box=(left, top, left + crop_w, top + crop_h),
        )
        for c in range(unit.shape[2])
    ]
    return np.clip(np.stack([np.asarray(plane) for plane in planes], axis=-1), 0.0, 1.0)
