"""A copy of a live layer that differs in an attribute; the user's own layer is never written to."""

from __future__ import annotations

from kerascnn.graph.live_types import KerasLayer


def copy_with(layer: KerasLayer, **attributes: object) -> KerasLayer:
    """Return a shallow copy of a layer with some attributes changed.

    It shares the original's weights, so it computes with those of the moment. A layer may be in use
    in other threads, so the change is made to the copy alone. Not `copy.copy`: Keras 3 makes that
    one serialize the layer and its weights.

    Args:
        layer: a live layer of either Keras.
        **attributes: names and values.
    """
    copied = object.__new__(type(layer))
    # Past Keras' own bookkeeping of attributes, which is shared with the original.
    copied.__dict__.update(layer.__dict__)
    for name, value in attributes.items():
        object.__setattr__(copied, name, value)
    return copied
