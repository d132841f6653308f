"""`Network`: any model is prepared correctly, and its methods give what their docstrings say."""

from __future__ import annotations

import numpy as np
import pytest

from kerascnn import ModelError, Network, Unit, UsageError

SIZE = (9, 11)


def trained(model, seed=0):
    """Give every weight a value of its own, as training does."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(np.asarray(weight) + 0.1 * np.abs(random.standard_normal(weight.shape)))
    return model


def pictures(count=2, channels=3, size=SIZE):
    return np.random.default_rng(5).random((count, *size, channels)).astype(np.float32)


def body(keras, inputs):
    x = keras.layers.Conv2D(4, 3, activation="softplus", name="conv")(inputs)
    return keras.layers.GlobalAveragePooling2D()(keras.layers.AveragePooling2D(2)(x))


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def softmax(values):
    parts = np.exp(values - values.max(axis=-1, keepdims=True))
    return parts / parts.sum(axis=-1, keepdims=True)


# --- heads ----------------------------------------------------------------------------------------

HEADS = {
    "softmax": lambda k, x: k.layers.Dense(3, activation="softmax")(x),
    "softmax activation": lambda k, x: k.layers.Activation("softmax")(k.layers.Dense(3)(x)),
    "softmax layer": lambda k, x: k.layers.Softmax()(k.layers.Dense(3)(x)),
    "sigmoid": lambda k, x: k.layers.Dense(3, activation="sigmoid")(x),
    "binary": lambda k, x: k.layers.Dense(1, activation="sigmoid")(x),
    "linear": lambda k, x: k.layers.Dense(3)(x),
    "behind dropout": lambda k, x: k.layers.Dropout(0.5)(
        k.layers.Dense(3, activation="softmax")(x)
    ),
}


@pytest.mark.parametrize("head", HEADS)
def test_scores_are_logits_in_every_head(keras, head):
    """Trap: setting ``.activation`` on a Softmax layer changes nothing."""
    inputs = keras.Input((*SIZE, 3))
    model = trained(keras.Model(inputs, HEADS[head](keras, body(keras, inputs))))
    network, images = Network(model), pictures()
    outputs = np.asarray(model(images))
    scores, chances = network.scores(images), network.probabilities(images)
    if head == "linear":
        np.testing.assert_allclose(scores, outputs, rtol=1e-5)
        assert chances is None
        return
    if head == "binary":
        assert scores.shape == (2, 2)
        np.testing.assert_allclose(scores[:, 0], -scores[:, 1])
        np.testing.assert_allclose(chances[:, 1], outputs[:, 0], rtol=1e-5)
        np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-6)
        return
    restored = sigmoid(scores) if head == "sigmoid" else softmax(scores)
    np.testing.assert_allclose(restored, outputs, rtol=1e-5)
    np.testing.assert_allclose(chances, outputs, rtol=1e-5)
    assert np.abs(scores - outputs).max() > 0.01
    # Logits of a softmax are not its logarithms, which sum to 1 when exponentiated.
    assert np.abs(np.exp(scores).sum(axis=1) - 1).max() > 0.01


def test_a_headless_models_scores_are_its_channels_means(keras):
    inputs = keras.Input((*SIZE, 3))
    model = trained(keras.Model(inputs, keras.layers.Conv2D(4, 3)(inputs)))
    network, images = Network(model), pictures()
    assert network.head.kind == "features"
    expected = np.asarray(model(images)).mean(axis=(1, 2))
    np.testing.assert_allclose(network.scores(images), expected, rtol=1e-5)
    assert network.probabilities(images) is None


def test_a_softmax_that_is_not_the_head_stays(keras):
    """Attention ends in a softmax too."""
    layers = keras.layers
    inputs = keras.Input((*SIZE, 3))
    x = layers.Conv2D(3, 3, name="conv")(inputs)
    x = layers.Multiply()([x, layers.Softmax(axis=1, name="attention")(x)])
    model = trained(keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x))))
    network, images = Network(model), pictures()
    np.testing.assert_allclose(network.scores(images), np.asarray(model(images)), rtol=1e-5)


def head_and_more(keras):
    """A softmax with layers behind it, and a ReLU before it."""
    layers = keras.layers
    inputs = keras.Input((*SIZE, 3))
    x = layers.Conv2D(4, 3, activation="relu", name="conv")(inputs)
    x = layers.Dense(4, activation="softmax", name="head")(layers.GlobalAveragePooling2D()(x))
    x = layers.Reshape((2, 2), name="square")(x)
    return trained(keras.Model(inputs, layers.Flatten(name="flat")(x)))


def test_a_layer_gives_what_keras_says_though_scores_are_asked_for_too(keras):
    import tensorflow as tf

    model, images = head_and_more(keras), pictures()
    network, names = Network(model), ("conv", "head", "square", "flat")
    given = network.trace(tf.constant(images), *names, scores=True)
    for name, value in zip(names, given, strict=False):
        inner = keras.Model(model.inputs, model.get_layer(name).output)
        np.testing.assert_allclose(value.numpy(), np.asarray(inner(images)), rtol=1e-6)
        np.testing.assert_array_equal(value.numpy(), network.activations(images, name))
    np.testing.assert_array_equal(given[-1].numpy(), network.scores(images))


def test_scores_are_derived_by_layers_before_them_alone(keras):
    """A score is a logit: it can't be derived by the probability that is computed from it."""
    network, images = Network(head_and_more(keras)), pictures()
    maps, slopes = network.gradients_at(images, 1, "conv")
    np.testing.assert_array_equal(maps, network.activations(images, "conv"))
    assert np.abs(slopes).max() > 0
    for name in ("head", "square", "flat"):
        with pytest.raises(ModelError, match="logit, which comes before the final softmax"):
            network.gradients_at(images, 1, name)
    values, _ = network.gradients_at(images, Unit("flat", 1), "square")
    np.testing.assert_allclose(values.sum(axis=(1, 2)), 1, rtol=1e-5)


