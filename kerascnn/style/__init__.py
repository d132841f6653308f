"""Deep Style: a photograph repainted in the manner of a painting (Gatys, Ecker and Bethge 2016)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kerascnn.style.painter import Painter
    from kerascnn.style.run import Painted, deep_style
    from kerascnn.style.settings import StyleSettings

__all__ = ["Painted", "Painter", "StyleSettings", "deep_style"]

# Late, since ``kerascnn style --help`` needs the settings and nothing that is slow to import.
_LATE = {
    "Painted": "kerascnn.style.run",
    "Painter": "kerascnn.style.painter",
    "StyleSettings": "kerascnn.style.settings",
    "deep_style": "kerascnn.style.run",
}


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(importlib.import_module(_LATE[name]), name)
    raise AttributeError(f"module 'kerascnn.style' has no attribute {name!r}")
