"""RISE finds where the score comes from, and its masks are what the paper says."""

import numpy as np
import pytest
from kerascnn_rise import Rise, _masks

from kerascnn import Network
from kerascnn.testing import check_visualizer, families


def test_it_keeps_the_contract():
    check_visualizer(Rise(masks=60))


def test_masks_are_soft_and_as_bright_as_asked():
    masks = _masks(np.random.default_rng(0), 2000, 7, 0.3, (20, 31))
    assert masks.min() >= 0
    assert masks.max() <= 1 + 1e-12
    assert abs(masks.mean() - 0.3) < 0.01
    # Every pixel is as likely to be seen as any other.
    assert abs(masks.mean(axis=0) - 0.3).max() < 0.05
    assert abs(np.diff(masks, axis=1)).max() < 0.5


@pytest.mark.parametrize("family", families())
def test_it_finds_the_corner_that_the_score_comes_from(family):
    if family == "keras2":
        import tf_keras as keras
    else:
        import keras
    inputs = keras.Input((24, 24, 1))
    corner = keras.layers.Cropping2D(((0, 16), (16, 0)))(inputs)
    mean = keras.layers.GlobalAveragePooling2D()(corner)
    model = keras.Model(inputs, keras.layers.Dense(2, use_bias=False)(mean))
    model.set_weights([np.array([[1.0, -1.0]])])
    network = Network(model, preprocessing="unit")
    images = np.ones((1, 24, 24, 1), np.float32)
    values = Rise(masks=400).visualize(network, images, np.array([0])).values[0]
    row, column = np.unravel_index(values.argmax(), values.shape)
    assert row < 8
    assert column >= 16
    elsewhere = np.ones((24, 24), bool)
    elsewhere[:12, 12:] = False
    assert values[:8, 16:].mean() > 5 * abs(values[elsewhere]).mean()
