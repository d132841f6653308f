"""A picture file's bytes in, values in [0, 1] of the model's size out.

Only the formats of `FORMATS` are ever given to Pillow, told by their first bytes: nothing that
starts another program (PostScript) and none of its less tested decoders.
"""

from __future__ import annotations

import io
import math
import stat
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kerascnn.errors import ImageError, one_line

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
"""The formats of picture files that are read, as Pillow names them."""

MAX_PIXELS = 120_000_000
"""The most pixels a picture may declare; decoding so many takes 2 GB at the most."""

MAX_BYTES = 1 << 29
"""The largest file that is read, and the largest array within one (512 MiB)."""

MAX_SIDE = 1024
"""The longest side given to a model that takes pictures of any size, in pixels."""

Shape = tuple[int | None, int | None, int]
Notice = Callable[[str, str], object]
"""Takes a kind and a sentence about a picture; says it, or not the hundredth time."""

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"\x93NUMPY", "NPY"),
    (b"PK\x03\x04", "NPZ"),
)
_REFUSED = (
    (b"%PDF", "a PDF"),
    (b"%!", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "PostScript"),
    (b"<svg", "an SVG drawing"),
    (b"8BPS", "a Photoshop file"),
    (b"\0\0\x01\0", "an icon"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\x89HDF", "an HDF5 file"),
)


def kind_of(head: bytes) -> str | None:
    """Tell a file by its first 16 bytes: one of `FORMATS`, ``"NPY"``, ``"NPZ"``, or None."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:1] == b"P" and (head[1:2] == b"f" or (head[1:2].isdigit() and head[1:2] < b"7")):
        return "PPM" if head[2:3].isspace() else None
    return None


def read_bytes(path: Path) -> bytes:
    """Return the bytes of an ordinary file of at most `MAX_BYTES`.

    Raises:
        ImageError: it is missing, empty, too large, unreadable, a folder, a pipe or a device.
    """
    name = one_line(path)
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise ImageError(f"{name} is a folder where a picture is meant")
        if not stat.S_ISREG(found.st_mode):
            raise ImageError(f"{name} is not an ordinary file")
        if found.st_size > MAX_BYTES:
            raise ImageError(
                f"{name} is too large for a picture: {found.st_size >> 20} MiB, "
                f"at most {MAX_BYTES >> 20} are read"
            )
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"can't read picture {name}: {one_line(reason)}") from error
    if not data:
        raise ImageError(f"{name} is empty, not a picture")
    return data


def not_a_picture(data: bytes, name: str) -> ImageError:
    """Return the error for bytes of no known kind, with what they seem to be."""
    start = data[:64].lstrip()
    found = next((what for magic, what in _REFUSED if data.startswith(magic)), None)
    if data[4:8] == b"ftyp":
        found = "HEIC, AVIF or a film"
    elif start.startswith((b"<?xml", b"<svg", b"<!DOCTYPE", b"<html")):
        found = "an SVG drawing or a web page"
    elif not data:
        found = "an empty file"
    elif found is None and all(byte >= 32 or byte in b"\t\r\n\f" for byte in data[:64]):
        found = "text"
    seems = f" (it looks like {found})" if found else ""
    return ImageError(
        f"{name} is not a picture we read{seems}; save it as PNG, JPEG, GIF, BMP, TIFF, WebP or PPM"
    )


def decode(
    data: bytes, kind: str, name: str, shape: Shape, notice: Notice
) -> tuple[np.ndarray, tuple[int, int]]:
    """Decode a picture and fit it to a model.

    Turned upright (EXIF), brought to sRGB (embedded profiles), the first frame of several, laid on
    white where it is transparent. Grey pictures of 16 bits keep them.

    Args:
        data: the file's bytes.
        kind: one of `FORMATS`; no other decoder is tried.
        name: the file's name, for what is said.
        shape: height, width and channels wanted, see `to_unit`.
        notice: is told what was done to the picture that its owner may not expect.

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
                f"{name} has float pixels outside [0, 1], so that nobody knows its white; "
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


def to_unit(
    image: Image, name: str, shape: Shape, notice: Notice, profile: bytes | None = None
) -> np.ndarray:
    """Fit a picture to a model and give its values.

    Scaled so that it covers the model's height and width, aspect ratio kept and detail that would
    alias smoothed away (bicubic); what juts out is cropped evenly. A side that the model leaves
    open is the picture's own, `MAX_SIDE` at the most.

    Args:
        image: of mode L, LA, RGB, RGBA, CMYK or F (grey in [0, 1]).
        name: the picture's name, for what is said.
        shape: height, width (None: open) and channels (1: luminance as of ITU-R 601, 3: colour).
        notice: is told what the picture's owner may not expect.
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
