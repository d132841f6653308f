"""The convolutions of VGG16, trained on ImageNet (Simonyan and Zisserman 2015), in Keras 2."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kerascnn.families import Model, keras_of

# Blocks of 3×3 convolutions with as many filters, each block followed by a 2×2 max pooling.
BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))

WEIGHTS = Path(__file__).parent / "data" / "vgg16-convolutions.npz"


def vgg16_features(input_shape: tuple[int | None, int | None, int] = (224, 224, 3)) -> Model:
    """Build the thirteen convolutions of VGG16 with the packaged ImageNet weights.

    The weights are stored in half precision and used in single precision: the cosine between the
    features and those of the full weights is at least 0.9999.

    Args:
        input_shape: height, width and 3; None for any size. Pictures are blue, green, red, 0 to
            255, less ImageNet's mean (``--preprocess caffe``).

    Returns:
        A Keras 2 model with 14,714,688 parameters and the layer names of ``keras.applications``:
        N×224×224×3 → N×7×7×512.
    """
    keras = keras_of("keras2", "vgg16")
    layers = keras.layers
    model = keras.Sequential(name="vgg16")
    model.add(layers.Input(input_shape))
    for block, (filters, count) in enumerate(BLOCKS, start=1):
        for number in range(1, count + 1):
            name = f"block{block}_conv{number}"
            model.add(layers.Conv2D(filters, 3, padding="same", activation="relu", name=name))
        model.add(layers.MaxPooling2D(name=f"block{block}_pool"))
    with np.load(WEIGHTS, allow_pickle=False) as stored:
        for layer in model.layers:
            if layer.weights:
                kernel, bias = stored[f"{layer.name}/kernel"], stored[f"{layer.name}/bias"]
                layer.set_weights([kernel.astype(np.float32), bias.astype(np.float32)])
    return model
