"""Layers for the builders of networks, made the same way each time."""

from __future__ import annotations

import re
from typing import ClassVar

import numpy as np

from kerascnn.families import Layer, Model, keras_of


class LayerFactory:
    """Makes layers that depend neither on what was built before nor on keras.json.

    Names are numbered from the first, weights come from the seed, channels are last.

    Args:
        seed: of the initial weights, 0 or more; None for others each time.
    """

    # Layers with weights, and the initializer that Keras gives them.
    _WEIGHTED: ClassVar = {
        "Embedding": ("embeddings_initializer", "RandomUniform"),
        **dict.fromkeys(
            ("Conv1D", "Conv2D", "Dense", "EinsumDense"), ("kernel_initializer", "GlorotUniform")
        ),
    }
    _PICTURES: ClassVar = frozenset(
        ("Conv2D", "Cropping2D", "Flatten", "MaxPooling2D", "UpSampling2D", "ZeroPadding2D")
    )

    def __init__(self, seed: int | None) -> None:
        self._keras = keras_of("keras2", "the lecture's networks")
        self._seed = seed
        self._made: dict[str, int] = {}
        self._weighted = 0

    def __call__(self, kind: str, *args: object, **kwargs: object) -> Layer:
        """Make a layer of the Keras 2 class ``kind``; arguments are those of the class."""
        number = self._made.get(kind, 0)
        self._made[kind] = number + 1
        # As Keras names them: conv2d, max_pooling2d, max_pooling2d_1.
        name = re.sub("([a-z])([A-Z][a-z])", r"\1_\2", kind).lower()
        if number:
            name = f"{name}_{number}"
        if kind in self._PICTURES:
            kwargs.setdefault("data_format", "channels_last")
        if kind in self._WEIGHTED and self._seed is not None:
            # A seed for each layer: otherwise layers of one shape would have the same weights.
            state = np.random.SeedSequence((self._seed, self._weighted)).generate_state(1)
            self._weighted += 1
            argument, initializer = self._WEIGHTED[kind]
            make = getattr(self._keras.initializers, initializer)
            kwargs[argument] = make(seed=int(state[0]) % 2**31)
        return getattr(self._keras.layers, kind)(*args, name=name, **kwargs)

    def sequential(self, name: str, layers: list[Layer]) -> Model:
        """Return a model of layers in sequence."""
        return self._keras.Sequential(layers, name=name)
