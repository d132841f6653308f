"""Saliency against gradients worked out by hand in float64, in both families."""

from __future__ import annotations

import numpy as np
import pytest

from kerascnn import ModelError, Network, Unit, UsageError, visualize
from kerascnn_plugins.saliency import Saliency

H, W, C, FILTERS, CLASSES = 6, 7, 2, 3, 4
METHODS = Saliency.model_fields["method"].annotation.__args__


class Oracle:
    """conv 3×3 (valid) → ReLU → global average → dense, and its derivatives, in float64."""

    def __init__(self):
        random = np.random.default_rng(0)
        self.kernel = random.standard_normal((3, 3, C, FILTERS))
        self.bias = random.standard_normal(FILTERS) * 0.1
        self.dense = random.standard_normal((FILTERS, CLASSES))
        self.offset = random.standard_normal(CLASSES)

    def maps(self, image):
        out = np.zeros((H - 2, W - 2, FILTERS))
        for y in range(H - 2):
            for x in range(W - 2):
                out[y, x] = np.tensordot(image[y : y + 3, x : x + 3], self.kernel, axes=3)
        return out + self.bias

    def scores(self, image):
        return np.maximum(self.maps(image), 0).mean(axis=(0, 1)) @ self.dense + self.offset

    def at_maps(self, target):
        """∂ score / ∂ (maps after the ReLU)."""
        each = self.dense[:, target] / ((H - 2) * (W - 2))
        return np.broadcast_to(each, (H - 2, W - 2, FILTERS))

    def back(self, upstream):
        """From ∂ score / ∂ (maps before the ReLU) to ∂ score / ∂ image."""
        out = np.zeros((H, W, C))
        for y in range(H - 2):
            for x in range(W - 2):
                out[y : y + 3, x : x + 3] += np.tensordot(self.kernel, upstream[y, x], axes=1)
        return out

    def gradient(self, image, target):
        return self.back(self.at_maps(target) * (self.maps(image) > 0))

    def guided(self, image, target):
        return self.back(np.maximum(self.at_maps(target), 0) * (self.maps(image) > 0))


@pytest.fixture(scope="module")
def oracle():
    return Oracle()


def build(keras, oracle, form):
    """The oracle's network, its ReLU in one of the forms that a ReLU can take."""
    layers = keras.layers
    inputs = keras.Input((H, W, C))
    inside = {"activation": "relu"} if form == "inside" else {}
    x = layers.Conv2D(FILTERS, 3, name="conv", **inside)(inputs)
    if form == "layer":
        x = layers.ReLU(name="relu")(x)
    elif form == "activation":
        x = layers.Activation("relu", name="relu")(x)
    elif form == "function":
        if keras.__name__ == "tf_keras":
            import tensorflow as tf

            x = tf.nn.relu(x)
        else:
            x = keras.ops.relu(x)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, layers.Dense(CLASSES, activation="softmax", name="head")(x))
    model.set_weights([oracle.kernel, oracle.bias, oracle.dense, oracle.offset])
    return Network(model)


@pytest.fixture(scope="module", params=["inside", "layer", "activation", "function"])
def relu(request, keras, oracle):
    return build(keras, oracle, request.param)


@pytest.fixture(scope="module")
def network(keras, oracle):
    return build(keras, oracle, "inside")


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).random((3, H, W, C)).astype(np.float32)


TARGET = np.array([1, 0, 3])


def close(found, expected, tolerance=1e-5):
    expected = np.asarray(expected)
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


def values(network, images, target=TARGET, **options):
    return Saliency(**options).visualize(network, images, target)


def test_the_score_is_the_logit(network, oracle, images):
    close(network.scores(images), [oracle.scores(image) for image in images])


def test_gradient(relu, oracle, images):
    expected = np.array([oracle.gradient(i, t) for i, t in zip(images, TARGET, strict=True)])
    close(relu.gradients(images, TARGET), expected)
    close(values(relu, images).values, abs(expected).max(axis=-1))
    signed = values(relu, images, signed=True)
    close(signed.values, expected.sum(axis=-1))
    assert signed.signed
    assert signed.values.min() < 0


def test_gradient_times_input(network, oracle, images):
    shares = [i * oracle.gradient(i, t) for i, t in zip(images, TARGET, strict=True)]
    expected = np.array(shares).sum(axis=-1)
    close(values(network, images, method="gradient-x-input", signed=True).values, expected)
    close(values(network, images, method="gradient-x-input").values, abs(expected))


