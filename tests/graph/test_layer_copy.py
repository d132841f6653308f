"""Copies of live layers: another attribute, the same weights."""

from __future__ import annotations

import numpy as np

from kerascnn.graph.layer_copy import copy_with


def test_a_copy_differs_in_the_attribute_alone(keras):
    layer = keras.layers.Conv2D(2, 3, padding="same", activation="relu")
    images = np.random.default_rng(0).random((1, 6, 6, 1), np.float32) - 0.5
    before = np.asarray(layer(images))
    copied = copy_with(layer, activation=None, padding="valid")
    bare = np.asarray(copied(images))
    np.testing.assert_allclose(np.maximum(bare, 0), before[:, 1:-1, 1:-1], rtol=1e-5, atol=1e-6)
    assert (bare < 0).any()
    assert layer.padding == "same"
    assert layer.activation is keras.activations.relu
    np.testing.assert_array_equal(np.asarray(layer(images)), before)


def test_a_copy_computes_with_the_weights_of_the_moment(keras):
    layer = keras.layers.Dense(2, activation="softmax")
    values = np.ones((1, 3), np.float32)
    layer(values)
    copied = copy_with(layer, activation=None)
    layer.set_weights([np.full((3, 2), 2.0), np.array([1.0, -1.0])])
    np.testing.assert_array_equal(np.asarray(copied(values)), [[7, 5]])
