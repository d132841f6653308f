"""Public names that load what they need when they are first used."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping


def attach(
    package: str, places: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return a package's ``__getattr__`` and ``__dir__``.

    Args:
        package: the package's name.
        places: public name → the module that it is imported from.
    """

    def get(name: str) -> object:
        if name in places:
            return getattr(importlib.import_module(places[name]), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def names() -> list[str]:
        return sorted(places)

    return get, names
