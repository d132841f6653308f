"""Make the packaged sample photographs from an installed scikit-image.

Run as ``python scripts/embed_samples.py``; needs scikit-image. What it takes is free of rights: see
NOTICE.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "kerascnn" / "images" / "samples"
# Our name: scikit-image's name.
PHOTOGRAPHS = {
    "cat": "chelsea",
    "astronaut": "astronaut",
    "coffee": "coffee",
    "rocket": "rocket",
}
LONG_SIDE = 512
QUALITY = 90


def main() -> None:
    """Write one JPEG a photograph, and say how large each is."""
    from PIL import Image

    data = importlib.import_module("skimage.data")  # no requirement of the package
    FOLDER.mkdir(exist_ok=True)
    for name, original in PHOTOGRAPHS.items():
        image = Image.fromarray(getattr(data, original)()).convert("RGB")
        image.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
        path = FOLDER / f"{name}.jpg"
        # Full colour resolution: edges of colour matter to a network.
        image.save(path, quality=QUALITY, subsampling=0, optimize=True)
        print(f"{path}: {image.width}×{image.height}, {path.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()  # --help, and nothing else
    main()
