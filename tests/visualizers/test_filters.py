"""The filters plugin: the very weights, in the order asked for, of every kind of convolution."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.figures import is_drawn
from kerascnn import ModelError, Network, UsageError
from kerascnn.plugin.registry import Registry
from kerascnn.render import draw, to_png

Filters = Registry().discover().get("filters").visualizer


def network_of(keras, size, *layers, **options):
    model = keras.Sequential([keras.Input(size), *layers])
    draw_ = np.random.default_rng(1)
    model.set_weights([draw_.normal(size=w.shape) for w in model.get_weights()])
    return Network(model, **options)


def show(network, **options):
    result = Filters(**options).visualize(network, None, None)
    assert is_drawn(to_png(draw(result, network.input.decode)))
    return result


def test_grey_kernels_are_the_weights(keras):
    network = network_of(keras, (8, 8, 1), keras.layers.Conv2D(5, (2, 3)))
    result = show(network)
    kernel = np.asarray(network.model.layers[-1].kernel)
    np.testing.assert_array_equal(result.values, kernel.transpose(3, 0, 1, 2))
    assert result.captions == ["0", "1", "2", "3", "4"]
    assert result.title.endswith(": 5 filters 2×3×1")
    assert not result.colour
    assert result.notes == []


def test_colours_are_red_green_blue_whatever_the_model_takes(keras):
    for preprocessing, order in (("unit", slice(None)), ("caffe", slice(None, None, -1))):
        network = network_of(
            keras, (32, 32, 3), keras.layers.Conv2D(96, 11, 4), preprocessing=preprocessing
        )
        result = show(network, count=96)
        kernel = np.asarray(network.model.layers[-1].kernel)[:, :, order]
        assert result.colour
        assert result.values.shape == (96, 11, 11, 3)
        np.testing.assert_array_equal(result.values, kernel.transpose(3, 0, 1, 2))


def test_norms_sort_the_strongest_first(keras):
    network = network_of(keras, (8, 8, 1), keras.layers.Conv2D(7, 3))
    result = show(network, order="norm", count=3)
    norms = np.linalg.norm(np.asarray(network.model.layers[-1].kernel).reshape(9, 7), axis=0)
    wanted = sorted(range(7), key=lambda index: -norms[index])[:3]
    assert result.facts["filters"] == wanted
    assert result.captions == [str(index) for index in wanted]
    np.testing.assert_allclose(result.facts["norms"], norms[wanted], rtol=1e-6)
    assert "3 of 7 filters are shown (--count)" in result.notes


def test_deeper_layers_come_in_slices_with_the_lectures_caveat(keras):
    convolutions = [keras.layers.Conv2D(12, 3), keras.layers.Conv2D(4, 3)]
    network = network_of(keras, (8, 8, 1), *convolutions)
    result = show(network, layer="last-conv", slices=5)
    kernel = np.asarray(network.model.layers[-1].kernel)
    np.testing.assert_array_equal(result.values, kernel.transpose(3, 0, 1, 2)[..., :5])
    assert result.title.endswith("4 filters 3×3×12")
    assert any("first 5 of the 12 slices" in note for note in result.notes)
    assert any("not pixels but the maps" in note for note in result.notes)


def test_three_maps_are_no_colours(keras):
    network = network_of(keras, (8, 8, 1), keras.layers.Conv2D(3, 3), keras.layers.Conv2D(2, 3))
    result = show(network, layer="last-conv")
    assert result.values.shape == (2, 3, 3, 3)
    assert not result.colour


def test_other_kinds_of_convolution(keras):
    layers = keras.layers
    for layer, shape in [
        (layers.DepthwiseConv2D(3, depth_multiplier=2), (6, 3, 3, 1)),
        (layers.SeparableConv2D(5, 3), (3, 3, 3, 1)),
        (layers.Conv2DTranspose(4, 2), (4, 2, 2, 3)),
    ]:
        network = network_of(keras, (8, 8, 3), layer)
        result = show(network)
        assert result.values.shape == shape
        if shape[0] == 4:
            stored = np.asarray(network.model.layers[-1].kernel)  # h × w × out × in
            np.testing.assert_array_equal(result.values, stored.transpose(2, 0, 1, 3))
        if shape[0] == 6:
            stored = np.asarray(network.model.get_weights()[0])  # h × w × in × multiplier
            np.testing.assert_array_equal(result.values[3, ..., 0], stored[:, :, 1, 1])
        assert any("mixes" in note for note in result.notes) == (shape[0] == 3)


@pytest.mark.parametrize(
    ("size", "shape"), [((784,), (28, 28, 1)), ((28, 28), (28, 28, 1)), ((3072,), (32, 32, 3))]
)
def test_a_first_dense_layer_is_shown_as_pictures_of_the_input(keras, size, shape):
    layers = [keras.layers.Dense(6), keras.layers.Dense(3)]
    if len(size) > 1:
        layers.insert(0, keras.layers.Flatten())
    network = network_of(keras, size, *layers)
    result = show(network, count=4)
    assert result.values.shape == (4, *shape)
    assert result.colour == (shape[2] == 3)
    assert f"6 neurons {'×'.join(map(str, shape))}" in result.title
    # What a neuron gives for a picture is the sum of the picture times what is shown.
    picture = np.random.default_rng(0).random((1, *shape)).astype(np.float32)
    given = network.activations(picture, network.layers[-2])[0, :4]
    np.testing.assert_allclose((result.values * picture).sum(axis=(1, 2, 3)) + np.asarray(
        network.model.layers[-2].bias)[:4], given, rtol=1e-4, atol=1e-4)  # fmt: skip


def test_a_deeper_dense_layer_has_no_pictures(keras):
    network = network_of(keras, (784,), keras.layers.Dense(6), keras.layers.Dense(3))
    name = network.layers[-1].name
    with pytest.raises(UsageError, match=rf"--layer {name} \(Dense\) has no filters with height"):
        show(network, layer=name)


def test_wrong_layers_are_one_clear_line(keras):
    network = network_of(
        keras, (8, 8, 1), keras.layers.Conv2D(2, 3, name="one"),
        keras.layers.MaxPooling2D(name="pool"), keras.layers.Conv2D(2, 3, name="two"),
    )  # fmt: skip
    for options, kind, message in [
        ({"layer": "pool"}, ModelError, "pool"),
        ({"layer": "three"}, UsageError, "no layer 'three'"),
        ({"layer": "*"}, UsageError, "--layer takes one layer"),
    ]:
        with pytest.raises(kind, match=message) as caught:
            show(network, **options)
        assert "\n" not in str(caught.value)
    flat = network_of(keras, (8, 8, 1), keras.layers.MaxPooling2D(), keras.layers.Flatten())
    with pytest.raises((ModelError, UsageError), match="no convolution"):
        show(flat)


def test_weights_that_are_not_finite_are_told(keras):
    network = network_of(keras, (8, 8, 1), keras.layers.Conv2D(2, 3, name="bad"))
    weights = network.model.get_weights()
    weights[0][0, 0, 0, 1] = np.nan
    network.model.set_weights(weights)
    with pytest.raises(ModelError, match="layer 'bad' has weights that are NaN or infinite"):
        show(network)
