"""A path in, a Keras model out: sniffed, scanned, and loaded by the Keras that wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerascnn.lazy import attach

if TYPE_CHECKING:
    from kerascnn.loading.formats.format import Sniffed
    from kerascnn.loading.loaded import Loaded
    from kerascnn.loading.loader import load_model
    from kerascnn.loading.sniffing import sniff

__all__ = ["Loaded", "Sniffed", "load_model", "sniff"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "Loaded": "kerascnn.loading.loaded",
        "Sniffed": "kerascnn.loading.formats.format",
        "load_model": "kerascnn.loading.loader",
        "sniff": "kerascnn.loading.sniffing",
    },
)
