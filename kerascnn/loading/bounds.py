"""How large a model may grow while it is built: weights and feature maps, against its file."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator
from typing import Any

from kerascnn.errors import KerascnnError, RefusedError, one_line

_BUILDING = threading.RLock()


@contextlib.contextmanager
def bounded(keras: Any, values: int, shown: str) -> Iterator[None]:
    """Let no model be built in the block that is larger than its file.

    A configuration of a hundred bytes can ask for terabytes of weights, which Keras would fill
    with random numbers before it looks at those in the file. So the sizes are added up as the
    layers ask for them. Keras' own layers get zeros to start with: each weight is overwritten by
    the file's (Keras insists on that), and random numbers take longer than all the rest.

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

    def add_weight(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal total
        shapes = [kwargs.get("shape"), *(arg for arg in args if isinstance(arg, (list, tuple)))]
        total += sum(_count(shape) for shape in shapes if shape is not None)
        if total > values:
            refusal.append(
                f"{shown}: {_size(total)} of weights in all, far more than the file holds, at "
                f"{one_line(getattr(self, 'name', 'a layer'), 80)}"
            )
            raise RefusedError(refusal[0])
        if "initializer" in kwargs and type(self).__module__.startswith(keras.__name__ + "."):
            kwargs["initializer"] = "zeros"
        return original(self, *args, **kwargs)

    with _BUILDING:
        layer.add_weight = add_weight
        try:
            yield
        except KerascnnError:
            raise
        except Exception:
            # Keras wraps what layers raise.
            if refusal:
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
        return 0  # Keras will say what is wrong with it


def _size(values: int) -> str:
    size = 4.0 * min(values, 10**18)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.0f} TiB"


def check_pictures(model: Any, most: int, shown: str) -> None:
    """Refuse a model one of whose layers makes more than ``most`` numbers from one picture.

    Raises:
        RefusedError: it does.
    """
    for layer in (*getattr(model, "layers", ()), model):
        for tensor in _tensors(layer):
            sizes = [size for size in tuple(tensor.shape)[1:] if size is not None]
            if math.prod(sizes) > most:
                raise RefusedError(
                    f"{shown}: a feature map of {_size(math.prod(sizes))}, at "
                    f"{one_line(layer.name, 80)}"
                )
        if layer is not model:
            check_pictures(layer, most, shown)


def _tensors(layer: Any) -> list[Any]:
    try:
        found = layer.output
    except (AttributeError, ValueError, RuntimeError):
        return []  # not called yet, or called more than once
    if isinstance(found, dict):
        found = list(found.values())
    found = found if isinstance(found, (list, tuple)) else [found]
    return [tensor for tensor in found if getattr(tensor, "shape", None) is not None]
