"""Decode a picture file: its bytes in, values in [0, 1] of the model's size out.

Only files whose first bytes are of one of `FORMATS` are given to Pillow: nothing that starts
another program (PostScript), and none of its less tested decoders.
"""

from __future__ import annotations

import io
import math
import warnings
from typing import TYPE_CHECKING

import numpy as np

from kerascnn.errors import ImageError, one_line
from kerascnn.images.fitting import MAX_SIDE, Notice, Shape, to_unit

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 120_000_000
"""The most pixels a picture may declare; decoding so many takes 2 GB at the most."""


def decode(
    data: bytes, kind: str, name: str, shape: Shape, notice: Notice
) -> tuple[np.ndarray, tuple[int, int]]:
    """Decode a picture and fit it to a model.

    It is turned upright (EXIF), converted to sRGB (embedded profiles), and put on a white ground
    where it is transparent; of several frames the first is used. Grey of 16 bits keeps them all.

    Args:
        data: the file's bytes.
        kind: one of `FORMATS`; no other decoder is tried.
        name: the file's name, for notices and errors.
        shape: height, width and channels wanted, see `to_unit`.
        notice: is called with what was done to the picture that the user may not expect.

    Returns:
        float64 values in [0, 1] of shape (H, W, C), red first; height and width of the picture in
        the file.

    Raises:
        ImageError: damaged, cut short, too large, or with pixels that have no known white.
    """
    # Pillow's warnings are about metadata, and about sizes that have a limit of their own here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image, profile, size = _open(data, kind, name, shape, notice)
            return to_unit(image, name, shape, notice, profile), size
        except ImageError:
            raise
        except Exception as error:  # damaged files make decoders raise nearly anything
            reason = one_line(error, 120) or type(error).__name__
            raise ImageError(
                f"can't read picture {name}: damaged or cut short ({kind}: {reason})"
            ) from error


def _open(
    data: bytes, kind: str, name: str, shape: Shape, notice: Notice
) -> tuple[Image, bytes | None, tuple[int, int]]:
    """Return the first frame, upright, in a workable mode; its profile; its height and width."""
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    too_large = f"{name} is too large for a picture: at most {MAX_PIXELS:,} pixels are decoded"
    try:
        opened = Pillow.open(io.BytesIO(data), formats=(kind,))
    except Pillow.DecompressionBombError as error:
        raise ImageError(f"{too_large}") from error
    except UnidentifiedImageError as error:
        raise ImageError(
            f"can't read picture {name}: its head is damaged, or it is of a sort of {kind} "
            "that we don't read; save it as an 8-bit PNG"
        ) from error
    width, height = opened.size
    if width * height > MAX_PIXELS:
        raise ImageError(f"{too_large}. Received: {width}×{height}")
    # The second picture in a phone's JPEG is a preview or a depth map, not a frame.
    if kind != "JPEG" and getattr(opened, "is_animated", False):
        notice("frames", f"{name} has several frames; the first is taken")
    if kind == "JPEG":
        _draft(opened, shape)
    opened.load()
    if kind != "JPEG":
        width, height = opened.size  # loading turns a TIFF upright
    turn = _orientation(opened, name, notice)
    image = _workable(opened, kind, name)
    if turn in _TURNS:
        image = image.transpose(Pillow.Transpose[_TURNS[turn]])
    size = (width, height) if turn >= 5 else (height, width)
    return image, opened.info.get("icc_profile"), size


def _draft(image: Image, shape: Shape) -> None:
    """Let the JPEG decoder leave out detail that is finer than half of what the model can see."""
    height, width = shape[:2]
    if height and width:
        scale = 2.0 * max(height, width) / min(image.size)
    elif height or width:
        return
    else:
        scale = 2.0 * MAX_SIDE / max(image.size)
    if scale <= 0.5:
        image.draft(None, (math.ceil(image.width * scale), math.ceil(image.height * scale)))


# EXIF's orientation, and what undoes it.
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


def _orientation(image: Image, name: str, notice: Notice) -> int:
    try:
        found = image.getexif().get(0x0112, 1)
    except Exception:  # as for decoders: damaged metadata make it raise nearly anything
        notice("exif", f"{name}: its EXIF data are damaged; it is taken as it is stored")
        return 1
    return found if found in _TURNS else 1


def _workable(image: Image, kind: str, name: str) -> Image:
    """Return a picture as L, LA, RGB, RGBA, CMYK or (grey in [0, 1]) F."""
    mode = image.mode
    if mode == "F" or mode.startswith("I"):
        return _grey_floats(image, kind, name)
    keyed = "transparency" in image.info
    if mode in ("LA", "RGBA", "CMYK") or (mode in ("L", "RGB") and not keyed):
        return image
    if mode in ("1", "L"):
        return image.convert("LA" if keyed else "L")
    if mode in ("P", "PA", "RGB", "RGBX", "RGBa", "YCbCr"):
        return image.convert("RGBA" if keyed or mode in ("PA", "RGBa") else "RGB")
    raise ImageError(f"{name} has colours in mode {one_line(mode)}; save it as RGB")


def _grey_floats(image: Image, kind: str, name: str) -> Image:
    """Return grey of 12 or 16 bits, or of floats, with white at 1."""
    from PIL import Image as Pillow

    values = np.asarray(image).astype(np.float32)
    tags = getattr(image, "tag_v2", {})
    if image.mode == "F":
        if not (np.isfinite(values).all() and values.min() >= 0.0 and values.max() <= 1.0):
            raise ImageError(
                f"{name} has float pixels outside [0, 1], so its white is unknown; "
                "scale it, or save the model's own values as .npy"
            )
        return Pillow.fromarray(values)
    if image.mode == "I" and kind == "TIFF":
        raise ImageError(
            f"{name} has signed or 32-bit integer pixels, which have no known white; "
            "save it with 8 or 16 bits, or the model's own values as .npy"
        )
    bits = tags.get(258, (16,))[0]
    clear = image.info.get("transparency")
    on_white = values == clear if isinstance(clear, int) else None
    values /= np.float32((1 << bits) - 1)  # in place: large pictures are large
    if tags.get(262) == 0:  # white is zero
        np.subtract(1.0, values, out=values)
    if on_white is not None:
        values[on_white] = 1.0
    return Pillow.fromarray(np.clip(values, 0.0, 1.0, out=values))
