"""Deep Style: a photograph repainted in the manner of a painting (Gatys, Ecker and Bethge 2016)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerascnn.lazy import attach

if TYPE_CHECKING:
    from kerascnn.style.run import Painted, deep_style
    from kerascnn.style.settings import StyleSettings
    from kerascnn.style.transfer import StyleTransfer

__all__ = ["Painted", "StyleSettings", "StyleTransfer", "deep_style"]

# Late, since ``kerascnn style --help`` needs the settings and nothing that is slow to import.
__getattr__, __dir__ = attach(
    __name__,
    {
        "Painted": "kerascnn.style.run",
        "StyleSettings": "kerascnn.style.settings",
        "StyleTransfer": "kerascnn.style.transfer",
        "deep_style": "kerascnn.style.run",
    },
)
