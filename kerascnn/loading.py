"""A path in, a Keras model out: sniffed by its bytes, loaded by the Keras that wrote it."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerascnn.errors import KerascnnError, ModelError, one_line
from kerascnn.files import sha256
from kerascnn.sniffing import ARCHIVE, HDF5, Sniffed, open_regular, sniff

__all__ = ["BUILTINS", "Loaded", "load_model", "sniff"]

#: Models that come with the package: name → a function that returns a Keras model.
BUILTINS: dict[str, Callable[[], Any]] = {}


@dataclass(frozen=True)
class Loaded:
    """A model and where it came from.

    Attributes:
        model: the live Keras model.
        format: ``"HDF5"``, ``"Keras archive"``, ``"SavedModel"``, ``"architecture JSON + weights"``,
            ``"weights + architecture"``, ``"keras.applications"`` or ``"built-in"``.
        keras_version: as the file says.
        family: ``"keras2"`` or ``"keras3"``: which Keras the model belongs to.
        path: as given by the user, or ``builtin:NAME``.
        sha256: of the file; None for a built-in.
        trusted: the file was loaded although the scan would have refused it.
        findings: what the scan would have refused, when trusted.
        warnings: what the user should know.
    """

    model: Any
    format: str
    keras_version: str | None
    family: str
    path: str
    sha256: str | None = None
    trusted: bool = False
    findings: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def load_model(
    path: str | Path,
    *,
    weights: str | Path | None = None,
    architecture: str | None = None,
    trust: bool = False,
    custom_objects: dict[str, Any] | None = None,
) -> Loaded:
    """Load the model at ``path`` with the Keras that wrote it, without compiling it.

    Args:
        path: a model file, a SavedModel directory, or ``builtin:NAME``.
        weights: the weights file that belongs to an architecture JSON.
        architecture: ``package.module:function`` that rebuilds the model of a weights file.
        trust: load the file even if the scan would refuse it.
        custom_objects: name → class, for layers that are not Keras' own.

    Raises:
        ModelError: the file can't be read as a model.
        RefusedError: the file holds something that could run code or touch other files.
    """
    name = Path(path)
    what = sniff(name)
    if what.format not in (HDF5, ARCHIVE):
        raise ModelError(f"{one_line(path)}: {what.format} can't be loaded yet")
    keras = keras_of(what)
    try:
        with tempfile.TemporaryDirectory(prefix="kerascnn-") as folder:
            copy = Path(folder) / ("model.h5" if what.format == HDF5 else "model.keras")
            with open_regular(name) as source, copy.open("wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
            digest = sha256(copy)
            model = keras.models.load_model(str(copy), compile=False, custom_objects=custom_objects)
    except KerascnnError:
        raise
    except Exception as error:
        raise ModelError(f"{one_line(path)}: Keras can't load it: {one_line(error)}") from error
    return Loaded(
        model=model,
        format=what.format,
        keras_version=what.keras_version,
        family=what.family or "keras2",
        path=str(path),
        sha256=digest,
    )


def keras_of(what: Sniffed) -> Any:
    """Import and return the Keras that loads ``what``: ``tf_keras`` or ``keras``.

    Raises:
        ModelError: that Keras is not installed, or runs on another backend than TensorFlow.
    """
    if "keras" not in sys.modules:
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if what.family == "keras2":
        return importlib.import_module("tf_keras")
    return importlib.import_module("keras")