def test_the_last_convolution_before_a_target(keras):
    layers = keras.layers
    inputs = keras.Input((*SIZE, 3))
    x = layers.Conv2D(4, 3, name="first")(inputs)
    x = layers.Conv2D(4, 3, name="second")(x)
    outputs = layers.Conv2D(3, 1, activation="softmax", name="head")(x)
    network = Network(trained(keras.Model(inputs, outputs)))
    assert network.last_convolution().name == "head"
    assert network.last_convolution(0).name == "second"
    assert network.last_convolution(np.array([0, 2])).name == "second"
    assert network.last_convolution(Unit("head", 1)).name == "head"
    assert network.last_convolution(Unit("first", 1)).name == "first"
    alone = Network(keras.Model(inputs, layers.Conv2D(3, 1, activation="softmax")(inputs)))
    with pytest.raises(UsageError, match="no convolution before the class scores"):
        alone.last_convolution(1)


# --- kinds of models ------------------------------------------------------------------------------


def functional(keras):
    inputs = keras.Input((*SIZE, 3))
    return keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(body(keras, inputs)))


def sequential(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((*SIZE, 3)),
            layers.Conv2D(4, 3, activation="softplus", name="conv"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )


def nested(keras):
    layers = keras.layers
    inner = keras.Sequential(
        [keras.Input((*SIZE, 3)), layers.Conv2D(4, 3, activation="softplus", name="conv")],
        name="inner",
    )
    middle_input = keras.Input((*SIZE, 3))
    middle = keras.Model(
        middle_input, layers.AveragePooling2D(2)(inner(middle_input)), name="middle"
    )
    inputs = keras.Input((*SIZE, 3))
    x = layers.GlobalAveragePooling2D()(middle(inputs))
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


def shared(keras):
    layers = keras.layers
    inputs = keras.Input((*SIZE, 3))
    conv = layers.Conv2D(3, 3, padding="same", activation="softplus", name="conv")
    x = layers.GlobalAveragePooling2D()(layers.Add()([conv(inputs), conv(conv(inputs))]))
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


KINDS = {build.__name__: build for build in (functional, sequential, nested, shared)}


@pytest.mark.parametrize("kind", KINDS)
def test_prepared_and_original_agree(keras, kind, tmp_path):
    model = trained(KINDS[kind](keras))
    images = pictures()
    expected = np.asarray(model(images))
    np.testing.assert_allclose(Network(model).probabilities(images), expected, rtol=1e-5)
    # Reloaded: gradients to inner layers of a Sequential are silently None in sub-models.
    path = tmp_path / "model.h5"
    model.save(path)
    network = Network(keras.models.load_model(path, compile=False))
    np.testing.assert_allclose(network.probabilities(images), expected, rtol=1e-5)
    name = next(layer.name for layer in network.layers if "conv" in layer.name)
    _, slopes = network.gradients_at(images, 1, name)
    assert np.abs(slopes).max() > 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("target", [1, Unit("dense", 2), "conv"])
def test_gradients_are_finite_differences(keras, kind, target):
    network = Network(trained(KINDS[kind](keras)))
    names = {layer.name.rpartition("/")[2]: layer.name for layer in network.layers}
    if isinstance(target, Unit):
        target = Unit(next(name for name in names if name.startswith("dense")), 2)
    elif target == "conv":
        target = Unit(names["conv"])
    image = pictures(1).astype(np.float32)
    gradient = network.gradients(image, target)[0]
    random = np.random.default_rng(0)
    for _ in range(4):
        way = random.standard_normal(image.shape).astype(np.float32)
        step = 1e-2
        ahead, behind = (
            network.target_scores(image + sign * step * way, target)[0] for sign in (1, -1)
        )
        slope = float((gradient * way[0]).sum())
        assert slope == pytest.approx((ahead - behind) / (2 * step), rel=0.03, abs=2e-3)
    assert np.abs(gradient).max() > 1e-5


def test_a_subclassed_model_with_one_input_is_one_step(keras):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.inside = keras.layers.Dense(3)

        def call(self, inputs):
            return self.inside(keras.layers.Flatten()(inputs))

    model = Own()
    images = pictures()
    model.build((None, *SIZE, 3)) if keras.__name__ == "tf_keras" else model(images)
    try:
        network = Network(model)
    except ModelError as error:
        assert "can't be seen" in str(error)
        return
    np.testing.assert_allclose(network.scores(images), np.asarray(model(images)), rtol=1e-5)


def test_a_preparation_that_is_wrong_is_refused(keras):
    class Moody(keras.layers.Layer):
        """Gives something else each time it is called: nothing can stand for it."""

        calls = 0

        def call(self, inputs):
            Moody.calls += 1
            return inputs * (1.0 + Moody.calls)

        def compute_output_shape(self, shape):
            return shape

    inputs = keras.Input((*SIZE, 3))
    x = keras.layers.Dense(2)(keras.layers.Flatten()(Moody()(inputs)))
    with pytest.raises(ModelError, match="does not give the original's outputs"):
        Network(trained(keras.Model(inputs, x)))


def test_what_is_no_model_is_refused(keras):
    for wrong in (object(), keras.layers.Dense(3)):
        with pytest.raises(ModelError, match="a Keras model is needed"):
            Network(wrong)


# --- inputs and outputs ---------------------------------------------------------------------------


def test_channels_first_is_seen_channels_last():
    import tf_keras as keras

    layers = keras.layers
    inputs = keras.Input((3, *SIZE))
    x = layers.Conv2D(4, 3, data_format="channels_first", activation="softplus", name="conv")(
        inputs
    )
    x = layers.GlobalAveragePooling2D(data_format="channels_first")(x)
    model = trained(keras.Model(inputs, layers.Dense(3, activation="softmax")(x)))
    network, images = Network(model), pictures()
    assert network.input.shape == (*SIZE, 3)
    expected = np.asarray(
        keras.backend.function([model.input], [model.output])([images.transpose(0, 3, 1, 2)])[0]
    )
    np.testing.assert_allclose(network.probabilities(images), expected, rtol=1e-5)
    assert network.layer("conv").shape == (7, 9, 4)
    assert network.layer("conv").stored_shape == (4, 7, 9)
    assert network.activations(images, "conv").shape == (2, 7, 9, 4)
    assert network.gradients(images, 1).shape == images.shape


@pytest.mark.parametrize(
    ("shape", "seen"),
    [((784,), (28, 28, 1)), ((3072,), (32, 32, 3)), ((10,), (1, 10, 1)), ((9, 11), (9, 11, 1))],
)
def test_flat_and_grey_inputs(keras, shape, seen):
    inputs = keras.Input(shape)
    model = trained(keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(inputs))))
    network = Network(model)
    assert network.input.shape == seen
    images = pictures(2, seen[2], seen[:2])
    expected = np.asarray(model(images.reshape(2, *shape)))
    np.testing.assert_allclose(network.scores(images), expected, rtol=1e-4)
    kernel = network.weights(network.layers[-1].name)
    expected = kernel[:, 1].reshape(seen)
    np.testing.assert_allclose(network.gradients(images, 1)[0], expected, rtol=1e-5)


