"""Incremental inference against brute force: exact, whatever the layers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerascnn import ModelError, Network, Unit, UsageError
from kerascnn.graph.connectivity import Sliding
from kerascnn.graph.model_graph import LayerCall, Ref
from kerascnn.graph.receptive import Box
from kerascnn.network.incremental import IncrementalScores
from kerascnn.network.incremental_plan import Region, changed_outputs, make_plan, picture_region
from kerascnn.network.locality import local

SIZE = (29, 34)


def boxes(size, patch, stride):
    tops, lefts = (sorted({*range(0, n - patch + 1, stride), n - patch}) for n in size)
    return np.array([(top, left, top + patch, left + patch) for top in tops for left in lefts])


def jiggle(model, seed=0):
    """Give every weight a value of its own: zeros and ones hide mistakes."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(np.asarray(weight) + 0.1 * np.abs(random.standard_normal(weight.shape)))
    return model


def picture(size, channels=3):
    return np.random.default_rng(1).random((*size, channels)).astype(np.float32)


def compare(network, image, places, unit=None, tolerance=1e-5, fill=(0.9, 0.1, 0.5)):
    """Return the incremental result; brute force has the last word, in the same TensorFlow."""
    quick = network.patched_scores(image, np.array(fill), places, unit=unit, incremental=True)
    brute = np.repeat(image[None], len(places), axis=0)
    for one, (top, left, bottom, right) in zip(brute, places, strict=True):
        one[top:bottom, left:right] = fill
    wanted = network.scores(brute) if unit is None else network.target_scores(brute, unit)
    assert quick.incremental
    # The patches must matter, or nothing is compared.
    assert np.ptp(wanted, axis=0).max() > 1e-3 * np.abs(wanted).max()
    np.testing.assert_allclose(quick.scores, wanted, rtol=0, atol=tolerance * np.abs(wanted).max())
    return quick


