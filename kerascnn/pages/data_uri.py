"""Pictures inside a page, as data URIs."""

from __future__ import annotations

import base64
import io
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

_QUALITY = 82
"""Of WebP for photographs, where lossless would be much larger."""
_WORTH = 0.6
_SMALL = 60_000  # bytes: a loss is not worth it
_WIDEST = 1600  # pixels


def embedded(png: bytes) -> str:
    """Return a picture as a data URI: as WebP where that is smaller.

    Drawings stay exact; photographs are compressed with a loss that can't be seen. Very large
    pictures are made 1600 pixels wide.

    Args:
        png: a picture file that Pillow reads.
    """
    from PIL import Image as Pictures

    with Pictures.open(io.BytesIO(png)) as opened:
        picture = opened.convert("RGBA" if "A" in opened.getbands() else "RGB")
    if picture.width > _WIDEST:
        height = math.ceil(picture.height * _WIDEST / picture.width)
        picture = picture.resize((_WIDEST, height), Pictures.Resampling.LANCZOS)
    exact = _webp(picture, lossless=True, quality=20, method=2)
    if len(exact) < _SMALL:
        return data_uri(exact, "image/webp")
    near = _webp(picture, lossless=False, quality=_QUALITY, method=4)
    return data_uri(near if len(near) < _WORTH * len(exact) else exact, "image/webp")


def data_uri(data: bytes, kind: str) -> str:
    """Return a file's content as a URI.

    Args:
        data: the content.
        kind: its media type, as ``image/png``.
    """
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _webp(picture: Image, *, lossless: bool, quality: int, method: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", lossless=lossless, quality=quality, method=method)
    return buffer.getvalue()