def several(keras):
    layers = keras.layers
    first, second = keras.Input((*SIZE, 3), name="left"), keras.Input((*SIZE, 1), name="right")
    x = layers.Concatenate()([layers.Conv2D(2, 3)(first), layers.Conv2D(2, 3)(second)])
    x = layers.GlobalAveragePooling2D()(x)
    return trained(
        keras.Model(
            [first, second],
            [
                layers.Dense(2, name="two")(x),
                layers.Dense(3, activation="softmax", name="three")(x),
            ],
        )
    )


def test_several_inputs_and_outputs(keras):
    model = several(keras)
    network = Network(model, input="right", output="three")
    assert network.input.shape == (*SIZE, 1)
    assert network.classes == 3
    assert any("'left' gets zeros" in warning for warning in network.warnings)
    images = pictures(2, 1)
    expected = model([np.zeros((2, *SIZE, 3), np.float32), images])
    np.testing.assert_allclose(network.probabilities(images), np.asarray(expected[1]), rtol=1e-5)
    assert Network(model).classes == 2
    with pytest.raises(UsageError, match="no input 'rigt'; did you mean right"):
        Network(model, input="rigt")
    with pytest.raises(UsageError, match="no output 'one'"):
        Network(model, output="one")


def test_any_size(keras):
    inputs = keras.Input((None, None, 3))
    model = trained(keras.Model(inputs, keras.layers.Dense(2)(body(keras, inputs))))
    network = Network(model)
    for size in ((9, 11), (20, 8)):
        images = pictures(1, 3, size)
        np.testing.assert_allclose(network.scores(images), np.asarray(model(images)), rtol=1e-5)
        assert network.gradients(images, 0).shape == images.shape


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(keras, policy):
    before = keras.mixed_precision.global_policy() if keras.__name__ == "tf_keras" else None
    old = before or keras.mixed_precision.dtype_policy()
    set_policy = (
        keras.mixed_precision.set_global_policy
        if keras.__name__ == "tf_keras"
        else keras.mixed_precision.set_dtype_policy
    )
    set_policy(policy)
    try:
        inputs = keras.Input((*SIZE, 3))
        x = keras.layers.Dense(3)(body(keras, inputs))
        model = trained(keras.Model(inputs, keras.layers.Activation("softmax", dtype="float32")(x)))
    finally:
        set_policy(old)
    # A softmax that is itself computed with few digits is close enough too.
    Network(trained(keras.Model(inputs, keras.layers.Dense(3, "softmax", dtype=policy)(x))))
    network, images = Network(model), pictures()
    scores = network.scores(images)
    assert scores.dtype == np.float32
    # bfloat16 has eight binary digits: a logit of 4 is rounded by 0.016, whatever computes it.
    few = 2e-2 if policy == "mixed_bfloat16" else 5e-3
    np.testing.assert_allclose(softmax(scores), np.asarray(model(images)), atol=few)
    gradients = network.gradients(images, 0)
    assert gradients.dtype == np.float32
    assert np.abs(gradients).max() > 0
    assert network.activations(images, "conv").dtype == np.float32


