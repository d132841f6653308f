"""Errors of model files: one line each, which begins with the name of the file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from kerascnn.errors import KerascnnError, ModelError, one_line


@contextlib.contextmanager
def naming(shown: str) -> Iterator[None]:
    """Put the name of a file before what is wrong with it, unless it is there already."""
    try:
        yield
    except KerascnnError as error:
        if str(error).startswith(f"{shown}: "):
            raise
        raise type(error)(f"{shown}: {error}") from error.__cause__


@contextlib.contextmanager
def failing_as(what: str) -> Iterator[None]:
    """Turn whatever a library raises into a `ModelError`; on damaged files that can be anything.

    Args:
        what: what failed; the reason is put behind it.
    """
    try:
        yield
    except KerascnnError:
        raise
    except Exception as error:
        reason = one_line(error, 200) or type(error).__name__
        raise ModelError(f"{what}: {reason}") from error
