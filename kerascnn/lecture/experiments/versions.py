"""The versions of all that computes."""

from __future__ import annotations

import platform

import numpy as np

from kerascnn.version import __version__


def versions() -> dict[str, str]:
    """Return the versions of kerascnn, TensorFlow, Keras 2, NumPy and Python."""
    import tensorflow as tf
    import tf_keras

    return {
        "kerascnn": __version__,
        "tensorflow": tf.__version__,
        "tf_keras": tf_keras.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
