"""kerascnn's own code is compiled as written, that of layers as Keras does."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from kerascnn import Network
from kerascnn.graph.compiled import compiled


def test_own_code_is_compiled_as_it_is_written():
    import tensorflow as tf

    seen = []

    def inner(values):
        seen.append(sys._getframe().f_code.co_filename)
        return 2 * values

    def outer(values):
        seen.append(sys._getframe().f_code.co_filename)
        return inner(values) + 1

    function = compiled(outer, input_signature=[tf.TensorSpec((None,))])
    assert list(function(tf.constant([1.0, 2.0]))) == [3, 5]
    assert list(function(tf.constant([3.0]))) == [7]
    assert seen == [__file__, __file__]  # traced once, and nothing of it rewritten


def test_methods_are_compiled():
    class Scale:
        by = 3

        def times(self, value):
            return value * self.by

    assert float(compiled(Scale().times, reduce_retracing=True)(2.0)) == 6


@pytest.fixture
def branching():
    """A Keras 2 network with a custom layer that tests whether a tensor is positive."""
    import tensorflow as tf
    import tf_keras

    class Branching(tf_keras.layers.Layer):
        def call(self, maps):
            if tf.reduce_mean(maps) > 0:
                return 2 * maps
            return maps - 1

    # The convolution sums three pixels, so the sign of the picture decides.
    convolution = tf_keras.layers.Conv2D(1, (1, 3), kernel_initializer="ones")
    inputs = tf_keras.Input((4, 6, 1))
    maps = Branching(name="branching")(convolution(inputs))
    outputs = tf_keras.layers.GlobalAveragePooling2D()(maps)
    return Network(tf_keras.Model(inputs, outputs))


def test_a_layer_with_a_branch_takes_the_right_one(branching):
    ones = np.ones((1, 4, 6, 1), np.float32)
    assert branching.scores(ones).item() == 6
    assert branching.scores(-ones).item() == -4
    np.testing.assert_allclose(branching.gradients(ones, [0]).sum(), 6, rtol=1e-6)
    np.testing.assert_allclose(branching.gradients(-ones, [0]).sum(), 3, rtol=1e-6)


def test_inside_any_function_the_network_is_run_as_written(branching):
    import tensorflow as tf

    function = tf.function(lambda pictures: branching.trace(pictures, scores=True)[0])
    converted = []
    with pytest.MonkeyPatch.context() as patched:
        from tensorflow.python.autograph.impl import api

        convert = api._convert_actual
        patched.setattr(api, "_convert_actual", lambda f, c: converted.append(f) or convert(f, c))
        assert float(function(tf.ones((1, 4, 6, 1)))[0, 0]) == 6
    ours = [f for f in converted if getattr(f, "__module__", "").startswith("kerascnn")]
    assert converted, "the layer's branch is rewritten"
    assert not ours, ours


def test_a_layer_with_a_branch_can_be_maximised_and_dreamt_of(branching):
    from kerascnn.ascent import Dreamer, maximise, strength, units

    start = np.full((1, 4, 6, 1), 0.5, np.float32)
    found = maximise(branching, units("branching", [0]), start, steps=5)
    assert found.history[-1] > found.history[0]
    dream = Dreamer(branching, strength("branching")).dream(start, octaves=1, steps=3)
    assert dream.history[0][-1] > dream.history[0][0]
