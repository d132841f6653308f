"""`LayerFactory`: layers for the builders, the same wherever and whenever they are made."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from kerascnn.families import keras_of


class LayerFactory:
    """Makes layers that depend on nothing else: neither on what was built before nor on keras.json.

    Names count from the start, weights come from the seed, and the data format is the usual one.

    Args:
        seed: of the initial weights, 0 or more; None for others each time.
    """

    _NAMES: ClassVar = {
        "Conv1D": "conv1d",
        "Conv2D": "conv2d",
        "EinsumDense": "einsum_dense",
        "GlobalMaxPooling1D": "global_max_pooling1d",
        "MaxPooling2D": "max_pooling2d",
        "UpSampling2D": "up_sampling2d",
        "ZeroPadding2D": "zero_padding2d",
        "Cropping2D": "cropping2d",
    }
    # What takes weights, and the initializer that Keras gives it.
    _WEIGHTED: ClassVar = {
        "Conv1D": ("kernel_initializer", "GlorotUniform"),
        "Conv2D": ("kernel_initializer", "GlorotUniform"),
        "Dense": ("kernel_initializer", "GlorotUniform"),
        "EinsumDense": ("kernel_initializer", "GlorotUniform"),
        "Embedding": ("embeddings_initializer", "RandomUniform"),
    }
    _PICTURES: ClassVar = frozenset(
        ("Conv2D", "Cropping2D", "Flatten", "MaxPooling2D", "UpSampling2D", "ZeroPadding2D")
    )

    def __init__(self, seed: int | None) -> None:
        self._keras = keras_of("keras2", "the lecture's networks")
        self._seed = seed
        self._made: dict[str, int] = {}
        self._weighted = 0

    def __call__(self, kind: str, *args: Any, **kwargs: Any) -> Any:
        """Make a layer of a class of Keras 2."""
        number = self._made.get(kind, 0)
        self._made[kind] = number + 1
        name = self._NAMES.get(kind, kind.lower()) + (f"_{number}" if number else "")
        if kind in self._PICTURES:
            kwargs.setdefault("data_format", "channels_last")
        if kind in self._WEIGHTED and self._seed is not None:
            # One seed for each layer: layers of one shape would begin with the same weights.
            state = np.random.SeedSequence((self._seed, self._weighted)).generate_state(1)
            self._weighted += 1
            argument, initializer = self._WEIGHTED[kind]
            kwargs[argument] = getattr(self._keras.initializers, initializer)(
                seed=int(state[0]) % 2**31
            )
        return getattr(self._keras.layers, kind)(*args, name=name, **kwargs)

    def sequential(self, name: str, layers: list[Any]) -> Any:
        """Put layers behind each other."""
        return self._keras.Sequential(layers, name=name)