# --- layers ---------------------------------------------------------------------------------------


def test_layers_are_found_by_name_and_pattern(keras):
    network = Network(trained(nested(keras)))
    assert network.layer("conv").name == "middle/inner/conv"
    assert network.layer("middle/inner/conv").channels == 4
    assert network.select("conv", "*pool*")[0].name == "middle/inner/conv"
    assert network.select("last-conv") == network.convolutions()[-1:]
    assert network.last_convolution().name == "middle/inner/conv"
    assert network.layer("conv").weights_per_filter == 27
    assert network.layer("conv").parameters == 27 * 4 + 4
    for call in (lambda: network.layer("cnv"), lambda: network.select("nothing*")):
        with pytest.raises(UsageError, match="no layer"):
            call()


def test_every_kind_of_convolution_is_one(keras):
    """Trap: bases named `Conv` miss depthwise, separable and transposed ones."""
    layers = keras.layers
    inputs = keras.Input((*SIZE, 4))
    x = layers.DepthwiseConv2D(3, name="deep")(inputs)
    x = layers.SeparableConv2D(4, 3, name="apart")(x)
    x = layers.Conv2DTranspose(5, 3, name="back")(x)
    network = Network(keras.Model(inputs, x))
    assert [layer.name for layer in network.convolutions()] == ["deep", "apart", "back"]
    assert network.weights("deep").shape == (3, 3, 1, 4)
    assert network.weights("back").shape == (3, 3, 4, 5)


