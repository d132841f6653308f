"""Networks trained with seeds: they learn, resume where they were, and ties gain nothing."""

from __future__ import annotations

import numpy as np
import pytest

from kerascnn.lecture.experiments import runner
from kerascnn.lecture.experiments.spread import Spread
from kerascnn.lecture.experiments.task import Task
from kerascnn.storage.checkpoint import Checkpoint


def build(seed):
    import tf_keras

    layers, initializers = tf_keras.layers, tf_keras.initializers
    start = initializers.GlorotUniform(seed=seed)
    return tf_keras.Sequential(
        [
            layers.Embedding(9, 4, input_length=6, embeddings_initializer=start, name="e"),
            layers.Flatten(name="f"),
            layers.Dense(3, activation="softmax", kernel_initializer=start, name="d"),
        ]
    )


@pytest.fixture(scope="module")
def task():
    random = np.random.default_rng(0)
    x = random.integers(0, 9, (250, 6)).astype(np.int32)
    y = x[:, 2] // 3
    return Task(x[:200], y[:200], x[200:], y[200:])


def run(task, keep, epochs=30):
    return runner.run({"a": build}, task, keep, seeds=2, epochs=epochs, batch=5)


@pytest.fixture(scope="module")
def done(task, tmp_path_factory):
    keep = tmp_path_factory.mktemp("keep")
    return keep, run(task, keep)


def test_it_learns_through_an_embedding(done, task):
    _, found = done
    spread = found.spread("a", found.right())
    assert len(spread.values) == 2 and min(spread.values) > 0.9
    assert spread == found.spread("a", runner.on_test)


def test_a_broken_off_training_ends_with_the_same_numbers(done, task, tmp_path, monkeypatch):
    save, saved = Checkpoint.save, []

    def interrupted(self, state, record):
        save(self, state, record)
        saved.append(self.path.name)
        if len(saved) == 40:  # amid the second seed
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(task, tmp_path)
    monkeypatch.setattr(Checkpoint, "save", save)
    again = run(task, tmp_path)
    for ours, theirs in zip(again.of["a"], done[1].of["a"], strict=True):
        assert (ours.answers == theirs.answers).all()


def test_a_finished_training_is_not_repeated(done, task, monkeypatch):
    keep, found = done
    monkeypatch.setattr(runner.Trainer, "run_epoch", None)
    again = run(task, keep)
    assert (again.of["a"][1].answers == found.of["a"][1].answers).all()


def test_ties_gain_nothing():
    shares = np.array([[0.5, 0.3, 0.2], [0.4, 0.4, 0.2], [1 / 3] * 3], np.float32)
    assert runner.right(shares, np.array([0, 0, 0])) == pytest.approx(1 / 3)
    assert runner.right(shares, np.array([0, 0, 0]), 2) == pytest.approx(2 / 3)
    assert runner.right(shares, np.array([1, 2, 2]), 3) == 1


def test_better_means_with_every_seed():
    assert Spread((0.1, 0.2, 0.01)).is_gain
    assert not Spread((0.1, 0.2, -0.01)).is_gain
