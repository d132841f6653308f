"""Bounds on how large a model may grow while it is built, by what its file stores."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator
from typing import Any

from kerascnn.errors import RefusedError, one_line
from kerascnn.families import Keras, Layer, Model
from kerascnn.loading.scan.report import bytes_text

_FLOAT_BYTES = 4

_BUILDING = threading.RLock()


@contextlib.contextmanager
def weights_bounded(keras: Keras, values: int, shown: str) -> Iterator[None]:
    """Refuse a model, built in the block, that asks for more weights than its file can fill.

    A configuration of a hundred bytes can ask for terabytes of weights, which Keras would fill
    with random numbers before it looks at those in the file. So the sizes are added up as the
    layers ask for them. Keras' own layers start from zeros: each weight is overwritten by the
    file's (Keras insists on that), and drawing random numbers would take longer than all the rest.

    Args:
        keras: the module whose layers are watched.
        values: the most numbers that the weights may have, all together.
        shown: the file's name, for errors.

    Raises:
        RefusedError: the model wants more.
    """
    layer = keras.layers.Layer
    original = layer.add_weight
    refusal: list[str] = []
    total = 0

    def add_weight(self: Layer, *args: Any, **kwargs: Any) -> object:
        nonlocal total
        shapes = [kwargs.get("shape"), *(arg for arg in args if isinstance(arg, (list, tuple)))]
        total += sum(_count(shape) for shape in shapes if shape is not None)
        if total > values:
            refusal.append(
                f"{shown}: {bytes_text(_FLOAT_BYTES * total)} of weights in all, far more than "
                f"the file holds, at {one_line(getattr(self, 'name', 'a layer'), 80)}"
            )
            raise RefusedError(refusal[0])
        if "initializer" in kwargs and type(self).__module__.startswith(keras.__name__ + "."):
            kwargs["initializer"] = "zeros"
        return original(self, *args, **kwargs)

    with _BUILDING:
        layer.add_weight = add_weight
        try:
            yield
        except Exception:
            if refusal:  # Keras wraps what layers raise
                raise RefusedError(refusal[0]) from None
            raise
        finally:
            layer.add_weight = original
    if refusal:
        raise RefusedError(refusal[0])


def _count(shape: Any) -> int:
    try:
        return math.prod(int(size) for size in shape if size is not None)
    except (TypeError, ValueError):
        return 0  # Keras raises an error about it


def check_feature_maps(model: Model, most: int, shown: str) -> None:
    """Refuse a model one of whose layers makes more than ``most`` numbers from one picture.

    Raises:
        RefusedError: it does.
    """
    for layer in (*getattr(model, "layers", ()), model):
        for shape in _output_shapes(layer):
            count = math.prod(size for size in shape[1:] if size is not None)
            if count > most:
                raise RefusedError(
                    f"{shown}: a feature map of {bytes_text(_FLOAT_BYTES * count)}, at "
                    f"{one_line(layer.name, 80)}"
                )
        if layer is not model:
            check_feature_maps(layer, most, shown)


def _output_shapes(layer: Layer) -> list[tuple[int | None, ...]]:
    try:
        found = layer.output
    except (AttributeError, ValueError, RuntimeError):
        return []  # not called yet, or called more than once
    if isinstance(found, dict):
        found = list(found.values())
    tensors = found if isinstance(found, (list, tuple)) else [found]
    shapes = [getattr(tensor, "shape", None) for tensor in tensors]
    return [tuple(shape) for shape in shapes if shape is not None]
