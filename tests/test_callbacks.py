"""Results in notebooks, and visualizers while a model is trained."""

from __future__ import annotations

import base64
import importlib.util
import re

import numpy as np
import pytest

from helpers.figures import is_drawn
from kerascnn import Heatmap, Images, Network, Result, UsageError, Visualizer, option, visualize
from kerascnn.callbacks import VisualizeCallback


class Brightness(Visualizer):
    """The picture's brightness."""

    name = "brightness"
    fail: bool = option(False, "fail")

    def visualize(self, network, images, target):
        """Brightness."""
        if self.fail:
            raise UsageError("told to fail")
        shift = float(network.model.get_weights()[0].sum())
        return Heatmap(images.mean(axis=-1) + shift, over=images, title="brightness")


def model_of(keras):
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((12, 12, 1)),
        keras.layers.Conv2D(2, 3, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(2, activation="softmax"),
    ]
    model = keras.Sequential(layers)
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


X = np.random.default_rng(0).random((8, 12, 12, 1), np.float32)
Y = np.arange(8) % 2


def test_it_asks_every_few_epochs_and_writes(keras, tmp_path, capsys):
    model = model_of(keras)
    failing = Brightness(fail=True)
    callback = VisualizeCallback(
        [Brightness(), failing], X[:2], every=2, folder=tmp_path / "maps",
        tensorboard=tmp_path / "board", preprocessing="unit",
    )  # fmt: skip
    model.fit(X, Y, epochs=5, verbose=0, callbacks=[callback])
    model.evaluate(X, Y, verbose=0, callbacks=[callback])
    model.predict(X, verbose=0, callbacks=[callback])
    names = sorted(path.name for path in (tmp_path / "maps" / "brightness").glob("*.npz"))
    assert names == ["epoch-0001.npz", "epoch-0003.npz", "epoch-0005.npz"]
    # Each is of the weights as they were then.
    results = [Result.load(tmp_path / "maps" / "brightness" / name) for name in names]
    assert abs(results[0].values - results[-1].values).max() > 0
    weights = float(model.get_weights()[0].sum())
    np.testing.assert_allclose(results[-1].values, X[:2].mean(axis=-1) + weights, rtol=1e-5)
    assert list((tmp_path / "board").glob("events.out.tfevents.*"))
    err = capsys.readouterr().err
    assert err.count("told to fail") == 3
    assert "epoch 3, brightness: told to fail" in err


def test_grey_pictures_without_an_axis_and_a_visualizer_by_its_name(keras, tmp_path):
    model = model_of(keras)
    callback = VisualizeCallback("saliency", X[:2, ..., 0], folder=tmp_path, target="1")
    model.fit(X, Y, epochs=1, verbose=0, callbacks=[callback])
    assert is_drawn((tmp_path / "saliency" / "epoch-0001.png").read_bytes())


@pytest.mark.parametrize(
    ("arguments", "more", "words"),
    [
        (["salency"], {"folder": "x"}, "salency.*saliency"),
        ([[]], {"folder": "x"}, "a visualizer"),
        (["saliency"], {}, "folder"),
        (["saliency"], {"folder": "x", "every": 0}, "every.*0"),
    ],
)
def test_what_is_wrong_is_told_before_the_training(arguments, more, words):
    with pytest.raises(UsageError, match=words):
        VisualizeCallback(*arguments, **more)


def test_results_show_themselves(tmp_path):
    result = Images(X * 255, title='<b a="1">', notes=["<script>"], captions=["$x_$"] * 8)
    bundle = result._repr_mimebundle_()
    assert bundle["image/png"].startswith(b"\x89PNG")
    shown = bundle["text/html"]
    png = re.search(r"base64,([A-Za-z0-9+/=]+)", shown)[1]
    assert base64.b64decode(png) == bundle["image/png"]
    assert "<script>" not in shown
    assert "<b" not in shown


def test_runs_show_themselves(keras):
    run = visualize(Brightness(), Network(model_of(keras), preprocessing="unit"))
    assert run._repr_png_().startswith(b"\x89PNG")


def test_a_missing_tensorboard_is_told_before_the_training(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="TensorBoard is not installed"):
        VisualizeCallback("saliency", tensorboard=tmp_path)
