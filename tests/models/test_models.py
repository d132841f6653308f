"""The lecture's networks: sizes, shapes, seeds."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from kerascnn import models

DENSE = [(1250,), (100,), (10,)]
BUILDERS = [models.dnn, models.cnn, models.cnn_as_written]


def dense(*sizes):
    """Parameters of fully connected layers, one after the other."""
    return sum(a * b + b for a, b in itertools.pairwise(sizes))


def convolution(channels, filters):
    return (3 * 3 * channels + 1) * filters


@pytest.mark.parametrize(
    ("build", "parameters", "by_hand"),
    [
        (models.dnn, 898_510, dense(784, 500, 500, 500, 10)),
        (models.cnn, 137_660, convolution(1, 25) + convolution(25, 50) + dense(1250, 100, 10)),
        # The second convolution takes the 26 columns for channels.
        (
            models.cnn_as_written,
            138_110,
            convolution(1, 25) + convolution(26, 50) + dense(1250, 100, 10),
        ),
    ],
)
def test_parameters(build, parameters, by_hand):
    model = build(0)
    assert parameters == by_hand == model.count_params()
    assert parameters == sum(math.prod(weights.shape) for weights in model.get_weights())


@pytest.mark.parametrize(
    ("build", "shapes"),
    [
        (models.dnn, [(784,), (500,), (500,), (500,), (10,)]),
        (
            models.cnn,
            [(28, 28, 1), (26, 26, 25), (13, 13, 25), (11, 11, 50), (5, 5, 50), *DENSE],
        ),
        (
            models.cnn_as_written,
            [(1, 28, 28), (25, 26, 26), (12, 13, 26), (10, 11, 50), (5, 5, 50), *DENSE],
        ),
    ],
)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_shapes_whatever_keras_json_says(build, shapes, data_format):
    import tf_keras

    before = tf_keras.backend.image_data_format()
    tf_keras.backend.set_image_data_format(data_format)
    try:
        model = build(0)
    finally:
        tf_keras.backend.set_image_data_format(before)
    assert [model.input_shape, *(layer.output_shape for layer in model.layers)] == [
        (None, *shape) for shape in shapes
    ]


def test_only_the_listings_first_convolution_has_the_channels_first():
    formats = [layer.data_format for layer in models.cnn_as_written().layers[:5]]
    assert formats == ["channels_first"] + 4 * ["channels_last"]
    assert {layer.data_format for layer in models.cnn().layers[:5]} == {"channels_last"}


@pytest.mark.parametrize("build", BUILDERS)
def test_the_seed_decides_the_weights(build):
    import tensorflow as tf

    first = build(3).get_weights()
    tf.random.set_seed(99)  # the global seed does not
    again, other = build(3).get_weights(), build(4).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    kernels = [k for k, weights in enumerate(first) if weights.ndim > 1]
    assert all(not np.array_equal(first[k], other[k]) for k in kernels)
    without = [build().get_weights()[0] for _ in range(2)]
    assert not np.array_equal(*without)


def test_layers_of_one_shape_begin_with_different_weights():
    weights = models.dnn(0).get_weights()
    assert weights[2].shape == weights[4].shape
    assert abs(np.corrcoef(weights[2].ravel(), weights[4].ravel())[0, 1]) < 0.02


def test_weights_are_glorot_uniform():
    kernel = models.dnn(0).get_weights()[0]
    limit = math.sqrt(6 / (784 + 500))
    assert np.abs(kernel).max() <= limit
    assert np.isclose(kernel.std(), limit / math.sqrt(3), rtol=0.01)


@pytest.mark.parametrize("build", BUILDERS)
def test_names_do_not_depend_on_what_was_built_before(build):
    names = [[layer.name for layer in build().layers] for _ in range(2)]
    assert names[0] == names[1]
    assert len(set(names[0])) == len(names[0])


def test_activations_are_the_lectures():
    activations = [layer.activation.__name__ for layer in models.dnn().layers]
    assert activations == ["relu", "relu", "relu", "softmax"]
    layers = models.cnn().layers
    found = [layer.activation.__name__ for layer in layers if hasattr(layer, "activation")]
    assert found == ["linear", "linear", "relu", "softmax"]
