"""SavedModel directories, loaded on trust alone: they hold TensorFlow graphs."""

from __future__ import annotations

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
        respect to its input, but no inner layers to look at.

    Raises:
        ModelError: it has no entry that takes and gives one tensor.
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
    gives = function.structured_outputs
    if len(takes) != 1 or len(gives) != 1:
        raise ModelError(
            f"{shown}: the SavedModel's {entry} takes {len(takes)} tensors and gives {len(gives)}; "
            "only one of each can be looked at"
        )
    layer: Any = tf_keras.layers.Layer
    (argument, spec), (result,) = next(iter(takes.items())), gives

    class Graph(layer):
        """A SavedModel's graph as a layer."""

        def __init__(self) -> None:
            super().__init__(name="graph", dtype=spec.dtype)
            self._loaded = loaded  # its variables live as long as this

        def call(self, inputs: Any) -> Any:
            return function(**{argument: inputs})[result]

    if spec.shape.rank is None:
        raise ModelError(f"{shown}: the SavedModel does not say what shape it takes")
    picture = tf_keras.Input(batch_shape=spec.shape, dtype=spec.dtype, name=argument)
    return tf_keras.Model(picture, Graph()(picture))
