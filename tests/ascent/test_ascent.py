"""Gradient ascent: toy networks whose best picture is known, and the traps others fell into."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerascnn import ModelError, Network, UsageError
from kerascnn.ascent import (
    SCORES,
    Blur,
    Erase,
    Fourier,
    Jitter,
    Pixels,
    Rotate,
    Scale,
    classes,
    evaluate,
    l1,
    maximise,
    measure,
    off_centre,
    power,
    start,
    strength,
    total_variation,
    units,
)
from kerascnn.ascent.transforms import gaussian, gaussian_kernel, plan

RANDOM = np.random.default_rng(5)
WEIGHTS = RANDOM.standard_normal((4, 5, 3)).astype(np.float32)  # height × width × classes


@pytest.fixture(scope="session")
def linear(keras):
    """Scores that are weighted sums of a 4×5 picture's pixels: all about them is known."""
    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((4, 5, 1)), layers.Flatten(name="flat"), layers.Dense(3, name="scores")]
    )
    model.set_weights([WEIGHTS.reshape(20, 3), np.zeros(3, np.float32)])
    return Network(model)


@pytest.fixture(scope="session")
def small(keras):
    """A small network with everything in it: colours, pooling with odd sizes, ReLU, softmax."""
    layers = keras.layers
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            layers.Input((15, 17, 3)),
            layers.Conv2D(6, 3, activation="relu", name="one"),
            layers.MaxPooling2D(),
            layers.Conv2D(8, 3, name="two"),
            layers.MaxPooling2D(name="pool"),
            layers.Flatten(),
            layers.Dense(9, activation="relu", name="dense"),
            layers.Dense(4, activation="softmax", name="classes"),
        ]
    )
    return Network(model, preprocessing="symmetric")


@pytest.fixture
def pictures(small):
    return RANDOM.uniform(-1, 1, (5, 15, 17, 3)).astype(np.float32)


# --- objectives are values that are added up -----------------------------------------------------


def test_measures_are_what_the_network_says(small, pictures):
    maps = small.activations(pictures, "two")
    scores = small.scores(pictures)
    rows = np.arange(5)
    close = {"rtol": 1e-4, "atol": 1e-4}
    found = evaluate(small, units("two", [3, 0, 7, 7, 1]), pictures)
    np.testing.assert_allclose(found, maps.sum((1, 2))[rows, [3, 0, 7, 7, 1]], **close)
    found = evaluate(small, units("two", [2] * 5, "centre"), pictures)
    np.testing.assert_allclose(found, maps[:, maps.shape[1] // 2, maps.shape[2] // 2, 2], **close)
    found = evaluate(small, strength("two"), pictures)
    np.testing.assert_allclose(found, 0.5 * (maps**2).sum((1, 2, 3)), **close)
    found = evaluate(small, units("dense", [4] * 5), pictures)
    np.testing.assert_allclose(found, small.activations(pictures, "dense")[:, 4], **close)
    np.testing.assert_allclose(evaluate(small, classes([2] * 5), pictures), scores[:, 2], **close)
    found = evaluate(small, classes([1] * 5, "log-probability"), pictures)
    np.testing.assert_allclose(np.exp(found), small.probabilities(pictures)[:, 1], **close)
    found = evaluate(small, classes([0] * 5, "margin"), pictures)
    others = np.log(np.exp(scores[:, 1:]).sum(-1))
    np.testing.assert_allclose(found, scores[:, 0] - others, **close)
    found = evaluate(small, measure(lambda s, m: s[:, 0] * m[:, 0, 0, 0], SCORES, "two"), pictures)
    np.testing.assert_allclose(found, scores[:, 0] * maps[:, 0, 0, 0], **close)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-3, 3, width=32), min_size=3, max_size=3), st.floats(-2, 2, width=32))
def test_a_weight_weighs_its_own_term_alone(weights, factor):
    """A peer's loss multiplies all earlier terms by each new weight."""
    a, b, c = (classes([k]) for k in range(3))
    summed = factor * (weights[0] * a - (b * weights[1]) + -(c * weights[2]))
    assert [t.weight for t in summed.terms] == pytest.approx(
        [factor * weights[0], -factor * weights[1], -factor * weights[2]]
    )
    assert [list(t.measure.items) for t in summed.terms] == [[0], [1], [2]]


def test_sums_are_evaluated_as_sums(linear):
    picture = RANDOM.random((1, 4, 5, 1)).astype(np.float32)
    scores = linear.scores(picture)[0]
    found = evaluate(linear, 2 * classes([0]) - 0.5 * classes([1]) + classes([2]), picture)
    np.testing.assert_allclose(found, [2 * scores[0] - 0.5 * scores[1] + scores[2]], rtol=1e-5)