def everything(keras):
    """Build a model with each kind of layer that the engine knows, and branches."""
    layers = keras.layers
    inputs = keras.Input((*SIZE, 3))
    x = layers.Rescaling(2.0, -1.0)(inputs)
    x = layers.Conv2D(6, 5, strides=2, padding="same", name="first")(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU(6.0)(x)
    y = layers.DepthwiseConv2D(3, padding="same", dilation_rate=2)(x)
    y = layers.Activation("swish")(y)
    z = layers.ZeroPadding2D(((0, 1), (2, 1)))(x)
    z = layers.Conv2D(6, (2, 4), activation="relu")(z)
    x = layers.Concatenate()([layers.Add()([y, z]), layers.Multiply()([x, y])])
    x = layers.AveragePooling2D(3, 1, padding="same", name="averaged")(x)
    x = layers.SeparableConv2D(8, 3, activation="tanh")(x)
    x = layers.PReLU(shared_axes=[1, 2])(layers.Cropping2D(((1, 0), (0, 2)))(x))
    x = layers.MaxPooling2D(3, 2, padding="same", name="pooled")(x)
    outputs = layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    return jiggle(keras.Model(inputs, outputs))


@pytest.fixture(scope="module")
def network(keras):
    return Network(everything(keras))


@pytest.mark.parametrize(("patch", "stride"), [(3, 3), (1, 9), (8, 5)])
@pytest.mark.parametrize("unit", [None, Unit("averaged", 3), Unit("first")])
def test_every_known_layer_gives_what_brute_force_gives(network, patch, stride, unit):
    found = compare(network, picture(SIZE), boxes(SIZE, patch, stride), unit)
    assert found.work < 0.9
    assert found.plain.shape == found.scores.shape[1:]


def test_windows_are_used_to_the_end_and_whole_maps_are_told(network):
    found = compare(network, picture(SIZE), boxes(SIZE, 2, 9))
    # Fifteen layers on windows; only the last, small maps are computed whole.
    assert {"pooled"} >= {name for name in found.whole if "global" not in name}
    assert all("covers" in why or "no maps" in why for why in found.whole.values())


def test_boxes_of_any_size_and_order(network):
    places = np.array([[20, 30, 29, 34], [0, 0, 1, 1], [3, 4, 20, 9], [5, 0, 7, 34]])
    compare(network, picture(SIZE), places)


@given(
    data=st.data(),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.integers(1, 3),
    padding=st.sampled_from(["same", "valid"]),
    kind=st.sampled_from(["conv", "max", "average"]),
    second=st.sampled_from([None, (3, 1, "same"), (2, 2, "valid")]),
)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_any_window_arithmetic(data, kernel, stride, padding, kind, second):
    import tf_keras

    layers = tf_keras.layers
    size = (data.draw(st.integers(8, 13)), data.draw(st.integers(8, 13)))
    inputs = tf_keras.Input((*size, 2))
    if kind == "conv":
        x = layers.Conv2D(2, kernel, stride, padding)(inputs)
    else:
        pool = layers.MaxPooling2D if kind == "max" else layers.AveragePooling2D
        x = pool(kernel, stride, padding)(inputs)
    if second is not None and min(x.shape[1:3]) >= second[0]:
        x = layers.Conv2D(2, *second)(x)
    network = Network(jiggle(tf_keras.Model(inputs, x)))
    top, left = data.draw(st.integers(0, size[0] - 3)), data.draw(st.integers(0, size[1] - 3))
    places = np.array([(top, left, top + 2, left + 3), (0, 0, 2, 1), (size[0] - 1, 0, size[0], 2)])
    image = picture(size, 2)
    fill = np.array([0.9, 0.1], np.float32)
    # The last layer's maps, as a unit: no head hides a wrong place.
    unit = Unit(network.layers[-1].name)
    quick = network.patched_scores(image, fill, places, unit=unit, incremental=True)
    slow = network.patched_scores(image, fill, places, unit=unit, incremental=False)
    assert quick.incremental
    assert not slow.incremental
    np.testing.assert_allclose(quick.scores, slow.scores, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda k: k.layers.LayerNormalization(), "not known to be local"),
        (lambda k: k.layers.UpSampling2D(2), "not known to be local"),
        (lambda k: k.layers.BatchNormalization(axis=1), "goes over places"),
        (lambda k: k.layers.PReLU(), "goes over places"),
        (lambda k: k.layers.Softmax(axis=2), "goes over places"),
        (lambda k: k.layers.Activation(lambda x: x - x[:, :1]), "is not known"),
    ],
)
def test_what_is_not_local_is_computed_whole_and_told(keras, build, reason):
    inputs = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(4, 3, name="conv")(inputs)
    layer = build(keras)
    x = keras.layers.Conv2D(4, 3)(layer(x))
    x = keras.layers.Flatten()(x)
    network = Network(jiggle(keras.Model(inputs, keras.layers.Dense(3)(x))))
    found = compare(network, picture((16, 16)), boxes((16, 16), 3, 4))
    assert reason in found.whole[layer.name]


def test_squeeze_and_excitation_changes_everything(keras):
    layers = keras.layers
    inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 3)(inputs)
    gate = layers.Dense(4, activation="sigmoid")(layers.GlobalAveragePooling2D()(x))
    x = layers.Multiply(name="gated")([x, layers.Reshape((1, 1, 4))(gate)])
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu")(x))
    network = Network(jiggle(keras.Model(inputs, layers.Dense(3)(x))))
    compare(network, picture((16, 16)), boxes((16, 16), 3, 4))


def test_a_custom_layer_is_computed_whole(keras):
    class Odd(keras.layers.Conv2D):
        def call(self, inputs):
            result = super().call(inputs)
            return result - result[:, :1, :1]

    inputs = keras.Input((16, 16, 3))
    x = Odd(4, 3, name="odd")(keras.layers.Conv2D(4, 3)(inputs))
    network = Network(jiggle(keras.Model(inputs, x)))
    found = compare(network, picture((16, 16)), boxes((16, 16), 3, 4), Unit("odd", 1))
    assert "custom layer" in found.whole["odd"]


@pytest.mark.parametrize("layout", ["channels_first", "flat", "grey"])
def test_other_layouts_are_computed_whole(layout):
    import tf_keras as keras

    layers = keras.layers
    if layout == "channels_first":
        model = keras.Sequential(
            [
                keras.Input((3, 12, 12)),
                layers.Conv2D(4, 3, data_format="channels_first"),
                layers.Flatten(),
                layers.Dense(3),
            ]
        )
        image = picture((12, 12))
    else:
        shape = (144,) if layout == "flat" else (12, 12)
        model = keras.Sequential([keras.Input(shape), layers.Flatten(), layers.Dense(3)])
        image = picture((12, 12), 1)
    network = Network(jiggle(model))
    places = boxes((12, 12), 4, 4)
    found = network.patched_scores(image, np.zeros(1), places, incremental=True)
    assert not found.incremental
    expected = np.repeat(image[None], len(places), axis=0)
    for one, (top, left, bottom, right) in zip(expected, places, strict=True):
        one[top:bottom, left:right] = 0
    np.testing.assert_allclose(found.scores, network.scores(expected), rtol=1e-6)


