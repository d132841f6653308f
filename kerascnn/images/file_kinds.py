"""Find out what a picture file is, from its first bytes."""

from __future__ import annotations

import stat
from pathlib import Path

from kerascnn.errors import ImageError, one_line

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
"""The formats of picture files that are read, as Pillow names them."""

MAX_BYTES = 1 << 29
"""The largest file that is read, and the largest array within one (512 MiB)."""

MAGIC: dict[str, tuple[bytes, ...]] = {
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "JPEG": (b"\xff\xd8\xff",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "BMP": (b"BM",),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "NPY": (b"\x93NUMPY",),
    "NPZ": (b"PK\x03\x04",),
}
_OTHERS: dict[str, tuple[bytes, ...]] = {
    "a PDF": (b"%PDF",),
    "PostScript": (b"%!", b"\xc5\xd0\xd3\xc6"),
    "an SVG drawing": (b"<svg",),
    "a Photoshop file": (b"8BPS",),
    "an icon": (b"\0\0\x01\0",),
    "JPEG 2000": (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),
    "an HDF5 file": (b"\x89HDF",),
}


def kind_of(head: bytes) -> str | None:
    """Tell a file by its first 16 bytes: one of `FORMATS`, ``"NPY"``, ``"NPZ"``, or None."""
    for kind, magic in MAGIC.items():
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
    found = next((what for what, magic in _OTHERS.items() if data.startswith(magic)), None)
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
