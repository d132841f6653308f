"""Calls of plugin code: whatever such code raises becomes an error of one line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from kerascnn.errors import KerascnnError, PluginError, one_line


@contextlib.contextmanager
def guarded(told: str, *passed: type[BaseException]) -> Iterator[None]:
    """Run plugin code in the block; nothing it raises ends the program, ``sys.exit`` neither.

    Args:
        told: what failed; the message begins with it.
        *passed: exceptions that mean what they say and are left as they are, beside
            `KeyboardInterrupt` and `MemoryError`.

    Raises:
        PluginError: the code raised anything else.
    """
    kept: tuple[type[BaseException], ...] = (KeyboardInterrupt, MemoryError, *passed)
    try:
        yield
    except kept:
        raise
    except BaseException as error:
        raise PluginError(f"{told}: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    text = one_line(error)
    if isinstance(error, KerascnnError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
