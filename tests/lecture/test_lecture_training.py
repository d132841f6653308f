"""Our training against Keras' own, and against itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kerascnn.datasets import load_mnist
from kerascnn.lecture.experiments import training
from kerascnn.lecture.experiments.mnist import NETWORKS, task
from kerascnn.lecture.experiments.training import Trainer, accuracy, reach

SEED = 5


@pytest.fixture(scope="module")
def digits():
    return load_mnist(250)


def trainer_of(name, digits, seed=SEED):
    model = NETWORKS[name](seed)
    parts = task(digits).shaped(model)
    return Trainer(model, parts.x_train, parts.y_train, seed=seed), parts


def order(epoch, count):
    return np.random.default_rng((SEED, epoch)).permutation(count)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_steps_are_those_of_keras(name, digits):
    ours, parts = trainer_of(name, digits)
    theirs = NETWORKS[name](SEED)
    theirs.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    labels = np.eye(10, dtype=np.float32)[parts.y_train]
    for epoch in range(2):
        seen = ours.run_epoch()
        losses, right, count = 0.0, 0.0, 0
        for batch in np.split(order(epoch, 250), [100, 200]):  # the last one is smaller
            loss, accuracy = theirs.train_on_batch(
                parts.x_train[batch], labels[batch], reset_metrics=True
            )
            losses, right = losses + loss * len(batch), right + accuracy * len(batch)
            count += len(batch)
        assert count == 250
        assert seen.loss == pytest.approx(losses / 250, rel=1e-4)
        assert seen.accuracy == pytest.approx(right / 250, abs=1e-6)
    for a, b in zip(ours.model.get_weights(), theirs.get_weights(), strict=True):
        # Where a gradient is nothing but rounding, Adam makes a whole step of its sign.
        apart = np.abs(a - b)
        assert np.mean(apart > 1e-5) < 2e-3
        assert apart.max() < 6 * 2e-3
    assert int(ours.model.optimizer.iterations) == int(theirs.optimizer.iterations) == 6
    state, theirs_state = (m.optimizer.variables for m in (ours.model, theirs))
    for a, b in zip(state, theirs_state, strict=True):
        assert a.name == b.name
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-2, atol=1e-5)


def test_how_the_steps_are_called_does_not_matter(digits, monkeypatch):
    whole, _ = trainer_of("dnn", digits)
    expected = whole.run_epoch()
    monkeypatch.setattr(training, "CALL", 1)
    steps, _ = trainer_of("dnn", digits)
    assert steps.run_epoch().loss == pytest.approx(expected.loss)
    for a, b in zip(whole.model.get_weights(), steps.model.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_another_seed_gives_another_order(digits):
    model = NETWORKS["dnn"](0)
    start = model.get_weights()
    found = []
    for seed in (0, 1):
        model.set_weights(start)
        parts = task(digits).shaped(model)
        found.append(Trainer(model, parts.x_train, parts.y_train, seed=seed).run_epoch().loss)
    assert found[0] != found[1]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_restored_training_goes_on_as_it_would_have(name, digits):
    straight, _ = trainer_of(name, digits)
    expected = [straight.run_epoch() for _ in range(3)]
    begun, _ = trainer_of(name, digits)
    assert begun.run_epoch() == expected[0]  # the same seed, the same numbers
    kept = begun.state()
    copied = {key: value.copy() for key, value in kept.items()}
    begun.run_epoch()
    for key, value in kept.items():  # a state is not moved on by what follows
        assert np.array_equal(value, copied[key]), key
    again, _ = trainer_of(name, digits)
    again.restore(kept)
    assert again.epoch == 1
    assert [again.run_epoch() for _ in range(2)] == expected[1:]
    final = straight.state()
    for key, value in again.state().items():
        assert np.array_equal(value, final[key]), key


def test_the_state_of_another_network_is_refused_and_changes_nothing(digits):
    cnn, _ = trainer_of("cnn", digits)
    before = cnn.state()
    with pytest.raises(ValueError, match="instead of"):
        cnn.restore(trainer_of("cnn-as-written", digits)[0].state())
    with pytest.raises(ValueError, match="other variables"):
        cnn.restore({"epoch": np.array(1)})
    for key, value in cnn.state().items():
        assert np.array_equal(value, before[key])


def test_training_learns(digits):
    trainer, parts = trainer_of("cnn", digits)
    untrained = accuracy(trainer.model, parts.x_train, parts.y_train)
    for _ in range(12):
        trainer.run_epoch()
    assert untrained < 0.4
    assert accuracy(trainer.model, parts.x_train, parts.y_train) > 0.9


@pytest.mark.parametrize("batch", [1, 7, 100, 1000])
def test_accuracy_counts_as_keras_does(digits, batch):
    model = NETWORKS["dnn"](1)
    parts = task(digits).shaped(model)
    pictures, labels = parts.x_train[:50], parts.y_train[:50]
    expected = np.mean(np.argmax(model.predict(pictures, verbose=0), axis=1) == labels)
    assert accuracy(model, pictures, labels, batch) == expected


# --- the part of the picture that counts ------------------------------------------------------


def influence(model):
    """Which values of the picture the model's answers depend on, by their derivatives."""
    import tensorflow as tf

    @tf.function
    def slopes(pictures):
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            answers = model(pictures)
        return tape.gradient(answers, pictures)

    pictures = np.random.default_rng(0).random((16, *model.input_shape[1:]), np.float32)
    return np.any(slopes(tf.constant(pictures)).numpy() != 0, axis=0)


