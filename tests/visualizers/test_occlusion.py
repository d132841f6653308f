"""Occlusion against loops, and against what is known of small networks."""

from __future__ import annotations

import numpy as np
import pytest

from kerascnn import ModelError, Network, Unit, UsageError
from kerascnn_plugins.occlusion import Occlusion

SIDE = 12


def brightness(keras, where, channels=1, activation="softmax"):
    """Build a network whose first class is how bright one part of the picture is."""
    layers = keras.layers
    inputs = keras.Input((SIDE, SIDE, channels))
    outputs = layers.Dense(2, activation=activation, name="head")(layers.Flatten()(inputs))
    model = keras.Model(inputs, outputs)
    weights = np.zeros((SIDE, SIDE, channels, 2))
    weights[where] = [1.0, 0.0]
    model.set_weights([weights.reshape(-1, 2), np.array([0.0, 8.0])])
    return model


@pytest.fixture(scope="module")
def corner(keras):
    return Network(brightness(keras, np.s_[-4:, -4:]))


def white(channels=1):
    return np.ones((1, SIDE, SIDE, channels), np.float32)


def loop(network, image, fill, patch, stride, target=0, probability=True):
    """Return the map, position by position, one picture at a time."""
    places = sorted({*range(0, SIDE - patch + 1, stride), SIDE - patch})
    total, count = np.zeros((SIDE, SIDE)), np.zeros((SIDE, SIDE))
    for top in places:
        for left in places:
            hidden = image.copy()
            hidden[top : top + patch, left : left + patch] = fill
            ask = network.probabilities if probability else network.scores
            total[top : top + patch, left : left + patch] += ask(hidden[None])[0, target]
            count[top : top + patch, left : left + patch] += 1
    assert count.min() > 0
    return total / count


@pytest.mark.parametrize(("patch", "stride"), [(4, 4), (5, 2), (12, 12), (1, 1), (7, 7)])
def test_the_map_is_the_mean_over_the_patches_that_cover_a_pixel(corner, patch, stride):
    image = np.random.default_rng(0).random((SIDE, SIDE, 1)).astype(np.float32)
    found = Occlusion(patch=patch, stride=stride).visualize(corner, image[None], np.array([0]))
    expected = loop(corner, image, 0.5, patch, stride)
    np.testing.assert_allclose(found.values[0], expected, rtol=1e-4)
    assert found.values.shape == (1, SIDE, SIDE)


def test_colours_end_at_the_highest_probability_where_the_model_is_unsure(corner):
    for target, most in ((0, 1.0), (1, None)):
        found = Occlusion(patch=1, stride=1, fill="black").visualize(
            corner, white(), np.array([target])
        )
        assert found.ends == (0.0, found.values.max() if most is None else most)


def test_low_where_what_counts_is_hidden(corner):
    found = Occlusion(patch=4, stride=4, fill="black").visualize(corner, white(), np.array([0]))
    # 16 bright pixels against an offset of 8: lost exactly where the corner is hidden.
    values = found.values[0]
    assert values[-4:, -4:].max() < 0.01
    assert values[:-4].min() > 0.99
    assert values[:, :-4].min() > 0.99
    assert found.low_is_notable
    assert found.ends == (0.0, 1.0)
    facts = found.facts["pictures"][0]
    assert facts["lowest_box"] == [8, 8, 12, 12]
    assert facts["plain"] == pytest.approx(1 / (1 + np.exp(-8)), rel=1e-5)
    assert "then 1" in found.captions[0]


def test_edges_are_covered_where_the_stride_does_not_fit(corner):
    found = Occlusion(patch=5, stride=5, fill="black").visualize(corner, white(), np.array([0]))
    assert found.values[0, -1, -1] < 0.01
    assert np.isfinite(found.values).all()


def test_logits(corner):
    image = np.random.default_rng(0).random((SIDE, SIDE, 1)).astype(np.float32)
    options = Occlusion(patch=4, stride=3, score="logit", fill="black")
    found = options.visualize(corner, image[None], np.array([0]))
    expected = loop(corner, image, 0.0, 4, 3, probability=False)
    np.testing.assert_allclose(found.values[0], expected, rtol=1e-4)
    assert found.ends is None


