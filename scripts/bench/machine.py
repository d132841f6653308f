"""The machine that the figures were measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from bench.measured import timed


def matrix_peak(size: int = 2048, repeat: int = 5) -> float:
    """Return floating-point operations per second of TensorFlow's product of float32 matrices.

    The best of several runs: what the machine can do when nothing disturbs it.
    """
    import tensorflow as tf

    matrix = tf.random.uniform((size, size))
    product = tf.function(lambda a: tf.matmul(a, a))
    product(matrix)
    best = min(timed(lambda: product(matrix).numpy()) for _ in range(repeat))
    return 2 * size**3 / best


def described() -> dict[str, str]:
    """Return what the machine is: processor, cores, memory, system, versions."""
    import psutil
    import tensorflow as tf

    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": platform.system(),
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
    }


def peak_memory() -> float:
    """Return the most memory that this process or a child process has had, in MiB; 0 if unknown."""
    try:
        import resource
    except ImportError:
        return 0.0
    processes = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    most = max(resource.getrusage(each).ru_maxrss for each in processes)
    return most / (2**20 if platform.system() == "Darwin" else 2**10)


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line for line in text.splitlines() if line.startswith("model name")]
    return names[0].partition(":")[2].strip() if names else platform.machine()
