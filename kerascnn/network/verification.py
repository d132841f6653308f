"""The prepared model compared with the original, before anyone trusts a picture."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from kerascnn.errors import ModelError
from kerascnn.graph.live_types import KerasModel
from kerascnn.graph.model_graph import Graph, LayerCall
from kerascnn.graph.node_reader import call_model
from kerascnn.network.input_spec import InputSpec
from kerascnn.network.prepared_model import CLASSES, PreparedModel

_TOLERANCE = 1e-5
_HALF_TOLERANCE = 1e-2  # where the model's own outputs have two or three digits


def verify(model: KerasModel, prepared: PreparedModel, spec: InputSpec) -> str | None:
    """Compare the prepared model's outputs with the original's on a random picture.

    Returns:
        What the user should be warned of; None if all is well.

    Raises:
        ModelError: they differ by more than 1e-5 of the largest output (1e-2 in half precision).
    """
    import tensorflow as tf

    pictures = tf.constant(spec.probe())
    (logits,) = prepared.run(pictures, (), CLASSES)
    # The head's layer may be the one in single precision of a network of half precision.
    one = np.asarray(prepared.head.outputs(logits), np.float32)
    feed = prepared.feed(pictures)
    theirs = call_model(model, [feed[port.index] for port in prepared.graph.inputs])[
        prepared.graph.outputs.index(prepared.output)
    ]
    other = np.asarray(theirs, np.float32)
    tolerance = _HALF_TOLERANCE if "16" in str(theirs.dtype) else _TOLERANCE
    if one.shape != other.shape:
        raise ModelError(
            f"the prepared model gives the shape {one.shape}, the original {other.shape}"
        )
    if not np.isfinite(other).all():
        return _not_finite(prepared.graph)
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
        raise ModelError(f"{what} has NaN or infinite numbers: {_not_finite(graph)}")
    return values


def bad_weights(calls: Iterable[LayerCall]) -> str | None:
    """Return which layer has weights that are not finite numbers, in a sentence."""
    for call in calls:
        for weights in getattr(call.layer, "weights", []):
            values = np.asarray(weights)
            if values.dtype.kind not in "iub" and not np.isfinite(values.astype(np.float32)).all():
                return f"layer {call.path!r} has weights that are NaN or infinite"
    return None


def _not_finite(graph: Graph) -> str:
    return bad_weights(graph.calls) or "the model gives NaN or infinite numbers"
