"""Make the packaged weights of VGG16's convolutions out of the full ones.

    python scripts/embed_vgg.py path/to/vgg16_notop.h5

The full file is the one that ``VGG16(include_top=False)`` of keras.applications fetches. The
package keeps its numbers in half precision. Beside the weights, the features of one packaged
photograph by the full weights are written for the tests, which compare.
"""

from __future__ import annotations

import sys
from pathlib import Path

import h5py
import numpy as np

from kerascnn import Network
from kerascnn.images import read_picture
from kerascnn.models import vgg16_features
from kerascnn.storage.files import replacing

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "kerascnn" / "models" / "data" / "vgg16-convolutions.npz"
FEATURES = ROOT / "tests" / "data" / "vgg16-features.npz"
PICTURE = ROOT / "kerascnn" / "images" / "samples" / "cat.jpg"
SIDE = 64


def main(path: str) -> None:
    """Write the weights in half precision, and some features by the full ones."""
    full: dict[str, np.ndarray] = {}
    with h5py.File(path) as file:
        for name in file:
            for part in ("kernel", "bias"):
                if name in file[name]:
                    full[f"{name}/{part}"] = file[name][name][f"{part}:0"][()]
    half = {name: values.astype(np.float16) for name, values in full.items()}
    with replacing(TARGET) as temporary:
        np.savez(temporary, **half)  # type: ignore[arg-type]
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes, {len(half)} arrays")

    model = vgg16_features((SIDE, SIDE, 3))
    for layer in model.layers:
        if layer.weights:
            layer.set_weights([full[f"{layer.name}/kernel"], full[f"{layer.name}/bias"]])
    network = Network(model)
    picture = read_picture(PICTURE, network.input).values[None]
    kept = {}
    for layer in network.convolutions():
        # A seventh of the numbers is enough to compare by.
        kept[layer.name] = network.activations(picture, layer).ravel()[::7]
    with replacing(FEATURES) as temporary:
        np.savez_compressed(temporary, **kept)  # type: ignore[arg-type]
    print(f"{FEATURES}: {FEATURES.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
