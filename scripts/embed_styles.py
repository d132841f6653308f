"""Paint the packaged style pictures: brush strokes along whirls, a mosaic, a print of waves.

Run as ``python scripts/embed_styles.py``. They are drawn by the formulas below, out of nothing but
random numbers, so nobody has rights to them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

FOLDER = Path(__file__).resolve().parent.parent / "kerascnn" / "images" / "samples"
WIDTH, HEIGHT = 640, 512
FINER = 2  # drawn so many times larger, then reduced
QUALITY = 80


def main() -> None:
    """Write one JPEG a style, and say how large each is."""
    styles: dict[str, Callable[[np.random.Generator], Image.Image]] = {
        "style-swirls": swirls,
        "style-mosaic": mosaic,
        "style-waves": waves,
    }
    for name, draw in styles.items():
        image = draw(np.random.default_rng(7)).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        path = FOLDER / f"{name}.jpg"
        image.save(path, quality=QUALITY, subsampling=0, optimize=True)
        print(f"{path}: {image.width}×{image.height}, {path.stat().st_size / 1024:.0f} KB")


def swirls(random: np.random.Generator) -> Image.Image:
    """Short thick strokes that follow a field of whirls, dark blue to yellow."""
    width, height = WIDTH * FINER, HEIGHT * FINER
    centres = [(0.28, 0.36, 0.20, 1.0), (0.66, 0.30, 0.15, -1.0), (0.84, 0.66, 0.13, 1.0),
               (0.46, 0.74, 0.18, -1.0), (0.10, 0.82, 0.12, 1.0)]  # fmt: skip
    night = np.array([(14, 26, 66), (24, 52, 112), (40, 88, 150), (78, 134, 178), (150, 186, 190)])
    light = np.array([(196, 120, 24), (238, 190, 60), (250, 232, 150)])

    def field(x: float, y: float) -> tuple[float, float, float]:
        flow_x, flow_y, glow = 0.35, 0.12 * np.sin(7.0 * x / width), 0.0
        for cx, cy, radius, turn in centres:
            dx, dy = x / width - cx, (y / height - cy) * height / width
            far = np.hypot(dx, dy) / radius
            pull = turn * np.exp(-(far**2))
            flow_x, flow_y = flow_x - 6.0 * pull * dy / radius, flow_y + 6.0 * pull * dx / radius
            glow = max(glow, float(np.exp(-((far / 0.55) ** 2))))
        return flow_x, flow_y, glow

    image = Image.new("RGB", (width, height), tuple(night[1]))
    pen = ImageDraw.Draw(image)
    for thick, length, count in ((26, 16, 2600), (17, 13, 5200), (11, 10, 5200)):
        for _ in range(count):
            x, y = random.uniform(-40, width + 40), random.uniform(-40, height + 40)
            _, _, glow = field(x, y)
            band = 0.5 + 0.5 * np.sin(9.0 * y / height + 3.0 * np.sin(5.0 * x / width))
            dark = night[min(4, int(5 * np.clip(band + random.normal(0, 0.18), 0, 0.999)))]
            lit = light[min(2, int(3 * np.clip(glow + random.normal(0, 0.15), 0, 0.999)))]
            base = lit if random.random() < glow * 1.1 else dark
            path = [(x, y)]
            for _ in range(length):
                fx, fy, _ = field(x, y)
                norm = max(float(np.hypot(fx, fy)), 1e-6)
                x, y = x + 5.0 * fx / norm, y + 5.0 * fy / norm
                path.append((x, y))
            _stroke(pen, path, base + random.normal(0, 9, 3), thick, random)
    return image


def _stroke(
    pen: ImageDraw.ImageDraw,
    path: list[tuple[float, float]],
    colour: np.ndarray,
    thick: float,
    random: np.random.Generator,
) -> None:
    """Draw a stroke of bristles side by side, each of its own lightness."""
    bristles = max(3, int(thick // 3))
    ends = np.array(path[-1]) - np.array(path[0])
    across = np.array([-ends[1], ends[0]]) / max(float(np.hypot(*ends)), 1e-6)
    for bristle in range(bristles):
        offset = across * thick * ((bristle + 0.5) / bristles - 0.5)
        shade = colour + random.normal(0, 11) + 10.0 * np.sin(np.pi * bristle / bristles)
        line = [tuple(np.array(point) + offset) for point in path[random.integers(0, 3) :]]
        pen.line(line, fill=_rgb(shade), width=int(thick / bristles) + 2)


def mosaic(random: np.random.Generator) -> Image.Image:
    """Tesserae in arcs, grout between them, terracotta to sea green."""
    width, height = WIDTH * FINER, HEIGHT * FINER
    y, x = np.mgrid[0:height:16, 0:width:16]
    seeds = np.stack([y.ravel(), x.ravel()], 1) + random.normal(0, 3.2, (y.size, 2))
    rings = np.hypot(seeds[:, 0] - 0.95 * height, seeds[:, 1] - 0.4 * width)
    palette = np.array([(176, 72, 44), (222, 148, 78), (240, 218, 170), (58, 128, 118),
                        (28, 74, 92), (236, 232, 214), (146, 40, 40)])  # fmt: skip
    waves_ = np.sin(seeds[:, 1] / 90.0) * 40.0
    index = ((rings + waves_) // 62).astype(int) % len(palette)
    colours = (
        palette[index]
        + random.normal(0, 15, (len(seeds), 3))
        + random.normal(0, 10, (len(seeds), 1))
    )
    image = Image.new("RGB", (width, height), (52, 46, 42))
    pen = ImageDraw.Draw(image)
    for (top, left), colour in zip(seeds, colours, strict=True):
        angle = np.arctan2(top - 0.95 * height, left - 0.4 * width) + random.normal(0, 0.08)
        half = 6.6 + random.normal(0, 0.4)
        corners = np.array([(-half, -half), (half, -half), (half, half), (-half, half)])
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        points = corners @ turn.T + np.array([left, top]) + random.normal(0, 0.6, (4, 2))
        pen.polygon([tuple(point) for point in points], fill=_rgb(colour))
    return image


def waves(random: np.random.Generator) -> Image.Image:
    """A print: bands of waves in few flat colours with dark outlines, on paper."""
    width, height = WIDTH * FINER, HEIGHT * FINER
    image = Image.new("RGB", (width, height), (238, 226, 196))
    pen = ImageDraw.Draw(image)
    flat = [(34, 62, 106), (92, 138, 166), (176, 202, 198), (226, 214, 178), (202, 96, 62)]
    x = np.arange(-20, width + 20, 4.0)
    for row in range(26):
        base = height * (row + 1) / 27 - 30
        phase, reach = random.uniform(0, 6.3), 22 + 10 * np.sin(row)
        crest = base + reach * np.abs(np.sin(x / (58 + 8 * (row % 3)) + phase)) ** 0.6
        crest += 5 * np.sin(x / 23 + row)
        for line in range(9):
            lower = crest + 4.6 * line
            fill = flat[(row + (line > 2) + (line > 5)) % len(flat)]
            shape = [*zip(x, lower, strict=True), (width + 20, height), (-20, height)]
            pen.polygon(shape, fill=fill)
            if line in (0, 3, 6):
                pen.line(list(zip(x, lower, strict=True)), fill=(26, 30, 48), width=4)
    grain = random.normal(0, 6, (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))


def _rgb(colour: np.ndarray) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in np.clip(colour, 0, 255))
    return red, green, blue


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()  # --help, and nothing else
    main()