def test_smoothgrad(network, oracle, images):
    random = np.random.default_rng(7)
    noise = random.standard_normal((40, H, W, C), np.float32) * 0.3
    # The plugin draws 32 at a time; the generator gives the same numbers in one go.
    expected = [
        np.mean([oracle.gradient(image + one, target) for one in noise.astype(float)], axis=0)
        for image, target in zip(images, TARGET, strict=True)
    ]
    options = {"method": "smoothgrad", "samples": 40, "sigma": 0.3, "seed": 7}
    found = values(network, images, **options)
    close(found.values, abs(np.array(expected)).max(axis=-1), 1e-4)
    alone = values(network, images[1:2], TARGET[1:2], **options)
    np.testing.assert_allclose(alone.values[0], found.values[1], rtol=1e-5)
    plain = values(network, images)
    assert np.abs(found.values - plain.values).max() > 0.01 * plain.values.max()


def test_smoothgrads_noise_is_in_the_inputs_own_range(keras, oracle, images):
    """Trap: σ = 0.15 on values from 0 to 255 is no noise at all."""
    seen = []

    class Probe:
        input = Network(build(keras, oracle, "inside").model, preprocessing="raw").input

        def gradients(self, noisy, target):
            seen.append(noisy)
            return np.ones_like(noisy)

    values(Probe(), images * 255, method="smoothgrad", samples=200)
    deviation = np.std(seen[0] - images[0] * 255)
    assert 0.14 * 255 < deviation < 0.16 * 255


@pytest.mark.parametrize("baseline", ["black", "grey", "white", "mean"])
def test_integrated_gradients(network, oracle, images, baseline):
    found = values(
        network, images, method="integrated-gradients", baseline=baseline, signed=True, steps=100
    )
    for row, (image, target) in enumerate(zip(images, TARGET, strict=True)):
        level = {"black": 0.0, "grey": 0.5, "white": 1.0}.get(baseline)
        start = np.full(image.shape, level) if level is not None else image.mean(axis=(0, 1))
        start = np.broadcast_to(start, image.shape)
        difference = oracle.scores(image)[target] - oracle.scores(start)[target]
        assert abs(found.values[row].sum() - difference) < 0.01 * abs(difference)
        # A Riemann sum of 4,000 points, in float64.
        points = (np.arange(4000) + 0.5) / 4000
        mean = np.mean(
            [oracle.gradient(start + p * (image - start), target) for p in points[::20]], axis=0
        )
        close(found.values[row], ((image - start) * mean).sum(axis=-1), 0.03)
    assert max(found.facts["completeness_error"]) < 0.01
    assert "completeness" in found.notes[0]


def test_integrated_gradients_take_more_steps_until_complete(network, images):
    found = values(network, images, method="integrated-gradients", steps=2)
    assert max(found.facts["steps"]) > 2
    assert np.all(
        (np.array(found.facts["completeness_error"]) < 0.01) | (np.array(found.facts["steps"]) > 16)
    )


def test_guided_backpropagation_in_every_form_of_relu(relu, oracle, images):
    expected = np.array([oracle.guided(i, t) for i, t in zip(images, TARGET, strict=True)])
    plain = np.array([oracle.gradient(i, t) for i, t in zip(images, TARGET, strict=True)])
    assert np.abs(expected - plain).max() > 0.1 * np.abs(plain).max()
    close(values(relu, images, method="guided-backprop").values, abs(expected).max(axis=-1))
    # The network itself is left as it was.
    close(relu.gradients(images, TARGET), plain)


@pytest.mark.parametrize("kind", ["SeparableConv2D", "Dense", "ReLU6"])
def test_guided_backpropagation_finds_relus_elsewhere(keras, kind):
    layers = keras.layers
    inputs = keras.Input((5, 5, 2))
    if kind == "Dense":
        x = layers.Dense(4, activation="relu")(inputs)
    elif kind == "ReLU6":
        x = layers.ReLU(6.0)(layers.Conv2D(4, 3)(inputs))
    else:
        x = layers.SeparableConv2D(4, 3, activation="relu")(inputs)
    x = layers.Dense(3)(layers.Flatten()(x))
    network = Network(keras.Model(inputs, x))
    assert len(network.rectifiers()) == 1
    image = np.random.default_rng(0).random((1, 5, 5, 2)).astype(np.float32)
    plain, guided = network.gradients(image, 0), network.gradients(image, 0, guided=True)
    assert np.abs(plain - guided).max() > 1e-4


