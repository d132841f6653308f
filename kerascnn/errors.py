"""The errors: each says in one line what went wrong, where, and what to do.

The command line prints ``kerascnn: error: …`` and ends with the exit code of the class::

    KerascnnError      1
    ├── UsageError     2  a flag, an option or an argument
    ├── RefusedError   3  a file that could run code
    ├── ModelError     1
    ├── ImageError     1
    ├── DataError      1
    ├── PluginError    1
    └── OutputError    1
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable


class KerascnnError(Exception):
    """The root of every error this package raises on purpose."""

    exit_code = 1


class UsageError(KerascnnError):
    """A value given by the user (a flag, an option, an argument) is not allowed."""

    exit_code = 2


class RefusedError(KerascnnError):
    """A file holds something that could run code or touch other files; it was not loaded."""

    exit_code = 3


class ModelError(KerascnnError):
    """A model file can't be read, or a model can't do what was asked of it."""


class ImageError(KerascnnError):
    """A picture can't be read, or does not fit the model."""


class DataError(KerascnnError):
    """A data set can't be read, or is not what it should be."""


class PluginError(KerascnnError):
    """A plugin can't be loaded, is not valid, or failed."""


class OutputError(KerascnnError):
    """A result can't be written."""


def one_line(text: object, limit: int = 300) -> str:
    """Return ``text`` as one printable line.

    Names out of model files and plugin metadata end up in terminals; control characters in them
    (escape sequences above all) must not.

    Args:
        text: anything with a ``str``.
        limit: the longest line returned, in characters.
    """
    folded = " ".join(str(text).split())
    safe = "".join("\N{REPLACEMENT CHARACTER}" if _unprintable(c) else c for c in folded)
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"


def _unprintable(character: str) -> bool:
    # Cc: control, Cf: format (bidirectional overrides), Cs: lone surrogates.
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"}


def nearest(word: str, names: Iterable[str]) -> str:
    """Return ``"; did you mean …?"`` with the nearest of ``names``, or a list of them all."""
    known = [one_line(name, 60) for name in names]
    close = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    if not known:
        return ""
    more = f" … ({len(known)} in all)" if len(known) > 12 else ""
    return f"; there are: {', '.join(known[:12])}{more}"