def test_weights_and_boxes(keras):
    network = Network(trained(functional(keras)))
    layer = network.model.get_layer("conv")
    np.testing.assert_array_equal(network.weights("conv"), np.asarray(layer.kernel))
    with pytest.raises(ModelError, match="has no filters"):
        network.weights(next(n.name for n in network.layers if "pool" in n.name))
    box = network.box("conv", 2, 3, SIZE)
    assert (box.top, box.left, box.bottom, box.right) == (2, 3, 5, 6)


def test_a_network_without_convolutions(keras):
    inputs = keras.Input((4, 4, 1))
    network = Network(keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(inputs))))
    with pytest.raises(ModelError, match="no convolution"):
        network.convolutions()
    with pytest.raises(UsageError, match="no convolution"):
        network.select("last-conv")


# --- targets --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def named(keras):
    return Network(trained(functional(keras)), labels=["cat", "dog", "10"])


def test_targets_as_they_are_typed(named):
    scores = named.scores(pictures())
    np.testing.assert_array_equal(named.target("predicted", scores), scores.argmax(axis=1))
    np.testing.assert_array_equal(named.target("dog", scores), [1, 1])
    np.testing.assert_array_equal(named.target("0", scores), [0, 0])
    # A label that is a number is a label first.
    np.testing.assert_array_equal(named.target("10", scores), [2, 2])
    assert named.target("conv:3", scores) == Unit("conv", 3)
    assert named.target("conv", scores) == Unit("conv")
    assert named.class_name(1) == "dog"
    for text, words in [
        ("3", "from 0 to 2"),
        ("-1", "from 0 to 2"),
        ("conv:4", "channels 0 to 3"),
        ("conv:x", "channels 0 to 3"),
        ("cow", "the target must be"),
    ]:
        with pytest.raises(UsageError, match=words):
            named.target(text, scores)


def test_wrong_targets_from_a_program(named):
    for target in (3, -1, [0, 5], Unit("conv", 4), Unit("conv", -1), Unit("cnv")):
        with pytest.raises(UsageError):
            named.gradients(pictures(), target)