def test_penalties_are_what_they_say():
    import tensorflow as tf

    unit = RANDOM.random((2, 6, 7, 3)).astype(np.float32)

    def of(objective):
        (term,) = objective.terms
        return np.asarray(term.measure.value([tf.constant(unit)], None))

    np.testing.assert_allclose(of(l1()), unit.sum((1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(of(l1(0.5)), abs(unit - 0.5).sum((1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(of(power(3)), (abs(unit - 0.5) ** 3).sum((1, 2, 3)), rtol=1e-5)
    for p in (1, 2):
        steps = sum((abs(np.diff(unit, axis=axis)) ** p).sum((1, 2, 3)) for axis in (1, 2))
        np.testing.assert_allclose(of(total_variation(p)), steps, rtol=1e-5)
    inner = np.zeros((1, 8, 8, 1), np.float32)
    inner[0, 4, 4] = 1
    (term,) = off_centre().terms
    assert float(term.measure.value([tf.constant(inner)], None)[0]) == 0
    corner = np.zeros((1, 8, 8, 1), np.float32)
    corner[0, 0, 0] = 1
    assert float(term.measure.value([tf.constant(corner)], None)[0]) == pytest.approx(
        np.hypot(3.5, 3.5) / 4 - 0.64
    )


# --- the best picture is known -------------------------------------------------------------------


def test_the_best_picture_of_a_weighted_sum_is_white_where_weights_are_positive(linear):
    found = maximise(
        linear,
        classes(range(3)),
        start(linear),
        steps=60,
        rate=0.1,
        parametrisation=Pixels("clip"),
    )
    np.testing.assert_array_equal(found.images[..., 0], WEIGHTS.transpose(2, 0, 1) > 0)
    best = np.maximum(WEIGHTS, 0).sum((0, 1))
    # Were values only clipped at the end, what is climbed inside would exceed the best.
    assert (found.history <= best + 1e-4).all()
    assert found.history[-1] == pytest.approx(best, rel=1e-4)


def test_l1_leaves_black_what_is_worth_less_than_its_weight(linear):
    found = maximise(
        linear,
        classes(range(3)) - 0.8 * l1(),
        start(linear, "constant"),
        steps=80,
        rate=0.1,
        parametrisation=Pixels("clip"),
    )
    # About black the penalty's slope jumps from −λ to λ, so Adam comes to rest near it, not at it.
    np.testing.assert_array_equal(found.images[..., 0] > 0.5, WEIGHTS.transpose(2, 0, 1) > 0.8)
    assert ((found.images < 0.1) | (found.images > 0.9)).all()


def test_relative_penalties_mean_the_same_on_a_louder_network(keras):
    images = []
    for loud in (1.0, 250.0):
        model = keras.Sequential(
            [keras.layers.Input((4, 5, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
        )
        model.set_weights([loud * WEIGHTS.reshape(20, 3), np.zeros(3, np.float32)])
        network = Network(model)
        objective = classes(range(3)) - 1.0 * l1() - 0.3 * total_variation(2)
        images.append(maximise(network, objective, start(network), steps=60, relative=True).images)
    np.testing.assert_allclose(images[0], images[1], atol=1e-3)


@pytest.mark.parametrize("parametrisation", [Pixels(), Pixels("clip"), Fourier(), Fourier(0.5)])
@pytest.mark.parametrize(
    "transforms", [(), (Jitter(2),), (Jitter(1), Rotate(10), Scale(0.1), Blur(0.7), Erase(0.2))]
)
def test_the_activation_rises(small, parametrisation, transforms):
    objective = units("two", range(8))
    begin = start(small)
    found = maximise(
        small,
        objective,
        begin,
        steps=40,
        parametrisation=parametrisation,
        transforms=transforms,
        copies=2 if transforms else 1,
    )
    before = evaluate(small, objective, np.repeat(begin, 8, axis=0))
    assert (evaluate(small, objective, found.images) > before).all()
    assert found.moved.all()
    assert found.history.shape == (40, 8)
    assert (found.images >= small.input.low).all()
    assert (found.images <= small.input.high).all()


@pytest.mark.parametrize("of", ["log-probability", "margin"])
def test_a_class_gains_on_the_others(small, of):
    begin = start(small)
    found = maximise(small, classes(range(4), of), begin, steps=60)
    after = small.probabilities(found.images)[range(4), range(4)]
    assert (after > small.probabilities(begin)[0]).all()


def test_the_history_begins_with_the_start(small):
    begin = start(small)
    found = maximise(small, classes(range(4)), begin, steps=3)
    # The sigmoid holds the start a little inside black and white; noise about grey is not touched.
    np.testing.assert_allclose(found.history[0], small.scores(begin)[0], rtol=1e-3, atol=1e-4)


# --- one picture does not hang on another --------------------------------------------------------


def test_a_unit_alone_is_the_same_as_among_others(small):
    options = {"steps": 20, "transforms": (Jitter(2), Rotate(5)), "copies": 2, "seed": 4}
    together = maximise(small, units("two", range(8)), start(small), **options)
    alone = maximise(small, units("two", [5]), start(small), **options)
    np.testing.assert_allclose(alone.images[0], together.images[5], atol=1e-3)


def test_short_memory_changes_nothing_but_the_batches(small, monkeypatch):
    options = {"steps": 12, "transforms": (Jitter(1),), "copies": 2}
    whole = maximise(small, units("two", range(8)), start(small), **options)
    monkeypatch.setattr(type(small.memory), "batch_size", lambda self, per_item: 3)
    parts = maximise(small, units("two", range(8)), start(small), **options)
    np.testing.assert_allclose(parts.images, whole.images, atol=1e-3)
    np.testing.assert_allclose(parts.history, whole.history, rtol=1e-3, atol=1e-3)
    objective = units("two", range(8))
    np.testing.assert_allclose(
        evaluate(small, objective, parts.images)[7], whole.history[-1][7], rtol=0.3
    )


def test_same_seed_same_pictures(small):
    def run(seed):
        options = {"steps": 10, "transforms": (Jitter(3),), "seed": seed}
        return maximise(small, classes([1]), start(small, seed=seed), **options).images

    np.testing.assert_array_equal(run(1), run(1))
    assert abs(run(1) - run(2)).max() > 0.01


def test_restarts_keep_the_best(small):
    begins = np.concatenate([start(small, seed=seed, contrast=0.4) for seed in range(4)])
    many = maximise(small, units("two", range(8)), begins, steps=15, restarts=4)
    each = [
        maximise(small, units("two", range(8)), begin[None], steps=15).history[-1]
        for begin in begins
    ]
    np.testing.assert_allclose(many.history[-1], np.max(each, axis=0), rtol=1e-3)


# --- transforms are undone -----------------------------------------------------------------------


def test_jitter_is_undone_and_has_no_drift(linear):
    """A peer moves the picture by −½ pixel a step on average and never moves it back."""
    shifts = plan([Jitter(3)], 4000, 1, (28, 28), np.random.default_rng(0)).drawn["shifts"]
    assert set(np.unique(shifts)) == set(range(-3, 4))
    assert abs(shifts.mean()) < 0.1
    dot = np.zeros((1, 4, 5, 1), np.float32)
    dot[0, 1, 2] = 0.9
    mean = measure(lambda flat: flat[:, 0] * 0 + flat[:, 1], "flat")
    for transforms in ([Jitter(2)], [Jitter(2), Rotate(20)]):
        found = maximise(
            linear,
            mean,
            dot,
            steps=100,
            rate=1e-5,
            parametrisation=Pixels("clip"),
            transforms=transforms,
        )
        np.testing.assert_allclose(found.images, dot, atol=0.01)


class _Extreme:
    """Chance that always draws the upper end."""

    def uniform(self, low, high, shape):
        return np.full(shape, high)


@pytest.mark.parametrize(
    ("transforms", "expected"),
    [
        ([Rotate(180)], lambda p: p[:, ::-1, ::-1]),
        ([Rotate(90)], lambda p: np.rot90(p, axes=(1, 2))),
        ([Rotate(1e-4), Jitter(2)], lambda p: np.concatenate([p[:, 2:], p[:, -1:], p[:, -1:]], 1)),
    ],
)
def test_moves_are_about_the_middle(transforms, expected):
    import tensorflow as tf

    picture = RANDOM.random((2, 9, 9, 1)).astype(np.float32)
    made = plan(transforms, 1, 1, (9, 9), _Extreme())
    found = made.apply(tf.constant(picture), {"matrices": tf.constant(made.drawn["matrices"][0])})
    wanted = expected(picture)
    if len(transforms) > 1:  # the jitter goes right as well as down
        wanted = np.concatenate([wanted[:, :, 2:], wanted[:, :, -1:], wanted[:, :, -1:]], 2)
    np.testing.assert_allclose(found, wanted, atol=1e-3)


def test_blur_is_a_gaussian():
    import tensorflow as tf
    from scipy import ndimage

    picture = RANDOM.random((1, 20, 24, 2)).astype(np.float32)
    found = gaussian(tf.constant(picture), gaussian_kernel(1.3))
    wanted = ndimage.gaussian_filter(picture, (0, 1.3, 1.3, 0), mode="reflect", truncate=3.0)
    np.testing.assert_allclose(found, wanted, atol=2e-3)


def test_what_is_erased_is_black_and_of_the_asked_size():
    import tensorflow as tf

    made = plan([Erase(0.5)], 40, 3, (10, 14), np.random.default_rng(1))
    picture = tf.ones((2, 10, 14, 1))
    for step in range(40):
        found = np.asarray(made.apply(picture, {"holes": tf.constant(made.drawn["holes"][step])}))
        assert found.shape == (6, 10, 14, 1)
        top, left, bottom, right = made.drawn["holes"][step][0]
        assert (found[:2] == 0).sum() == 2 * np.prod(
            [min(bottom, 10) - max(top, 0), min(right, 14) - max(left, 0)]
        )


@pytest.mark.parametrize("parametrisation", [Pixels(), Pixels("clip"), Fourier(), Fourier(0.0)])
@pytest.mark.parametrize("size", [(8, 9, 3), (7, 6, 3), (5, 5, 1)])
def test_a_parametrisation_holds_the_picture_it_was_given(parametrisation, size):
    import tensorflow as tf

    unit = RANDOM.uniform(0.1, 0.9, (2, *size)).astype(np.float32)
    variable = tf.constant(parametrisation.encode(unit))
    np.testing.assert_allclose(parametrisation.decode(variable, size[:2]), unit, atol=1e-4)


# --- one layer less ------------------------------------------------------------------------------


def test_a_layer_without_activation_is_saved_and_nothing_changes(small, pictures, monkeypatch):
    name, weights, constants = small.affine("two", [3, 0, 7])
    before = small.activations(pictures, name)
    sums = np.tensordot(before, weights, ([1, 2, 3], [1, 2, 3])) + constants
    wanted = small.activations(pictures, "two").sum((1, 2))[:, [3, 0, 7]]
    np.testing.assert_allclose(sums, wanted, rtol=1e-3, atol=1e-4)
    assert small.affine("one", [0]) is None  # it ends in a ReLU
    options = {"steps": 10, "transforms": (Jitter(1),)}
    short = maximise(small, units("two", range(8)), start(small), **options)
    monkeypatch.setattr(type(small), "affine", lambda *_: None)
    long = maximise(small, units("two", range(8)), start(small), **options)
    np.testing.assert_allclose(short.images, long.images, atol=1e-3)
    np.testing.assert_allclose(short.history, long.history, rtol=1e-3, atol=1e-3)


# --- wrong input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda n: maximise(n, units("two", [8]), start(n)), "'two' has the units 0 to 7"),
        (lambda n: maximise(n, classes([4]), start(n)), "classes 0 to 3"),
        (lambda n: maximise(n, units("nowhere", [0]), start(n)), "nowhere"),
        (lambda n: maximise(n, l1(), start(n)), "measure something of the network"),
        (lambda n: maximise(n, classes([0, 1]) + classes([0]), start(n)), "one number of pictures"),
        (lambda n: maximise(n, classes([0, 1]), np.zeros((3, 15, 17, 3))), "is for 2 pictures"),
        (lambda n: maximise(n, classes([0]), np.zeros((1, 15, 17, 1))), r"N×H×W×3"),
        (lambda n: maximise(n, classes([0]), start(n), steps=0), "steps must be at least 1"),
        (lambda n: maximise(n, classes([0]), start(n), copies=0), "copies must be"),
        (lambda n: maximise(n, classes([0]), start(n), restarts=2), "2 restarts need"),
        (lambda n: maximise(n, classes([0]), start(n), transforms=[Jitter(0)]), "above 0"),
        (lambda n: maximise(n, classes([0]), start(n), transforms=[Erase(2)]), "at most 1"),
        (lambda n: maximise(n, classes([0]), start(n), transforms=[Jitter(1)] * 2), "one Jitter"),
        (lambda n: power(0.5), "at least 1"),
        (lambda n: total_variation(0), "at least 1"),
        (lambda n: measure("text"), "takes a function"),
        (lambda n: start(n, "fog"), "noise, constant, sample"),
    ],
)
def test_wrong_input_is_said_in_one_line(small, call, words):
    with pytest.raises(UsageError, match=words) as caught:
        call(small)
    assert "\n" not in str(caught.value)


def test_a_path_that_is_cut_is_said(linear):
    import tensorflow as tf

    cut = measure(lambda scores: tf.cast(tf.argmax(scores, -1), tf.float32), SCORES)
    with pytest.raises(ModelError, match="is cut"):
        maximise(linear, cut, start(linear), steps=2)


def test_numbers_that_are_not_finite_are_said(linear):
    wild = measure(lambda scores: scores[:, 0] / 0.0, SCORES)
    with pytest.raises(ModelError, match="NaN or infinite"):
        maximise(linear, wild, start(linear), steps=2)


@pytest.mark.parametrize("ending", ["own", "layer", "activation", "none"])
def test_a_layer_can_be_asked_for_what_goes_into_its_relu(keras, ending):
    import tensorflow as tf

    layers = keras.layers
    own = "relu" if ending == "own" else None
    stack = [layers.Input((6, 6, 1)), layers.Conv2D(2, 3, activation=own, name="conv")]
    if ending in ("layer", "activation"):
        stack.append(layers.ReLU(name="end") if ending == "layer" else
                     layers.Activation("relu", name="end"))  # fmt: skip
    model = keras.Sequential(stack)
    kernel = np.random.default_rng(3).standard_normal((3, 3, 1, 2)).astype(np.float32)
    model.set_weights([kernel, np.array([-9.0, 0.5], np.float32)])
    network = Network(model)
    name = network.layers[-1].name
    picture = np.random.default_rng(4).random((1, 6, 6, 1)).astype(np.float32)
    linear = tf.nn.bias_add(tf.nn.conv2d(picture, kernel, 1, "VALID"), [-9.0, 0.5])
    (found,) = network.trace(tf.constant(picture), name, rectified=False)
    np.testing.assert_allclose(found, linear, rtol=1e-4, atol=1e-5)
    (found,) = network.trace(tf.constant(picture), name)
    usual = linear if ending == "none" else tf.nn.relu(linear)
    np.testing.assert_allclose(found, usual, rtol=1e-4, atol=1e-5)
    with pytest.raises(UsageError, match="one layer alone"):
        network.trace(tf.constant(picture), name, scores=True, rectified=False)


def test_a_dead_unit_is_climbed_awake(keras):
    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((6, 6, 1)), layers.Conv2D(2, 3, activation="relu", name="conv")]
    )
    kernel = np.ones((3, 3, 1, 2), np.float32)
    model.set_weights([kernel, np.array([0.0, -6.0], np.float32)])
    network = Network(model)
    asleep = maximise(network, units("conv", [1]), start(network), steps=40)
    assert not asleep.moved.any()
    woken = maximise(network, units("conv", [1]), start(network), steps=40, rectified=False)
    assert woken.moved.all()
    awake = maximise(network, units("conv", [1]), woken.images, steps=5)
    assert awake.moved.all()
    both = maximise(network, units("conv", [0, 1]), start(network), steps=5).replaced([1], awake)
    assert both.moved.all()
    np.testing.assert_array_equal(both.images[1], awake.images[0])
    np.testing.assert_array_equal(both.history[:, 1], awake.history[:, 0])


def test_a_dead_unit_is_told(keras):
    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((6, 6, 1)), layers.Conv2D(2, 3, activation="relu", name="conv")]
    )
    kernel = np.ones((3, 3, 1, 2), np.float32)
    model.set_weights([kernel, np.array([0.0, -50.0], np.float32)])
    network = Network(model)
    found = maximise(network, units("conv", [0, 1]) - 0.1 * l1(), start(network), relative=True)
    assert found.moved.tolist() == [True, False]
    assert np.isfinite(found.images).all()


def test_pooling_with_channels_first_can_be_climbed(keras):
    layers, first = keras.layers, {"data_format": "channels_first"}
    keras.utils.set_random_seed(3)
    inputs = keras.Input((3, 12, 10))
    x = layers.Conv2D(4, 3, activation="relu", **first)(inputs)
    x = layers.GlobalAveragePooling2D(**first)(layers.MaxPooling2D(**first)(x))
    network = Network(keras.Model(inputs, layers.Dense(3)(x)))
    begin = start(network)
    found = maximise(network, classes([0, 2]), begin, steps=30, transforms=[Jitter(1)])
    assert found.history.shape == (30, 2)
    assert (found.history[-1] > found.history[0]).all()
