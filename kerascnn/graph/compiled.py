"""`compiled`: ``tf.function`` for kerascnn's own code, which may call anybody's layers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from kerascnn.graph.live_types import Tensor

Function = TypeVar("Function", bound=Callable[..., Any])


def as_written(function: Function) -> Function:
    """Let a function run as it is written, inside any ``tf.function``.

    AutoGraph rewrites all code that a ``tf.function`` calls, which takes seconds, and kerascnn's
    own code has no Python ``if`` over tensors to rewrite. Custom layers may have one, and Keras 2
    rewrites these when they are called, unless AutoGraph is switched off. So it stays on, and the
    function is marked as already converted.
    """
    # What AutoGraph looks for before it rewrites a function (TensorFlow 2.15 to 2.21).
    function.autograph_info__ = None  # type: ignore[attr-defined]
    return function


def compiled(function: Callable[..., Tensor], **options: Any) -> Any:
    """Compile a function as TensorFlow does, but leave its own code as it is written.

    Args:
        function: of tensors.
        **options: of ``tf.function``.
    """
    import tensorflow as tf

    @as_written
    @functools.wraps(function)
    def run(*args: Tensor) -> Tensor:
        return function(*args)

    return tf.function(run, **options)
