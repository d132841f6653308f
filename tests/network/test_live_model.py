"""The user's own model is never written to while its network is used in other threads."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from kerascnn import Network, Unit

SIZE = (16, 16)


@pytest.fixture
def model(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((*SIZE, 3)),
            layers.Conv2D(4, 3, padding="same", activation="relu", name="conv"),
            layers.MaxPooling2D(2, padding="same", name="pool"),
            layers.Flatten(),
            layers.Dense(3, activation="softmax", name="scores"),
        ]
    )


def ask(model):
    """Ask all that needs a layer without its activation or its padding."""
    random = np.random.default_rng(0)
    images = random.random((2, *SIZE, 3), np.float32)
    network = Network(model)
    network.scores(images)
    network.gradients(images, 1)
    network.trace(images, "conv", rectified=False)
    places = np.array([[y, 3, y + 3, 6] for y in range(6)])
    network.patched_scores(images[0], np.zeros(3), places, incremental=True)
    network.patched_scores(images[0], np.zeros(3), places, unit=Unit("pool"), incremental=True)


def attributes(model):
    return [
        (layer.name, getattr(layer, "activation", None), getattr(layer, "padding", None))
        for layer in model.layers
    ]


def test_no_attribute_of_a_layer_is_set(model, monkeypatch):
    written = []
    for cls in {type(layer) for layer in model.layers}:

        def noted(layer, name, value, _write=cls.__setattr__):
            if name in ("activation", "padding"):
                written.append((layer.name, name))
            _write(layer, name, value)

        monkeypatch.setattr(cls, "__setattr__", noted)
    before = attributes(model)
    ask(model)
    assert not written
    assert attributes(model) == before


def test_the_users_calls_are_right_while_four_threads_ask(model):
    images = np.random.default_rng(1).random((4, *SIZE, 3), np.float32)
    before, expected = attributes(model), np.asarray(model(images))
    failures, answers, running = [], [], threading.Event()

    def asking():
        for _ in range(3):
            try:
                ask(model)
            except Exception as error:
                failures.append(error)

    def calling():
        while running.is_set():
            answers.append(np.asarray(model(images)))

    running.set()
    user = threading.Thread(target=calling)
    threads = [threading.Thread(target=asking) for _ in range(4)]
    for thread in (user, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    running.clear()
    user.join()
    assert not failures
    assert answers
    assert all(np.array_equal(answer, expected) for answer in answers)
    assert attributes(model) == before
