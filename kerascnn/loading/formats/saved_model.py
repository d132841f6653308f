"""SavedModel folders, loaded on trust alone: they hold TensorFlow graphs, which can do anything."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from kerascnn.errors import ModelError
from kerascnn.families import Keras, Layer, Model
from kerascnn.loading.formats.format import Sniffed
from kerascnn.loading.named_errors import failing_as

FORMAT = "SavedModel"
#: Why a SavedModel is refused without trust.
FINDING = f"TensorFlow graphs, which can read and write files, at saved_model.pb ({FORMAT})"
#: What an opaque SavedModel can't do.
OPAQUE = "a SavedModel without Keras' layers: only its output can be visualized"

#: What a graph's entry is called: by TensorFlow, and by Keras 3's ``export``.
_ENTRIES = ("serving_default", "serve")


def sniff(folder: Path) -> Sniffed:
    """Tell what the SavedModel in a folder is; its family is None where it holds no Keras layers.

    Raises:
        ModelError: there is none.
    """
    if (folder / "config.json").is_file() and (folder / "metadata.json").is_file():
        raise ModelError(
            "is an unpacked Keras archive; zip config.json, metadata.json and model.weights.h5 "
            "into one file and load that"
        )
    if not (folder / "saved_model.pb").is_file():
        raise ModelError("is a directory without a model (no saved_model.pb in it)")
    described = (folder / "keras_metadata.pb").is_file()
    return Sniffed(FORMAT, "model", None, "keras2" if described else None)


def load(tf_keras: Keras, folder: Path, what: Sniffed, custom: dict[str, Any]) -> Model:
    """Load a SavedModel that the user trusts, as a Keras 2 model.

    Args:
        tf_keras: Keras 2.
        folder: the SavedModel.
        what: it was found to be.
        custom: name → class or function, for what is not Keras' own.

    Raises:
        ModelError: TensorFlow can't load it.
    """
    with failing_as("TensorFlow can't load it"):
        if what.family is None:
            return _opaque(tf_keras, folder)
        return tf_keras.models.load_model(str(folder), compile=False, custom_objects=custom)


def _opaque(tf_keras: Keras, folder: Path) -> Model:
    """Wrap a SavedModel without Keras layers (a Keras 3 export, plain TensorFlow).

    Returns:
        A Keras 2 model of one layer called ``graph``: it predicts and has gradients with respect
        to its inputs, but no inner layers to look at. Inputs and outputs have the names that the
        SavedModel gives them, and are ordered by these.
    """
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))
    entry = next((name for name in _ENTRIES if name in loaded.signatures), None)
    if entry is None:
        raise ModelError(f"the SavedModel has no entry {' or '.join(_ENTRIES)}")
    function = loaded.signatures[entry]
    takes = function.structured_input_signature[1]
    specs = {name: takes[name] for name in sorted(takes, key=_natural)}
    results = sorted(function.structured_outputs, key=_natural)
    if not specs or not results or any(spec.shape.rank is None for spec in specs.values()):
        raise ModelError(f"the SavedModel's {entry} does not say what shapes it takes")
    layer: Layer = tf_keras.layers.Layer

    class Graph(layer):  # type: ignore[misc, unused-ignore]
        """A SavedModel's graph as a layer."""

        def __init__(self) -> None:
            super().__init__(name="graph", autocast=False)
            self._loaded = loaded  # its variables live as long as this

        def call(self, inputs: Any) -> Any:
            given = function(**dict(zip(specs, tf.nest.flatten(inputs), strict=True)))
            tensors = [given[name] for name in results]
            return tensors if len(tensors) > 1 else tensors[0]

    pictures = [
        tf_keras.Input(batch_shape=spec.shape, dtype=spec.dtype, name=name)
        for name, spec in specs.items()
    ]
    inputs = pictures if len(pictures) > 1 else pictures[0]
    return tf_keras.Model(inputs, Graph()(inputs))


def _natural(name: str) -> list[int | str]:
    """Return a key that sorts ``x_2`` before ``x_10``."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]