@pytest.mark.parametrize("mode", ["unit", "raw", "symmetric", "caffe", "torch"])
@pytest.mark.parametrize("fill", ["grey", "black", "mean", "blur", "number"])
def test_fills_are_in_the_inputs_own_contract(mode, fill):
    """Trap: 127.5 on pictures in [0, 1]."""
    import tf_keras
    from scipy import ndimage

    network = Network(brightness(tf_keras, np.s_[-4:, -4:], 3), preprocessing=mode)
    seen = []
    image = network.input.encode(np.random.default_rng(0).random((1, SIDE, SIDE, 3)))

    def spy(image, fill, boxes, unit=None):
        seen.append(np.broadcast_to(fill, image.shape))
        return type(network).patched_scores(network, image, fill, boxes, unit=unit)

    network.patched_scores = spy
    number = float(network.input.low.max() + 0.25)
    text = f"{number:.3f}" if fill == "number" else fill
    Occlusion(fill=text).visualize(network, image, np.array([0]))
    shown = network.input.decode(seen[0])
    if fill == "grey":
        np.testing.assert_allclose(shown, 0.5, atol=1e-5)
    elif fill == "black":
        np.testing.assert_allclose(shown, 0.0, atol=1e-5)
    elif fill == "mean":
        np.testing.assert_allclose(seen[0][0, 0], image[0].mean(axis=(0, 1)), rtol=1e-4, atol=1e-4)
    elif fill == "number":
        np.testing.assert_allclose(seen[0], number, atol=1e-2)
    else:
        # Each colour by itself.
        for channel in range(3):
            plane = ndimage.gaussian_filter(image[0, ..., channel], 3, mode="nearest")
            np.testing.assert_allclose(seen[0][..., channel], plane, rtol=1e-3, atol=1e-3)


def test_defaults_suit_the_size_of_the_picture(corner):
    found = Occlusion().visualize(corner, white(), np.array([0]))
    assert (found.facts["patch"], found.facts["stride"]) == (6, 3)


def test_several_pictures_each_with_its_own_class(corner):
    images = np.random.default_rng(0).random((3, SIDE, SIDE, 1)).astype(np.float32)
    target = np.array([0, 1, 0])
    together = Occlusion(patch=6).visualize(corner, images, target)
    for row in range(3):
        alone = Occlusion(patch=6).visualize(corner, images[row : row + 1], target[row : row + 1])
        np.testing.assert_allclose(together.values[row], alone.values[0], rtol=1e-5)


def test_units_as_targets(keras):
    inputs = keras.Input((SIDE, SIDE, 1))
    x = keras.layers.Conv2D(2, 3, name="conv")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(x)))
    network = Network(model)
    image = np.random.default_rng(0).random((1, SIDE, SIDE, 1)).astype(np.float32)
    found = Occlusion(patch=12).visualize(network, image, Unit("conv", 1))
    expected = network.activations(np.full_like(image, 0.5), "conv")[..., 1].sum()
    np.testing.assert_allclose(found.values, expected, rtol=1e-4)
    assert found.facts["score"] == "activation"
    with pytest.raises(UsageError, match="the activation is measured"):
        Occlusion(score="logit").visualize(network, image, Unit("conv", 1))


