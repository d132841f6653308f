"""Make the data that the package carries out of the full data sets.

    python scripts/embed_data.py path/to/mnist.npz

The full file is the one that ``keras.datasets.mnist`` downloads. The package keeps the lecture's
first 10,000 training digits and all 10,000 test digits.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

TARGET = Path(__file__).parent.parent / "kerascnn" / "datasets" / "data" / "mnist-10000.npz"


def main(path: str) -> None:
    """Write the packaged digits."""
    with np.load(path, allow_pickle=False) as full:
        kept = {
            "x_train": full["x_train"][:10_000],
            "y_train": full["y_train"][:10_000].astype(np.uint8),
            "x_test": full["x_test"],
            "y_test": full["y_test"].astype(np.uint8),
        }
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(TARGET, **kept)
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
