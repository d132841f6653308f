"""The two Keras generations, and which of them a model belongs to."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any, TypeAlias

from kerascnn.errors import ModelError, one_line

#: A live model, a live layer, and the module ``keras`` or ``tf_keras``. Neither generation has
#: types of its own that a checker could use for both.
Model: TypeAlias = Any
Layer: TypeAlias = Any
Keras: TypeAlias = Any


def keras_of(family: str, shown: str = "the model") -> Keras:
    """Import and return a Keras: ``tf_keras`` for ``"keras2"``, ``keras`` for ``"keras3"``.

    Args:
        family: ``"keras2"`` or ``"keras3"``.
        shown: what needs it, for errors.

    Raises:
        ModelError: that Keras is not installed, or runs on another backend than TensorFlow.
    """
    if family == "keras2":
        return _imported("tf_keras", shown)
    if "keras" not in sys.modules:
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    keras = _imported("keras", shown)
    if int(keras.__version__.split(".")[0]) < 3:
        raise ModelError(
            f"{shown}: needs Keras 3, and the Keras here is {keras.__version__}; install "
            "TensorFlow 2.16 or later"
        )
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise ModelError(
            f"{shown}: needs Keras on TensorFlow, and Keras runs on {backend} here; set "
            "KERAS_BACKEND=tensorflow before Keras is imported"
        )
    return keras


def _imported(name: str, shown: str) -> Keras:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ModelError(f"{shown}: needs {name}: {one_line(error, 160)}") from error


def family_of_version(version: str | None) -> str:
    """Return which Keras wrote a version string: ``"keras2"`` (also for None) or ``"keras3"``."""
    major = (version or "").strip().split(".")[0]
    return "keras3" if major.isdigit() and int(major) >= 3 else "keras2"


def family_of_model(model: object) -> str | None:
    """Return the family of a live object, or None if it is no Keras model."""
    for base in type(model).__mro__:
        root = base.__module__.split(".")[0]
        if base.__name__ == "Model" and root in ("keras", "tf_keras"):
            return family_of_version(getattr(sys.modules.get(root), "__version__", None))
    return None
