"""Which preprocessing a model wants, and where that was found."""

from __future__ import annotations

from kerascnn.graph.live_types import KerasModel, Tensor
from kerascnn.graph.model_graph import Graph, LayerCall, Port
from kerascnn.network.applications import preprocessing_of_application

# What may stand between the input and the layer that scales it.
_PASSING = ("ZeroPadding2D", "Resizing", "CenterCrop")
_PASSING_PREFIX = "Random"


def find_preprocessing(
    model: KerasModel, graph: Graph, port: Port, given: str | None
) -> tuple[str, str]:
    """Return the preprocessing's name and where it was found.

    The first of these that tells: the user, a scaling layer at the model's entrance, the name of a
    network of keras.applications (also one nested in the model). Else [0, 1] is assumed.
    """
    if given is not None:
        return given, "asked for"
    entrance = _entrance(graph, port)
    if entrance is not None:
        found = _of_scaling(entrance)
        if found is not None:
            return found, f"{entrance.kind} layer {entrance.path!r}"
    channels = port.shape and len(port.shape) == 4 and 3 in (port.shape[1], port.shape[3])
    if channels:
        for name in _model_names(model, graph):
            # No scaling layer was met, so it was built without the one that some bring along.
            found = preprocessing_of_application(name, included=False)
            if found is not None:
                return found, f"keras.applications {name}"
    return "unit", "assumed"


def _entrance(graph: Graph, port: Port) -> LayerCall | None:
    """Return the first layer that does more than pad, crop or augment the picture."""
    front = port.index
    while True:
        calls = graph.consumers(front)
        if len(calls) != 1:
            return calls[0] if calls else None
        call = calls[0]
        if not (call.kind in _PASSING or call.kind.startswith(_PASSING_PREFIX)):
            return call
        front = call.outputs[0]


def _of_scaling(call: LayerCall) -> str | None:
    """Return the range that a scaling layer (or a division, a product) takes in."""
    layer = call.layer
    if call.kind == "Rescaling":
        return _of_factor(layer.scale)
    if call.kind == "Normalization":
        mean = getattr(layer, "input_mean", None)
        mean = getattr(layer, "mean", None) if mean is None else mean
        # A mean well above one can only be that of 0–255.
        return None if mean is None else ("raw" if _largest(mean) > 2 else "unit")
    symbol = getattr(layer, "symbol", None) or call.kind.lower()
    constants = [value for value in (*call.args[1:], *call.kwargs.values()) if _is_number(value)]
    if len(constants) == 1 and symbol in ("math.truediv", "truedivide", "divide", "math.divide"):
        return _of_factor(1 / float(constants[0])) if constants[0] else None
    if len(constants) == 1 and symbol in ("math.multiply", "multiply"):
        return _of_factor(constants[0])
    return None


def _of_factor(scale: Tensor) -> str | None:
    # 1/255 and 1/127.5 take bytes; a factor near one takes what is in the unit range already.
    return "raw" if 0 < _largest(scale) <= 0.02 else "unit"


def _largest(value: Tensor) -> float:
    import numpy as np

    return float(np.max(np.abs(np.asarray(value, np.float64))))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _model_names(model: KerasModel, graph: Graph) -> list[str]:
    """Return the model's own name and those of the models nested in it, outermost first."""
    nested = (name for call in graph.calls for name in call.path.split("/")[:-1])
    return list(dict.fromkeys([model.name, *nested]))
