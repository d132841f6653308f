"""SavedModel directories, loaded on trust alone: they hold TensorFlow graphs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from kerascnn.errors import ModelError, one_line
from kerascnn.families import keras_of

#: What a graph's entry is called: by TensorFlow, and by Keras 3's ``export``.
_ENTRIES = ("serving_default", "serve")


def load_keras(folder: Path, custom_objects: dict[str, Any]) -> Any:
    """Load what Keras 2 saved as a SavedModel: a model with all its layers."""
    tf_keras = keras_of("keras2", one_line(folder))
    return tf_keras.models.load_model(str(folder), compile=False, custom_objects=custom_objects)


def load_graph(folder: Path) -> Any:
    """Wrap a SavedModel without Keras' description (a Keras 3 export, plain TensorFlow).

    Returns:
        A Keras 2 model of one opaque layer called ``graph``: it predicts and has gradients with
        respect to its inputs, but no inner layers to look at. Inputs and outputs have the names
        that the SavedModel gives them, and are ordered by these.

    Raises:
        ModelError: it has no entry that takes tensors of known rank.
    """
    import tensorflow as tf

    shown = one_line(folder)
    tf_keras = keras_of("keras2", shown)
    loaded = tf.saved_model.load(str(folder))
    entry = next((name for name in _ENTRIES if name in loaded.signatures), None)
    if entry is None:
        raise ModelError(f"{shown}: the SavedModel has no entry {' or '.join(_ENTRIES)}")
    function = loaded.signatures[entry]
    takes = function.structured_input_signature[1]
    specs = {name: takes[name] for name in sorted(takes, key=_natural)}
    results = sorted(function.structured_outputs, key=_natural)
    if not specs or not results or any(spec.shape.rank is None for spec in specs.values()):
        raise ModelError(f"{shown}: the SavedModel's {entry} does not say what shapes it takes")
    layer: Any = tf_keras.layers.Layer

    class Graph(layer):
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