def test_guided_backpropagation_without_a_relu_says_so(keras):
    inputs = keras.Input((5, 5, 1))
    x = keras.layers.Dense(2)(keras.layers.Flatten()(keras.layers.Conv2D(2, 3)(inputs)))
    network = Network(keras.Model(inputs, x))
    with pytest.raises(ModelError, match=r"there is none.*plain gradient"):
        values(network, np.ones((1, 5, 5, 1)), np.array([0]), method="guided-backprop")


@pytest.mark.parametrize("signed", [False, True])
def test_grad_cam(network, oracle, images, signed):
    expected = []
    for image, target in zip(images, TARGET, strict=True):
        maps = np.maximum(oracle.maps(image), 0)
        weights = oracle.at_maps(target).mean(axis=(0, 1))
        cam = maps @ weights
        expected.append(cam if signed else np.maximum(cam, 0))
    found = values(network, images, method="grad-cam", signed=signed)
    close(found.values, expected)
    assert found.facts["layer"] == "conv"
    assert "last convolution" in found.notes[0]


def test_grad_cam_plus_plus(network, oracle, images):
    expected = []
    for image, target in zip(images, TARGET, strict=True):
        maps, slope = np.maximum(oracle.maps(image), 0), oracle.at_maps(target)
        alpha = np.zeros_like(slope)
        for k in range(FILTERS):
            g = slope[..., k]
            alpha[..., k] = g**2 / (2 * g**2 + maps[..., k].sum() * g**3)
        weights = (alpha * np.maximum(slope, 0)).sum(axis=(0, 1))
        expected.append(np.maximum(maps @ weights, 0))
    close(values(network, images, method="grad-cam++").values, expected)


def test_gradients_at_a_layer(network, oracle, images):
    maps, slopes = network.gradients_at(images, TARGET, "conv")
    close(maps, [np.maximum(oracle.maps(image), 0) for image in images])
    close(slopes, [oracle.at_maps(target) for target in TARGET])


def test_channels_first_gives_the_same(oracle, images):
    import tf_keras as keras

    first = keras.layers
    inputs = keras.Input((C, H, W))
    x = first.Conv2D(FILTERS, 3, activation="relu", data_format="channels_first")(inputs)
    x = first.GlobalAveragePooling2D(data_format="channels_first")(x)
    model = keras.Model(inputs, first.Dense(CLASSES, activation="softmax")(x))
    model.set_weights([oracle.kernel, oracle.bias, oracle.dense, oracle.offset])
    other, same = Network(model), build(keras, oracle, "inside")
    for method in METHODS:
        options = {"method": method} | ({"samples": 3} if method == "smoothgrad" else {})
        one, two = (values(network, images, **options).values for network in (other, same))
        close(one, two, 1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_units_as_targets(network, oracle, images, method):
    options = {"method": method, "signed": True} | (
        {"samples": 4} if method == "smoothgrad" else {}
    )
    found = values(network, images, Unit("conv", 1), **options)
    assert np.isfinite(found.values).all()
    if method == "gradient":
        upstream = np.zeros((H - 2, W - 2, FILTERS))
        upstream[..., 1] = 1
        expected = [oracle.back(upstream * (oracle.maps(i) > 0)).sum(axis=-1) for i in images]
        close(found.values, expected)
    if method == "grad-cam":
        # ∂ Σ a / ∂ a = 1: the map itself.
        close(found.values, [np.maximum(oracle.maps(i), 0)[..., 1] for i in images])


def test_a_single_sigmoid_unit_has_two_sides(keras):
    """Trap: a softmax over one output is always 1, and its gradient 0."""
    inputs = keras.Input((5, 5, 1))
    x = keras.layers.Flatten()(keras.layers.Conv2D(2, 3, activation="relu")(inputs))
    network = Network(keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x)))
    image = np.random.default_rng(0).random((1, 5, 5, 1)).astype(np.float32)
    yes = values(network, image, np.array([1]), signed=True).values
    no = values(network, image, np.array([0]), signed=True).values
    assert np.abs(yes).max() > 1e-3
    np.testing.assert_allclose(yes, -no, rtol=1e-6)


def test_a_saturated_softmax_does_not_blank_the_map(network, images):
    """Trap: ∂ probability / ∂ pixel is 0 where the model is sure; the logit's is not."""
    weights = network.model.get_weights()
    network.model.set_weights([*weights[:-1], weights[-1] + np.array([0, 500, 0, 0])])
    try:
        assert network.probabilities(images)[:, 1].min() == 1.0
        assert values(network, images, np.array([1, 1, 1])).values.max() > 1e-3
    finally:
        network.model.set_weights(weights)


