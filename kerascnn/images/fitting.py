"""Fit a picture to a model: its size, its colours, its number of channels."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from kerascnn.errors import one_line

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_SIDE = 1024
"""The longest side given to a model that takes pictures of any size, in pixels."""

Shape = tuple[int | None, int | None, int]
"""Height, width and channels of a model's pictures; None for a side of any length."""

Notice = Callable[[str, str], object]
"""Takes a kind and a sentence about a picture; the sentence is shown, or left out if frequent."""


def to_unit(
    image: Image, name: str, shape: Shape, notice: Notice, profile: bytes | None = None
) -> np.ndarray:
    """Fit a picture to a model and give its values.

    It is scaled (bicubic, with antialiasing; the aspect ratio is kept) until it covers the model's
    height and width; what is outside is cropped, the same on both sides. A side that the model
    leaves open is the picture's own, at most `MAX_SIDE`.

    Args:
        image: of mode L, LA, RGB, RGBA, CMYK or F (grey in [0, 1]).
        name: the picture's name, for notices.
        shape: height, width (None: open) and channels (1: luminance as of ITU-R 601, 3: colour).
        notice: is called with what the user may not expect.
        profile: the ICC profile of its colours; None means sRGB.

    Returns:
        float64 values in [0, 1] of shape (H, W, C), red first.
    """
    fitted = _fit(image, name, shape, notice)
    if fitted.mode == "F":
        # The cubic overshoots a little at edges.
        grey = np.clip(np.asarray(fitted, np.float64), 0.0, 1.0)
        return np.repeat(grey[..., None], shape[2], axis=-1)
    if profile:
        fitted = _in_srgb(fitted, profile, name, notice)
    plain = _on_white(fitted).convert("L" if shape[2] == 1 else "RGB")
    return np.asarray(plain, np.float64).reshape(plain.height, plain.width, -1) / 255.0


def _fit(image: Image, name: str, shape: Shape, notice: Notice) -> Image:
    from PIL import Image as Pillow

    height, width = _size(image, name, shape, notice)
    if (width, height) == image.size:
        return image
    scale = max(width / image.width, height / image.height)
    across, down = min(image.width, width / scale), min(image.height, height / scale)
    left, top = (image.width - across) / 2, (image.height - down) / 2
    box = (left, top, left + across, top + down)
    return image.resize((width, height), Pillow.Resampling.BICUBIC, box=box)


def _size(image: Image, name: str, shape: Shape, notice: Notice) -> tuple[int, int]:
    """Return the height and width to give the model."""
    height, width = shape[:2]
    if height and width:
        return height, width
    if height or width:
        scale = height / image.height if height else width / image.width  # type: ignore[operator]
    else:
        scale = min(1.0, MAX_SIDE / max(image.size))
    found = (
        height or max(1, round(image.height * scale)),
        width or max(1, round(image.width * scale)),
    )
    capped = (height or min(MAX_SIDE, found[0]), width or min(MAX_SIDE, found[1]))
    if capped != found or (scale < 1.0 and not (height or width)):
        notice(
            "size",
            f"{name} is taken at {capped[1]}×{capped[0]} pixels: the model takes any size, "
            f"but a side is at most {MAX_SIDE} here",
        )
    return capped


def _in_srgb(image: Image, profile: bytes, name: str, notice: Notice) -> Image:
    """Return a picture with the colours that its profile means, in sRGB."""
    from PIL import ImageCms

    base = image.mode.removesuffix("A")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if space == "RGB" and base == "L":
            base = "RGB"
        if {"GRAY": "L"}.get(space, space) != base:
            raise ImageCms.PyCMSError(f"it is for {space}")
        flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
        if space == "GRAY":
            # Optimized, LittleCMS misses dark greys by up to ten levels of 255.
            flags |= ImageCms.Flags.NOOPTIMIZE
        colours = ImageCms.profileToProfile(
            image.convert(base),
            source,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=flags,
        )
    except (ImageCms.PyCMSError, ImportError, OSError, ValueError) as error:
        notice("profile", f"{name}: colour profile not used ({one_line(error, 80)}); taken as sRGB")
        return image
    assert colours is not None
    if image.mode in ("LA", "RGBA"):
        colours.putalpha(image.getchannel("A"))
    return colours


def _on_white(image: Image) -> Image:
    # White is what a page behind it would be: most clear pictures were cut out for one.
    if image.mode not in ("LA", "RGBA"):
        return image
    from PIL import Image as Pillow

    ground = Pillow.new("RGBA", image.size, "white")
    ground.alpha_composite(image.convert("RGBA"))
    return ground.convert("RGB")