def test_mixed_precision(keras):
    policy = keras.mixed_precision.Policy if hasattr(keras, "mixed_precision") else None
    if policy is None:
        pytest.skip("no mixed precision here")
    inputs = keras.Input((16, 16, 3))
    dtype = policy("mixed_bfloat16")
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", dtype=dtype)(inputs)
    x = keras.layers.MaxPooling2D(3, 2, "same", dtype=dtype)(x)
    x = keras.layers.Flatten()(x)
    network = Network(jiggle(keras.Model(inputs, keras.layers.Dense(3, dtype="float32")(x))))
    compare(network, picture((16, 16)), boxes((16, 16), 3, 4), tolerance=1e-2)


def test_a_second_input_is_no_stumbling_block(keras):
    layers = keras.layers
    inputs = keras.Input((16, 16, 3), name="picture")
    other = keras.Input((16, 16, 3), name="other")
    x = layers.Add(name="sum")([layers.Conv2D(3, 3, padding="same")(inputs), other])
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu")(x))
    network = Network(jiggle(keras.Model([inputs, other], layers.Dense(3)(x))), input="picture")
    found = compare(network, picture((16, 16)), boxes((16, 16), 3, 4))
    assert "besides the picture" in found.whole["sum"]


def test_a_patch_that_changes_nothing_is_not_computed(network):
    image = picture(SIZE)
    image[:10] = 0.25
    found = network.patched_scores(image, np.full(3, 0.25), np.array([[0, 0, 4, 4], [5, 5, 9, 9]]))
    assert found.work == 0
    np.testing.assert_array_equal(found.scores[0], found.plain)
    np.testing.assert_allclose(found.plain, network.scores(image[None])[0], rtol=1e-5)


def test_memory_bounds_the_batches(keras):
    network = Network(everything(keras), memory=1)
    compare(network, picture(SIZE), boxes(SIZE, 8, 9))


def test_batches_shrink_where_tensorflow_finds_no_memory(keras, monkeypatch, capsys):
    import tensorflow as tf

    network, sizes, rows = Network(everything(keras)), [], IncrementalScores.rows

    def short(self, positions):
        sizes.append(len(positions))
        if len(positions) > 5:
            raise tf.errors.ResourceExhaustedError(None, None, "no memory")
        return rows(self, positions)

    monkeypatch.setattr(IncrementalScores, "rows", short)
    compare(network, picture(SIZE), boxes(SIZE, 4, 4))
    assert sizes[0] > 5
    assert sizes[-2] <= 5
    assert "memory is short" in capsys.readouterr().err

    def hopeless(self, positions):
        raise MemoryError

    monkeypatch.setattr(IncrementalScores, "rows", hopeless)
    with pytest.raises(ModelError, match="not enough memory for one picture"):
        compare(network, picture(SIZE), boxes(SIZE, 4, 4))


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ([[0, 0, 30, 4]], "inside the picture of 29 × 34"),
        ([[-1, 0, 3, 4]], "inside the picture"),
        ([[3, 3, 3, 4]], "inside the picture"),
        ([[0.5, 0, 3, 4]], "whole numbers"),
        ([], "P × 4"),
        ([[1, 2, 3]], "P × 4"),
    ],
)
def test_wrong_boxes(network, places, words):
    with pytest.raises(UsageError, match=words):
        network.patched_scores(picture(SIZE), np.zeros(3), places)


@pytest.mark.parametrize(
    ("fill", "words"), [(np.zeros(2), "colour of 3 channels"), (np.full(3, np.nan), "finite")]
)
def test_wrong_fills(network, fill, words):
    with pytest.raises(UsageError, match=words):
        network.patched_scores(picture(SIZE), fill, [Box(0, 0, 3, 3)])


def test_wrong_pictures(network):
    with pytest.raises(ModelError, match="29 × 34 × 3"):
        network.patched_scores(np.zeros((4, 4, 3)), np.zeros(3), [Box(0, 0, 3, 3)])


