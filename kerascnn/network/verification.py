"""The prepared model compared with the original, before anyone trusts a picture."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from kerascnn.errors import ModelError
from kerascnn.graph.model_graph import Graph, LayerCall, knows_training
from kerascnn.network.input_spec import InputSpec
from kerascnn.network.prepared_model import Prepared

_TOLERANCE = 1e-5
_HALF_TOLERANCE = 1e-2  # where the model's own outputs have two or three digits


def verify(model: Any, prepared: Prepared, contract: InputSpec) -> str | None:
    """Compare the prepared model's outputs with the original's on a random picture.

    Returns:
        What the user should be warned of; None if all is well.

    Raises:
        ModelError: they differ by more than 1e-5 of the largest output (1e-2 in half precision).
    """
    import tensorflow as tf

    pictures = tf.constant(contract.probe())
    # The head's layer may be the one in single precision of a network of half precision.
    ours = tf.cast(prepared.inner(pictures, [prepared.output.index], logits=True)[0], tf.float32)
    if prepared.head.activation == "softmax":
        axis = prepared.channel_axis(prepared.output.index) if ours.shape.rank == 4 else -1
        ours = tf.nn.softmax(ours, axis=axis)
    elif prepared.head.activation == "sigmoid":
        ours = tf.sigmoid(ours)
    one = np.asarray(ours, np.float32)
    theirs = _original(model, prepared, pictures)
    other = np.asarray(theirs, np.float32)
    tolerance = _HALF_TOLERANCE if "16" in str(theirs.dtype) else _TOLERANCE
    if one.shape != other.shape:
        raise ModelError(
            f"the prepared model gives the shape {one.shape}, the original {other.shape}"
        )
    if not np.isfinite(other).all():
        return not_finite(prepared.graph)
    difference = float(np.abs(one - other).max(initial=0.0))
    scale = float(np.abs(other).max(initial=0.0))
    if difference > tolerance * max(scale, 1e-30):
        raise ModelError(
            "the prepared model does not give the original's outputs: they differ by "
            f"{difference:.2g} where the largest is {scale:.2g}"
        )
    return None


def finite(values: np.ndarray, what: str, graph: Graph) -> np.ndarray:
    """Return values that are finite numbers.

    Raises:
        ModelError: they are not; the layer whose weights are to blame is named.
    """
    if not np.isfinite(values).all():
        raise ModelError(f"{what} has NaN or infinite numbers: {not_finite(graph)}")
    return values


def not_finite(graph: Graph) -> str:
    """Say why a model gives numbers that are not finite: which weights are none."""
    return _bad_weights(graph.steps) or "the model gives NaN or infinite numbers"


def finite_weights(steps: Iterable[LayerCall]) -> None:
    """See that layers have weights that are numbers.

    Raises:
        ModelError: one has not.
    """
    if found := _bad_weights(steps):
        raise ModelError(found)


def _bad_weights(steps: Iterable[LayerCall]) -> str | None:
    for step in steps:
        for weights in getattr(step.layer, "weights", []):
            values = np.asarray(weights)
            if values.dtype.kind not in "iub" and not np.isfinite(values.astype(np.float32)).all():
                return f"layer {step.path!r} has weights that are NaN or infinite"
    return None


def _original(model: Any, prepared: Prepared, pictures: Any) -> Any:
    graph = prepared.graph
    values = prepared.feed(pictures)
    inputs = [values[port.index] for port in graph.inputs]
    structure = getattr(model, "_nested_inputs", None)
    structure = getattr(model, "_inputs_struct", structure)
    given: Any = inputs[0] if len(inputs) == 1 else inputs
    if isinstance(structure, dict):
        given = dict(zip(sorted(structure), inputs, strict=True))
    # Without it, augmentation layers of a model called from outside are at work.
    more = {"training": False} if knows_training(model) else {}
    result = model(given, **more)
    if isinstance(result, dict):
        result = [result[key] for key in sorted(result)]
    if not isinstance(result, (list, tuple)):
        return result
    position = [port.index for port in graph.outputs].index(prepared.output.index)
    return result[position]
