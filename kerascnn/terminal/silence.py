"""Other libraries' messages kept off the terminal."""

from __future__ import annotations

import logging
import os
import sys
import warnings


def hush() -> None:
    """Silence TensorFlow, absl and Keras: their start-up chatter and deprecation warnings.

    TensorFlow's native code writes to file descriptor 2 directly, partly before any of its settings
    are read. So our own stderr moves to a copy of that descriptor, and the descriptor itself leads
    to the null device. Only for the command line's own process.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    warnings.simplefilter("ignore")
    for name in ("tensorflow", "absl", "h5py", "matplotlib", "PIL"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        moved = sys.stderr.fileno() != 2
    except (AttributeError, OSError, ValueError):  # captured, closed, or replaced
        return
    if moved:
        return
    sys.stderr.flush()
    ours = os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors="replace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.stderr = ours