def test_each_picture_has_its_own_target(named):
    images = pictures()
    together = named.gradients(images, np.array([2, 0]))
    np.testing.assert_allclose(together[0], named.gradients(images[:1], 2)[0], rtol=1e-5)
    np.testing.assert_allclose(together[1], named.gradients(images[1:], 0)[0], rtol=1e-5)
    np.testing.assert_allclose(
        named.target_scores(images, [2, 0]), named.scores(images)[[0, 1], [2, 0]], rtol=1e-6
    )


def test_units_are_what_activations_say(named):
    images = pictures()
    maps = named.activations(images, "conv")
    found = named.target_scores(images, Unit("conv", 2))
    np.testing.assert_allclose(found, maps[..., 2].sum(axis=(1, 2)), rtol=1e-5)
    found = named.target_scores(images, Unit("conv"))
    np.testing.assert_allclose(found, maps.sum(axis=(1, 2, 3)), rtol=1e-5)


def test_wrong_pictures(named):
    for images in (np.zeros((2, 9, 11, 1)), np.zeros((9, 11, 3)), np.zeros((0, 9, 11, 3))):
        with pytest.raises(ModelError, match="images must be N × 9 × 11 × 3"):
            named.scores(images)


# --- memory ---------------------------------------------------------------------------------------


def test_batches_change_nothing(keras):
    model, images = trained(functional(keras)), pictures(5)
    whole, single = Network(model), Network(model, memory=1)
    assert single.memory.batch_size(100) == 1
    np.testing.assert_allclose(whole.scores(images), single.scores(images), rtol=1e-5)
    target = np.array([0, 1, 2, 0, 1])
    np.testing.assert_allclose(
        whole.gradients(images, target), single.gradients(images, target), rtol=1e-4, atol=1e-7
    )


def test_functions_for_those_who_write_tensorflow(named):
    import tensorflow as tf

    images = tf.constant(pictures())
    maps, scores = named.function("conv")(images)[0], named.score_function()(images)[0]
    np.testing.assert_allclose(maps.numpy(), named.activations(images.numpy(), "conv"))
    np.testing.assert_allclose(scores.numpy(), named.scores(images.numpy()))

    @tf.function
    def derived(values):
        with tf.GradientTape() as tape:
            tape.watch(values)
            score = tf.reduce_sum(named.score_function()(values)[0][:, 1])
        return tape.gradient(score, values)

    np.testing.assert_allclose(
        derived(images).numpy(), named.gradients(images.numpy(), 1), rtol=1e-4, atol=1e-7
    )


def test_nan_weights_are_a_warning(keras):
    model = trained(functional(keras))
    weights = model.get_weights()
    weights[0][0, 0, 0, 0] = np.nan
    model.set_weights(weights)
    network = Network(model)
    assert network.warnings == ("layer 'conv' has weights that are NaN or infinite",)


def test_weights_that_are_no_numbers_are_told_where_a_relu_hides_them(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((9, 9, 1)),
            layers.Conv2D(2, 3, activation="relu", name="good"),
            layers.Conv2D(2, 3, activation="relu", name="bad"),
            layers.ReLU(name="after"),
        ]
    )
    weights = model.get_weights()
    weights[2][:] = np.nan
    model.set_weights(weights)
    network = Network(model)
    images = pictures(2, 1, (9, 9)).astype(np.float32)
    assert np.isfinite(network.activations(images, "good")).all()
    for name in ("bad", "after"):
        with pytest.raises(ModelError, match="'bad' has weights that are NaN"):
            network.activations(images, name)


def test_a_network_of_words_is_not_shown_pictures(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((784,)),
            layers.Embedding(10, 4, name="words"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    network = Network(model)
    with pytest.raises(ModelError, match=r"numbers of words \(Embedding 'words'\)") as caught:
        network.scores(pictures(1, 1, (28, 28)))
    assert "\n" not in str(caught.value)
