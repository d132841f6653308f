"""Picture files written byte by byte, for what Pillow does not write."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return a picture as Pillow writes it."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png_chunk(tag: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))


def png(
    values: np.ndarray, colour: int, extra: bytes = b"", size: tuple[int, int] = (0, 0)
) -> bytes:
    """Return a PNG of 16 bits; ``size`` overrides the width and height that its head declares."""
    height, width = values.shape[:2]
    width, height = size if any(size) else (width, height)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", head)
        + extra
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


def tiff(
    data: bytes,
    size: tuple[int, int],
    bits: int,
    *,
    order: str = "<",
    samples: int = 1,
    photometric: int = 1,
    sample_format: int = 1,
    orientation: int = 1,
) -> bytes:
    """Return an uncompressed TIFF of one strip.

    Args:
        data: the strip.
        size: width and height declared.
        bits: bits a sample.
        order: ``"<"`` or ``">"``.
        samples: samples a pixel.
        photometric: 0 white is zero, 1 black is zero, 2 RGB, 5 CMYK, 8 Lab.
        sample_format: 1 unsigned, 2 signed, 3 floats.
        orientation: as EXIF's.
    """
    tail: list[bytes] = []
    count = 11
    start = 8 + 2 + 12 * count + 4

    def shorts(number: int) -> tuple[int, bytes]:
        packed = struct.pack(f"{order}{samples}H", *[number] * samples)
        if len(packed) <= 4:
            return samples, packed.ljust(4, b"\0")
        offset = start + sum(map(len, tail))
        tail.append(packed)
        return samples, struct.pack(f"{order}I", offset)

    def short(number: int) -> tuple[int, bytes]:
        return 1, struct.pack(f"{order}HH", number, 0)

    def long(number: int) -> tuple[int, bytes]:
        return 1, struct.pack(f"{order}I", number)

    all_bits, all_formats = shorts(bits), shorts(sample_format)
    entries = [
        (256, 4, long(size[0])),
        (257, 4, long(size[1])),
        (258, 3, all_bits),
        (259, 3, short(1)),
        (262, 3, short(photometric)),
        (273, 4, long(start + sum(map(len, tail)))),
        (274, 3, short(orientation)),
        (277, 3, short(samples)),
        (278, 4, long(size[1])),
        (279, 4, long(len(data))),
        (339, 3, all_formats),
    ]
    assert len(entries) == count
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, count)
    body = b"".join(
        struct.pack(f"{order}HHI", tag, kind, number) + value
        for tag, kind, (number, value) in entries
    )
    return head + body + struct.pack(f"{order}I", 0) + b"".join(tail) + data


def icc_profile(space: bytes, gamma: float = 1.0) -> bytes:
    """Return an ICC profile of sRGB's primaries (or grey) with a power for its tone curve."""

    def fixed(*numbers: float) -> bytes:
        return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)

    def xyz(*numbers: float) -> bytes:
        return b"XYZ \0\0\0\0" + fixed(*numbers)

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    text = b"test\0"
    description = (
        b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + b"\0" * (4 + 4 + 2 + 1 + 67)
    )
    description += b"\0" * (-len(description) % 4)
    tags = {b"desc": description, b"wtpt": xyz(0.9642, 1.0, 0.8249)}
    if space == b"RGB ":
        tags |= {
            b"rXYZ": xyz(0.43607, 0.22249, 0.01392),
            b"gXYZ": xyz(0.38515, 0.71687, 0.09708),
            b"bXYZ": xyz(0.14307, 0.06061, 0.71410),
            b"rTRC": curve,
            b"gTRC": curve,
            b"bTRC": curve,
        }
    else:
        tags |= {b"kTRC": curve}
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for tag, data in tags.items():
        table += tag + struct.pack(">II", offset + len(body), len(data))
        body += data
    head = struct.pack(">I", offset + len(body)) + b"\0\0\0\0" + b"\x02\x40\0\0"
    head += b"mntr" + space + b"XYZ " + struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp"
    head += b"\0" * (64 - len(head)) + struct.pack(">I", 1) + fixed(0.9642, 1.0, 0.8249)
    return head.ljust(128, b"\0") + table + body