@given(
    first=st.integers(0, 19),
    extent=st.integers(0, 19),
    reach=st.integers(1, 6),
    stride=st.integers(1, 4),
    before=st.integers(0, 5),
)
@settings(max_examples=200, deadline=None)
def test_changed_outputs_are_those_that_see_a_changed_input(first, extent, reach, stride, before):
    """The forward interval, against a list of what each output sees."""
    last = min(first + extent, 19)
    move = Sliding(reach, stride, before)
    one = np.array([[first, first]])
    region = Region(one, np.array([[last, last]]), one, (last - first + 1,) * 2)
    low, high = changed_outputs(region, local(move, move, "slide"))
    seeing = [
        i
        for i in range(-10, 40)
        if i * stride - before <= last and i * stride - before + reach - 1 >= first
    ]
    assert not seeing or (low[0, 0], high[0, 0]) == (seeing[0], seeing[-1])


def test_a_plan_has_windows_of_one_size_inside_the_map():
    region = picture_region(np.array([[0, 0, 4, 4], [9, 9, 12, 12], [8, 3, 12, 6]]), (12, 12))
    assert region.size == (4, 4)
    assert (region.start >= 0).all()
    assert (region.start + 4 <= 12).all()
    assert (region.start <= region.first).all()
    assert make_plan([], 0, region, {0: (1, 12, 12, 3)}, lambda _: 3).work == 0


@given(
    side=st.integers(8, 40),
    patch=st.integers(1, 8),
    stride=st.integers(1, 6),
    most=st.integers(1, 30),
    fixed=st.sampled_from([0.0, 1e3, 1e9]),
)
@settings(max_examples=40, deadline=None)
def test_groups_hold_every_position_once_and_save_work(side, patch, stride, most, fixed):
    import tf_keras

    layer = tf_keras.layers.Conv2D(4, 5, padding="same")
    layer.build((None, side, side, 1))
    source, wanted = 0, 1
    calls = [LayerCall("conv", layer, (Ref(source),), {}, (wanted,), ((None, side, side, 4),))]
    shapes = {source: (1, side, side, 1), wanted: (1, side, side, 4)}
    corners = np.arange(0, side - patch + 1, stride)
    places = np.array([(y, x, y + patch, x + patch) for y in corners for x in corners])

    def plan(chosen):
        region = picture_region(places[chosen], (side, side))
        return make_plan(calls, source, region, shapes, lambda _: 3)

    groups = plan(np.arange(len(places))).groups(most, per_batch=fixed)
    assert sorted(np.concatenate(groups)) == list(range(len(places)))
    assert all(0 < len(group) <= most for group in groups)
    apart = sum(len(group) * plan(group).work for group in groups)
    assert apart <= len(places) * plan(np.arange(len(places))).work * (1 + 1e-9)


def architecture(name, size, keras):
    build = getattr(keras.applications, name)
    return jiggle_deep(build(weights=None, input_shape=(size, size, 3), classes=10))


def jiggle_deep(model):
    """Keep the signal alive down to the scores, or no patch would matter."""
    random = np.random.default_rng(0)
    normalized = [layer for layer in model.layers if hasattr(layer, "moving_mean")]
    for layer in normalized:
        layer.momentum = 0.0
    for weight in model.weights:
        if "kernel" in getattr(weight, "path", weight.name) and not normalized:
            weight.assign(np.asarray(weight) * 1.5)
        elif "bias" in getattr(weight, "path", weight.name):
            weight.assign(0.1 * random.standard_normal(weight.shape))
    if normalized:
        size = model.input_shape[1]
        model(2 * random.random((4, size, size, 3)).astype(np.float32) - 1, training=True)
    return model


@pytest.mark.parametrize(
    ("name", "size"), [("VGG16", 64), ("MobileNetV2", 64), ("ResNet50", 64), ("InceptionV3", 107)]
)
def test_architectures(name, size):
    import tf_keras

    network = Network(architecture(name, size, tf_keras))
    compare(network, picture((size, size)) * 2 - 1, boxes((size, size), 9, 37), tolerance=1e-4)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "size"),
    [("VGG16", 224), ("MobileNetV2", 224), ("ResNet50", 224), ("InceptionV3", 299)],
)
def test_architectures_in_full(keras, name, size):
    network = Network(architecture(name, size, keras))
    image = picture((size, size)) * 2 - 1
    found = compare(network, image, boxes((size, size), 32, 48), tolerance=1e-4)
    assert found.work < 0.7
