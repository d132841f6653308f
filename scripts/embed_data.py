"""Make the data that the package carries out of the full data sets.

    python scripts/embed_data.py path/to/mnist.npz

The full file is the one that ``keras.datasets.mnist`` fetches. The package keeps the lecture's
first 10,000 training digits and all 10,000 test digits.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import kerascnn.datasets.mnist as mnist
from kerascnn.storage.files import replacing

TARGET = Path(__file__).parent.parent / "kerascnn" / "datasets" / "data" / "mnist-10000.npz"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the packaged digits."""
    parser = argparse.ArgumentParser(description="Write the digits that the package carries.")
    parser.add_argument("path", type=Path, help="the whole mnist.npz")
    parser.add_argument("--out", type=Path, default=TARGET, help="what to write")
    given = parser.parse_args(arguments)
    digits = mnist.load_mnist(mnist.EMBEDDED, given.path)
    with replacing(given.out) as temporary:
        np.savez_compressed(
            temporary,
            x_train=digits.x_train,
            y_train=digits.y_train,
            x_test=digits.x_test,
            y_test=digits.y_test,
        )
    print(f"{given.out}: {given.out.stat().st_size:,} bytes, digits {digits.sha256}")


if __name__ == "__main__":
    main()
