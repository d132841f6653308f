"""Winograd's convolution, against the sum over the kernel in double precision."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.style_oracle import convolved
from kerascnn.style.features import Features, load_kernels
from kerascnn.style.winograd import Convolution, Grid


def summed(maps, kernel):
    return convolved(maps.astype(np.float64), kernel.astype(np.float64))


def there_and_back(kernel, maps, slope):
    import tensorflow as tf

    values = tf.constant(maps[None])
    convolution = Convolution(kernel)
    with tf.GradientTape() as tape:
        tape.watch(values)
        found = convolution(values, Grid.of(values))
        loss = tf.reduce_sum(found * slope)
    return found.numpy()[0], tape.gradient(loss, values).numpy()[0]


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 14),
    width=st.integers(1, 14),
    inputs=st.integers(1, 5),
    filters=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_maps_and_slope_are_those_of_the_sum(height, width, inputs, filters, seed):
    random = np.random.default_rng(seed)
    kernel = random.normal(size=(3, 3, inputs, filters)).astype(np.float32)
    maps = random.normal(size=(height, width, inputs)).astype(np.float32)
    slope = random.normal(size=(height, width, filters)).astype(np.float32)
    found, back = there_and_back(kernel, maps, slope)
    # The way back is the convolution with the kernel turned around, its channels exchanged.
    turned = kernel[::-1, ::-1].transpose(0, 1, 3, 2)
    np.testing.assert_allclose(found, summed(maps, kernel), atol=1e-4)
    np.testing.assert_allclose(back, summed(slope, turned), atol=1e-4)


def test_with_many_channels_it_rounds_little():
    """As the module says: 1e-6 of a map's spread, a few times what the direct sum rounds."""
    random = np.random.default_rng(0)
    kernel = random.normal(0, (9 * 512) ** -0.5, (3, 3, 512, 64)).astype(np.float32)
    maps = np.maximum(random.normal(size=(33, 34, 512)), 0.0).astype(np.float32)
    slope = random.normal(size=(33, 34, 64)).astype(np.float32)
    found, back = there_and_back(kernel, maps, slope)
    turned = kernel[::-1, ::-1].transpose(0, 1, 3, 2)
    for ours, exact in ((found, summed(maps, kernel)), (back, summed(slope, turned))):
        assert np.sqrt(np.mean((ours - exact) ** 2)) < 3e-6 * exact.std()
        assert np.abs(ours - exact).max() < 4e-5 * exact.std()


@pytest.fixture(scope="module")
def vgg():
    return load_kernels("vgg16", "embedded")


def test_the_network_says_the_same_with_and_without(vgg):
    import tensorflow as tf

    random = np.random.default_rng(1)
    picture = random.uniform(-120, 130, (1, 75, 98, 3)).astype(np.float32)
    names = ["block3_conv1", "block4_conv2", "block5_conv1", "block5_conv3"]
    fewer, direct = (
        Features(vgg, pooling="average", padding="replicate", winograd=winograd)
        for winograd in (True, False)
    )
    found, exact = fewer.trace(tf.constant(picture), names), direct.trace(picture, names)
    for name in names:
        assert not np.array_equal(found[name], exact[name])  # it is another way indeed
        apart = np.abs(found[name] - exact[name]).max()
        assert apart < 2e-4 * np.std(exact[name]), name
