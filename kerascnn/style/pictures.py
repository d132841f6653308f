"""Pictures read in their own size with right colours, and written with the settings in the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascnn.errors import ImageError, OutputError, nearest, one_line
from kerascnn.images.decoding import decode
from kerascnn.images.file_kinds import kind_of, not_a_picture, read_bytes
from kerascnn.storage.files import write_with
from kerascnn.terminal.progress import say

if TYPE_CHECKING:
    from PIL.Image import Image

Source = str | PathLike[str] | np.ndarray
"""A path, a sample's name as ``sample:cat``, or an array H×W×3 (uint8, or floats in [0, 1])."""

SUFFIXES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF",
            ".webp": "WEBP"}  # fmt: skip
SAMPLE = "sample:"
DEFAULT_CONTENT, DEFAULT_STYLE = f"{SAMPLE}cat", f"{SAMPLE}style-swirls"
DEFAULT_LONG_SIDE = 512
_DESCRIPTION, _SOFTWARE = 0x010E, 0x0131  # EXIF


@dataclass(frozen=True)
class Original:
    """A picture before it is scaled.

    Attributes:
        unit: float32 in [0, 1], H×W×3, red first; no larger than needed.
        name: a short name.
        own_size: height and width in the file.
    """

    unit: np.ndarray
    name: str
    own_size: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return (self.unit.shape[0], self.unit.shape[1])

    def scaled(self, size: tuple[int, int]) -> np.ndarray:
        """Return the picture at another size, smoothed where that is smaller."""
        return resized(self.unit, size)


def scaled_size(size: tuple[int, int], long_side: int) -> tuple[int, int]:
    """Return height and width of the same shape, the longer of ``long_side`` pixels."""
    scale = long_side / max(size)
    return (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))


def resized(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return H×W×C values at another size (bicubic, smoothed where that is smaller)."""
    if values.shape[:2] == size:
        return np.asarray(values, np.float32)
    from PIL import Image

    planes = np.ascontiguousarray(np.moveaxis(values, -1, 0), np.float32)
    smooth = (Image.fromarray(p).resize(size[::-1], Image.Resampling.BICUBIC) for p in planes)
    return np.stack([np.asarray(plane) for plane in smooth], axis=-1)


def read_original(source: Source, long_side: int | None = None) -> Original:
    """Read a picture: upright, in sRGB, on white where it is transparent.

    Args:
        source: see `Source`.
        long_side: how many pixels are needed; without, 512 at most.

    Raises:
        ImageError: it is no picture.
    """
    if isinstance(source, np.ndarray):
        return _of_array(source)
    if not isinstance(source, (str, PathLike)):
        raise ImageError(
            f"a picture must be a path or an array H×W×3. Received: {type(source).__name__}"
        )
    if isinstance(source, str) and source.startswith(SAMPLE):
        name = source.removeprefix(SAMPLE)
        folder = resources.files("kerascnn.images") / "samples"
        known = [file.name[:-4] for file in folder.iterdir() if file.name.endswith(".jpg")]
        if name not in known:
            raise ImageError(f"no sample {one_line(name, 40)!r}{nearest(name, sorted(known))}")
        file = folder / f"{name}.jpg"
        with resources.as_file(file) as path:
            return _decoded(Path(path), name, long_side)
    path = Path(source)
    return _decoded(path, one_line(path.stem, 60), long_side)


def _of_array(values: np.ndarray) -> Original:
    fits = values.ndim == 3 and values.shape[-1] == 3 and values.size
    if not fits or not (values.dtype == np.uint8 or np.issubdtype(values.dtype, np.floating)):
        raise ImageError(
            "a picture as an array must be H×W×3, uint8 or floats in [0, 1]. "
            f"Received: {values.dtype} of shape {values.shape}"
        )
    own = (values.shape[0], values.shape[1])
    if values.dtype == np.uint8:
        return Original(values.astype(np.float32) / np.float32(255.0), "array", own)
    if not (np.isfinite(values).all() and values.min() >= 0.0 and values.max() <= 1.0):
        raise ImageError("a picture as an array of floats must lie in [0, 1]")
    return Original(np.asarray(values, np.float32), "array", own)


def _decoded(path: Path, short: str, long_side: int | None) -> Original:
    data, kind = read_file(path)
    name = one_line(path)
    _, own = decode(data, kind, name, (1, 1, 3), lambda *_: None)
    size = scaled_size(own, min(long_side or DEFAULT_LONG_SIDE, max(own)))
    unit, _ = decode(data, kind, name, (*size, 3), lambda _kind, text: say(text))
    return Original(np.asarray(unit, np.float32), short, own)


def read_file(path: Path) -> tuple[bytes, str]:
    """Return a picture file's bytes and its format.

    Raises:
        ImageError: it is no picture.
    """
    data = read_bytes(path)
    kind = kind_of(data[:64])
    if kind is None or kind in ("NPY", "NPZ"):
        raise not_a_picture(data, one_line(path))
    return data, kind


def check_suffix(path: Path) -> str:
    """Return the format of a path's suffix, or raise an `OutputError`."""
    found = SUFFIXES.get(path.suffix.lower())
    if found is None:
        raise OutputError(
            f"can't write {one_line(path)}: its name must end in .png, .jpg, .tif or .webp"
        )
    return found


def write_picture(path: Path, unit: np.ndarray, record: Mapping[str, Any]) -> None:
    """Write a picture H×W×3 in [0, 1] as PNG, JPEG, TIFF or WebP, by the path's suffix.

    The record of how it was made is written into the file as JSON: in a PNG the text ``kerascnn``,
    else EXIF's image description.

    Raises:
        OutputError: it can't be written.
    """
    from PIL import Image

    kind = check_suffix(path)
    image = Image.fromarray(np.round(np.clip(unit, 0.0, 1.0) * 255.0).astype(np.uint8))
    text = json.dumps({"program": "kerascnn style", **record}, sort_keys=True)
    options = _options(image, kind, text)
    write_with(path, lambda temporary: image.save(temporary, format=kind, **options))


def _options(image: Image, kind: str, text: str) -> dict[str, Any]:
    from PIL.PngImagePlugin import PngInfo

    if kind == "PNG":
        info = PngInfo()
        info.add_itxt("kerascnn", text)
        return {"pnginfo": info}
    exif = image.getexif()
    exif[_DESCRIPTION] = text.encode("ascii", "backslashreplace").decode("ascii")
    exif[_SOFTWARE] = "kerascnn"
    quality: dict[str, Any] = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"quality": 95}}
    return {"exif": exif, **quality.get(kind, {})}


def read_record(path: Path) -> dict[str, Any] | None:
    """Return the record that `write_picture` wrote into a file; None where there is none.

    Raises:
        ImageError: it is no picture.
    """
    from PIL import Image, UnidentifiedImageError

    _, kind = read_file(path)
    try:
        with Image.open(path, formats=(kind,)) as image:
            texts = getattr(image, "text", {})
            text = texts.get("kerascnn") or image.getexif().get(_DESCRIPTION)
        found = json.loads(text) if isinstance(text, str) else None
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError):
        return None
    return found if isinstance(found, dict) else None
