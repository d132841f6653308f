"""Arrays that come from plugins, checked before they become a result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascnn.errors import PluginError

if TYPE_CHECKING:
    import numpy as np


def checked(value: Any, shape: str, label: str) -> np.ndarray:
    """Return an array as float32 after checking its rank and numbers.

    Args:
        value: the array.
        shape: its axes, as ``N×H×W``.
        label: what it is, for errors.

    Raises:
        PluginError: another rank, no element, not real, or not finite.
    """
    import numpy as np

    value = np.asarray(value)
    if value.ndim != shape.count("×") + 1 or value.size == 0:
        raise PluginError(f"{label} must be {shape}. Received the shape {value.shape}")
    if value.dtype.kind not in "fiub":
        raise PluginError(f"{label} must be real numbers. Received the dtype {value.dtype}")
    value = np.ascontiguousarray(value, np.float32)
    if not np.isfinite(value).all():
        raise PluginError(
            f"{label}: NaN or infinite numbers among them (kerascnn inspect tells whether the "
            "network's weights are finite)"
        )
    return value