def front(model):
    """The layers up to the Flatten, as a model of their own: softmax has flat spots."""
    import tf_keras

    return tf_keras.Model(model.input, model.get_layer("flatten").output)


@pytest.mark.parametrize("name", ["cnn", "cnn-as-written"])
def test_what_is_not_convolved_has_no_influence(name):
    model = NETWORKS[name](0)
    counts = influence(front(model))
    part = reach(model)
    assert counts[part].all()
    counts[part] = False
    assert not counts.any()


def test_the_lectures_network_looks_at_26_of_28_rows():
    assert reach(NETWORKS["cnn"](0)) == (slice(26), slice(26), slice(1))
    assert reach(NETWORKS["cnn-as-written"](0)) == (slice(1), slice(26), slice(28))
    assert reach(NETWORKS["dnn"](0)) == (slice(784),)


layers = st.one_of(
    st.tuples(st.just("conv"), st.integers(1, 3), st.integers(1, 2), st.sampled_from("FL")),
    st.tuples(st.just("pool"), st.integers(1, 3), st.integers(1, 3), st.sampled_from("FL")),
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(stack=st.lists(layers, min_size=1, max_size=3), shape=st.tuples(*3 * [st.integers(7, 12)]))
def test_reach_on_any_stack(stack, shape):
    import tf_keras

    model = tf_keras.Sequential([tf_keras.layers.Input(shape)])
    formats = {"F": "channels_first", "L": "channels_last"}
    try:
        for kind, window, stride, order_of_axes in stack:
            place = {"data_format": formats[order_of_axes], "strides": stride}
            if kind == "conv":
                # Positive weights: nothing cancels.
                positive = tf_keras.initializers.RandomUniform(0.1, 1, seed=0)
                model.add(tf_keras.layers.Conv2D(9, window, kernel_initializer=positive, **place))
            else:
                model.add(tf_keras.layers.MaxPooling2D(window, **place))
        model.add(tf_keras.layers.Flatten(name="flatten"))
    except ValueError:  # nothing would be left of the picture
        return
    counts = influence(model)
    counts[reach(model)] = False
    assert not counts.any()


def test_the_whole_picture_counts_where_layers_are_of_other_kinds():
    import tf_keras

    keras = tf_keras.layers
    for layer in (
        keras.Conv2D(3, 3, padding="same"),
        keras.Conv2D(3, 3, dilation_rate=2),
        keras.AveragePooling2D(2),
        keras.DepthwiseConv2D(3),
    ):
        model = tf_keras.Sequential([keras.Input((9, 9, 1)), layer, keras.MaxPooling2D(2)])
        model.add(keras.Flatten())
        assert reach(model) == (slice(9), slice(9), slice(1))
    headless = tf_keras.Sequential([keras.Input((9, 9, 1)), keras.Conv2D(3, 3)])
    assert reach(headless) == (slice(9), slice(9), slice(1))