def test_a_single_sigmoid_unit_falls_too(keras):
    """Trap: a softmax over one output is always 1."""
    inputs = keras.Input((SIDE, SIDE, 1))
    x = keras.layers.Flatten()(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
    model.set_weights([np.full((SIDE * SIDE, 1), 0.05), np.array([-5.0])])
    network = Network(model)
    yes = Occlusion(patch=6, fill="black").visualize(network, white(), np.array([1]))
    no = Occlusion(patch=6, fill="black").visualize(network, white(), np.array([0]))
    np.testing.assert_allclose(yes.values, 1 - no.values, atol=1e-5)
    assert yes.values.max() < yes.facts["pictures"][0]["plain"] - 0.1


def test_a_model_without_probabilities(keras):
    network = Network(brightness(keras, np.s_[-4:, -4:], activation=None))
    found = Occlusion().visualize(network, white(), np.array([0]))
    assert found.facts["score"] == "logit"
    with pytest.raises(UsageError, match="returns no probabilities"):
        Occlusion(score="probability").visualize(network, white(), np.array([0]))


def test_a_headless_network(keras):
    inputs = keras.Input((SIDE, SIDE, 1))
    network = Network(keras.Model(inputs, keras.layers.Conv2D(3, 3, name="conv")(inputs)))
    image = np.random.default_rng(0).random((1, SIDE, SIDE, 1)).astype(np.float32)
    found = Occlusion(patch=4).visualize(network, image, network.scores(image).argmax(axis=-1))
    assert found.facts["score"] == "channel mean"
    assert np.ptp(found.values) > 0


def test_nothing_changes_is_said(corner):
    found = Occlusion(fill="1").visualize(corner, white(), np.array([0]))
    assert any("hardly changes" in note for note in found.notes)
    assert any("the patches change nothing" in note for note in found.notes)
    many = Occlusion(fill="1").visualize(corner, np.repeat(white(), 5, 0), np.zeros(5, int))
    (said,) = [note for note in many.notes if "hardly changes" in note]
    assert said.startswith("picture 0, and 4 more: ")


def test_how_it_was_computed_is_told(keras):
    layers = keras.layers
    inputs = keras.Input((128, 128, 3))
    x = inputs
    for filters in (64, 128, 128):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D(8)(x)
    network = Network(keras.Model(inputs, layers.Dense(2)(layers.Flatten(name="flat")(x))))
    image = np.random.default_rng(0).random((1, 128, 128, 3)).astype(np.float32)
    found = Occlusion(patch=16, stride=16).visualize(network, image, np.array([0]))
    how = found.facts["pictures"][0]
    assert how["incremental"]
    assert 0 < how["work"] < 0.3
    assert next(iter(how["whole_maps_from"])) == "flat"
    assert any("only what a patch changes was computed" in note for note in found.notes)
    assert any("whole maps from flat on" in note for note in found.notes)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"patch": 13}, r"--patch must be at most the picture's 12 pixels.*Received: 13"),
        ({"patch": 4, "stride": 5}, r"--stride must be at most --patch \(4\).*Received: 5"),
        ({"fill": "127.5"}, r"a number from 0 to 1.*Received: '127.5'"),
        ({"fill": "blue"}, r"grey, black, mean, blur.*Received: 'blue'"),
        ({"fill": "nan"}, r"Received: 'nan'"),
    ],
)
def test_wrong_options(corner, options, words):
    with pytest.raises(UsageError, match=words):
        Occlusion(**options).visualize(corner, white(), np.array([0]))


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "many"])
def test_wrong_patches_are_refused_before_anything_is_loaded(text):
    with pytest.raises(UsageError, match="--patch takes a whole number"):
        Occlusion.parse({"patch": text})


def test_nan_weights_are_named(keras):
    model = brightness(keras, np.s_[-4:, -4:])
    kernel, bias = model.get_weights()
    kernel[0, 0] = np.nan
    model.set_weights([kernel, bias])
    network = Network(model)
    with pytest.raises(ModelError, match="layer 'head' has weights that are NaN"):
        Occlusion().visualize(network, white(), np.array([0]))


def test_the_lectures_network(lecture_models):
    network = Network.load(lecture_models["cnn-as-written"])
    image = np.random.default_rng(0).random((28, 28, 1)).astype(np.float32)
    options = Occlusion(patch=7, stride=7, score="logit")
    found = options.visualize(network, image[None], np.array([3]))
    hidden = np.repeat(image[None], 16, axis=0)
    for index in range(16):
        top, left = index // 4 * 7, index % 4 * 7
        hidden[index, top : top + 7, left : left + 7] = 0.5
    expected = network.model.predict(
        hidden.transpose(0, 3, 1, 2), verbose=0
    )  # probabilities, of the model as its file has it
    scores = found.values[0, ::7, ::7].ravel()
    assert np.corrcoef(scores, np.log(expected[:, 3]))[0, 1] > 0.9
    np.testing.assert_allclose(scores, network.scores(hidden)[:, 3], rtol=1e-4, atol=1e-5)