def test_clipping_is_in_the_picture_only(network, images):
    one, other = values(network, images, clip=50), values(network, images, clip=100)
    np.testing.assert_array_equal(one.values, other.values)
    assert one.clip == 50


def test_options_that_would_do_nothing_are_refused():
    for option, value, goes_with in [
        ("samples", 3, "smoothgrad"),
        ("sigma", 0.5, "smoothgrad"),
        ("steps", 3, "integrated-gradients"),
        ("baseline", "white", "integrated-gradients"),
        ("layer", "conv", "grad-cam"),
    ]:
        with pytest.raises(UsageError, match=f"--{option} goes with --method {goes_with}"):
            Saliency.parse({option: value})


def test_every_method_does_something_of_its_own(network, images):
    found = {
        method: values(network, images, method=method, signed=True).values for method in METHODS
    }
    for one in METHODS:
        for other in METHODS:
            if one < other and found[one].shape == found[other].shape:
                assert np.abs(found[one] - found[other]).max() > 1e-5, (one, other)


def test_wrong_layers_for_grad_cam(network, images):
    with pytest.raises(UsageError, match=r"--layer head \(Dense\) has no maps"):
        values(network, images, method="grad-cam", layer="head")
    with pytest.raises(UsageError, match="takes one layer"):
        values(network, images, method="grad-cam", layer="*")
    with pytest.raises(UsageError, match="no layer 'cnv'; did you mean conv"):
        values(network, images, method="grad-cam", layer="cnv")


def test_grad_cam_of_a_network_without_convolutions(keras):
    inputs = keras.Input((5, 5, 1))
    network = Network(keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(inputs))))
    with pytest.raises(UsageError, match="no convolution"):
        values(network, np.ones((1, 5, 5, 1)), np.array([0]), method="grad-cam")


def test_a_layer_behind_the_target_has_no_say(network, images):
    with pytest.raises(ModelError, match="does not depend on the layer"):
        network.gradients_at(images, Unit("conv", 0), "head")


def test_nan_weights_are_named(keras, oracle, images):
    network = build(keras, oracle, "inside")
    kernel = oracle.kernel.copy()
    kernel[0, 0, 0, 0] = np.nan
    network.model.set_weights([kernel, oracle.bias, oracle.dense, oracle.offset])
    with pytest.raises(ModelError, match="layer 'conv' has weights that are NaN"):
        values(network, images)


def test_a_dead_relu_is_the_reason_of_a_blank_map(keras, oracle, images):
    network = build(keras, oracle, "inside")
    network.model.set_weights([oracle.kernel, oracle.bias - 1e3, oracle.dense, oracle.offset])
    found = values(network, images)
    assert found.facts["blank"] == [0, 1, 2]
    assert "every ReLU of conv returns 0 for this picture" in found.notes[0]


def test_other_reasons_of_blank_maps(network, images):
    black = np.zeros_like(images)
    found = values(network, black, method="integrated-gradients")
    assert "its own black baseline" in " ".join(found.notes)
    worst = np.array([int(np.argmin(network.model.get_weights()[2].sum(axis=0)))] * 3)
    weights = network.model.get_weights()
    network.model.set_weights([weights[0], weights[1], -np.abs(weights[2]), weights[3]])
    try:
        found = values(network, images, worst, method="grad-cam")
        assert "--signed shows" in " ".join(found.notes)
    finally:
        network.model.set_weights(weights)


def test_a_cut_path_is_said_in_one_line(keras):
    inputs = keras.Input((4, 4, 1))
    if keras.__name__ == "tf_keras":
        import tensorflow as tf

        x = tf.cast(tf.argmax(tf.reshape(inputs, (-1, 16)), axis=1), tf.float32)[:, None]
    else:
        x = keras.ops.cast(
            keras.ops.argmax(keras.ops.reshape(inputs, (-1, 16)), axis=1), "float32"
        )[:, None]
    network = Network(keras.Model(inputs, keras.layers.Dense(2)(x)))
    with pytest.raises(ModelError, match="in a way that can be derived") as caught:
        network.gradients(np.ones((1, 4, 4, 1)), 0)
    assert "\n" not in str(caught.value)


def test_the_run_as_users_start_it(network):
    from kerascnn.images import Picture

    values_ = np.random.default_rng(3).random((H, W, C)).astype(np.float32)
    pictures = [Picture(values_, "one", "here", None, (H, W))]
    run = visualize(Saliency(method="grad-cam"), network, pictures, "2")
    assert run.result.captions[0].startswith("one: 2, p = ")
    assert run.figure().get_size_inches()[0] > 3
