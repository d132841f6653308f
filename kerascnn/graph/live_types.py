"""Names for TensorFlow's and Keras' live objects, which have no types that mypy could read."""

from __future__ import annotations

from typing import Any, TypeAlias

Tensor: TypeAlias = Any
"""A TensorFlow tensor, or a NumPy array where TensorFlow converts it."""

KerasLayer: TypeAlias = Any
"""A live layer of Keras 2 or 3; in Keras 3, an operation at times."""

KerasModel: TypeAlias = Any
"""A live model of Keras 2 or 3."""

Structure: TypeAlias = Any
"""Nested lists, tuples and dicts, as the arguments of a layer's call are."""
