"""The activations plugin: what each filter gives, with the filter that gave it."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.figures import is_drawn
from kerascnn import Maps, ModelError, Network, UsageError
from kerascnn.plugin.registry import Registry
from kerascnn.render import draw, to_png

Activations = Registry().discover().get("activations").visualizer
DRAW = np.random.default_rng(0)


@pytest.fixture(scope="module")
def network(keras):
    layers = keras.layers
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(6, 3, name="one", activation="relu"),
            layers.MaxPooling2D(name="pool"),
            layers.Conv2D(8, 3, name="two"),
            layers.Flatten(name="flat"),
            layers.Dense(5, activation="softmax", name="out"),
        ]
    )
    return Network(model, labels=["a", "b", "c", "d", "e"])


def pictures(count, network):
    return DRAW.random((count, *network.input.shape)).astype(np.float32)


def close(one, other):
    # How many pictures go at once changes the last bit.
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def show(network, images, **options):
    images.setflags(write=False)
    result = Activations(**options).visualize(network, images, None)
    assert isinstance(result, Maps)
    assert is_drawn(to_png(draw(result, network.input.decode)))
    return result


def test_the_first_and_last_convolution_by_default(network):
    images = pictures(2, network)
    result = show(network, images)
    assert [layer.layer for layer in result.layers] == ["one", "two"]
    assert any("first and the last convolution" in note for note in result.notes)
    for layer in result.layers:
        close(layer.values, network.activations(images, layer.layer))
        assert layer.channels == list(range(layer.values.shape[-1]))
    np.testing.assert_array_equal(
        result.layers[0].kernels, network.weights("one").transpose(3, 0, 1, 2)
    )
    assert result.layers[1].kernels is None  # its inputs are no pixels


def test_a_filter_by_hand_gives_the_lectures_numbers(keras):
    # The lecture's picture and its two filters: 3, −1, −3, −1 … and −1, −1 ….
    rows = ["100001", "010010", "001100", "100010", "010010", "001010"]
    picture = np.array([[int(digit) for digit in row] for row in rows], np.float32)
    model = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Conv2D(2, 3, use_bias=False)])
    diagonal = 2 * np.eye(3) - 1
    middle = np.array([[-1, 1, -1]] * 3)
    model.set_weights([np.stack([diagonal, middle], -1)[:, :, None]])
    result = show(Network(model), picture[None, ..., None])
    np.testing.assert_allclose(result.layers[0].values[0, 0, :, 0], [3, -1, -3, -1], atol=1e-5)
    assert result.layers[0].values[0, 3, 0, 0] == pytest.approx(3)
    assert result.layers[0].values[0, 0, 0, 1] == pytest.approx(-1)


def test_the_strongest_maps_first(network):
    images = pictures(3, network)
    result = show(network, images, layer=("two",), order="strongest", count=3)
    whole = network.activations(images, "two")
    wanted = [int(i) for i in np.argsort(-whole.mean(axis=(0, 1, 2)), kind="stable")[:3]]
    assert result.layers[0].channels == wanted
    close(result.layers[0].values, whole[..., wanted])
    assert "two: 3 of 8 maps are shown (--count)" in result.notes
    one = show(network, images, layer=("one",), order="strongest", count=2).layers[0]
    np.testing.assert_array_equal(
        one.kernels, network.weights("one").transpose(3, 0, 1, 2)[one.channels]
    )


def test_layers_by_name_glob_and_kind(network):
    result = show(network, pictures(1, network), layer=("p*", "first-conv", "out", "flat"))
    assert [layer.layer for layer in result.layers] == ["one", "pool", "flat", "out"]
    assert result.layers[1].values.ndim == 4
    assert result.layers[2].values.shape == (1, 3 * 3 * 8)
    out = result.layers[3]
    assert out.names == ["a", "b", "c", "d", "e"]
    assert out.values.sum() == pytest.approx(1)


def test_many_pictures_are_taken_part_by_part(network, monkeypatch):
    import kerascnn_plugins.activations as module

    images = pictures(5, network)
    whole = show(network, images)
    monkeypatch.setattr(module, "_AT_ONCE", 6000)
    parts = show(network, images)
    for one, other in zip(whole.layers, parts.layers, strict=True):
        close(one.values, other.values)


def test_a_network_without_convolutions_shows_its_dense_layers(keras):
    model = keras.Sequential(
        [keras.Input((784,)), keras.layers.Dense(70, "relu"), keras.layers.Dense(10, "softmax")]
    )
    network = Network(model)
    result = show(network, pictures(2, network), scale="shared")
    assert [layer.values.shape for layer in result.layers] == [(2, 70), (2, 10)]
    assert any("no convolution" in note for note in result.notes)


def test_kernels_of_a_blue_first_model_are_turned(keras):
    model = keras.Sequential([keras.Input((9, 9, 3)), keras.layers.Conv2D(4, 3)])
    network = Network(model, preprocessing="caffe")
    result = show(network, pictures(1, network))
    wanted = network.weights(network.layers[0])[:, :, ::-1].transpose(3, 0, 1, 2)
    np.testing.assert_array_equal(result.layers[0].kernels, wanted)
    assert result.layers[0].colour


def test_blank_maps_are_said(keras):
    model = keras.Sequential([keras.Input((9, 9, 1)), keras.layers.Conv2D(2, 3, name="dead")])
    model.set_weights([np.zeros((3, 3, 1, 2)), np.zeros(2)])
    network = Network(model)
    result = show(network, pictures(1, network))
    assert any("dead returns zero everywhere" in note for note in result.notes)


def test_numbers_that_are_not_finite_are_told(keras):
    model = keras.Sequential([keras.Input((9, 9, 1)), keras.layers.Conv2D(2, 3, name="bad")])
    model.set_weights([np.full((3, 3, 1, 2), np.nan), np.zeros(2)])
    network = Network(model)
    with pytest.raises(ModelError, match="layer 'bad' has weights that are NaN or infinite"):
        show(network, pictures(1, network))


def test_an_unknown_layer_gets_the_nearest(network):
    with pytest.raises(UsageError, match="no layer 'onee'; did you mean one"):
        show(network, pictures(1, network), layer=("onee",))
