"""What is on a picture: its pixels, judged by their values."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from kerascnn.render import draw


def decode(values):
    """What `draw` takes of a network whose values are from 0 to 1."""
    return np.clip(np.asarray(values), 0, 1).astype(np.float32)


def pixels(png):
    """Return the pixels of a PNG file: H×W×3, from 0 to 255."""
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB")).astype(int)


def inked(png):
    """Return which pixels are not white: H×W."""
    return (pixels(png) < 250).any(axis=-1)


def images_on(result, decode=decode):
    """Return the images of a drawn result, in the order in which they were set."""
    return [image for axes in draw(result, decode).axes for image in axes.images]


def shown(image):
    """Return an image of a figure in the colours that it is drawn in: H×W×3, from 0 to 1."""
    values = image.get_array()
    return np.asarray(image.to_rgba(values))[..., :3]


def is_drawn(png):
    """Return whether a PNG file shows something, and nothing that is cut off at its edges."""
    ink = inked(png)
    return bool(ink.any()) and not any(e.any() for e in (ink[0], ink[-1], ink[:, 0], ink[:, -1]))
