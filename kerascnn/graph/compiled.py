"""`compiled`: ``tf.function`` for code of ours, around layers of anybody's."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def as_written(function: Function) -> Function:
    """Let a function run as it is written within anybody's ``tf.function``.

    AutoGraph rewrites the code of all that a ``tf.function`` calls, which takes seconds, and code
    of ours has no Python ``if`` over tensors for it to rewrite. Layers of somebody's own may have,
    and Keras 2 rewrites these when they are called, unless AutoGraph is switched off; so it stays
    on, and the function is marked as one that it has dealt with.
    """
    # What AutoGraph looks for before it rewrites a function (TensorFlow 2.15 to 2.21).
    function.autograph_info__ = None  # type: ignore[attr-defined]
    return function


def compiled(function: Callable[..., Any], **options: Any) -> Any:
    """Compile a function as TensorFlow does, but leave its own code as it is written.

    Args:
        function: of tensors.
        **options: of ``tf.function``.
    """
    import tensorflow as tf

    @as_written
    @functools.wraps(function)
    def done(*args: Any) -> Any:
        return function(*args)

    return tf.function(done, **options)
