"""Every registered visualizer on every sort of network: what may be relied upon of each of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kerascnn import KerascnnError, Network, Result, visualize
from kerascnn.registry import Registry
from kerascnn.render import to_png

REGISTRY = Registry().discover()
# What makes the slow ones quick; anything not named here runs with its defaults.
QUICK = {
    "max-activation": {"steps": 2, "restarts": 1, "copies": 1},
    "deep-dream": {"steps": 1, "octaves": 1},
}
NETWORKS = ["softmax", "headless", "nested", "grey", "dense"]


def build(keras, kind):
    """Build a small network of some sort."""
    layers = keras.layers
    inputs = keras.Input((24, 24, 1 if kind == "grey" else 3))
    if kind == "dense":
        x = layers.Dense(6, activation="relu")(layers.Flatten()(inputs))
        return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
    x = layers.Conv2D(4, 3, activation="relu", name="one")(inputs)
    x = layers.MaxPooling2D()(x)
    if kind == "nested":
        inner = keras.Input((11, 11, 4))
        y = layers.DepthwiseConv2D(3)(inner)
        y = layers.ReLU()(layers.Conv2D(5, 1)(y))
        x = keras.Model(inner, y, name="inner")(x)
    else:
        x = layers.Conv2D(5, 3, activation="relu", name="two")(x)
    if kind == "headless":
        return keras.Model(inputs, x)
    x = layers.GlobalAveragePooling2D()(x)
    if kind == "grey":
        return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


@pytest.fixture(scope="module")
def networks(keras):
    keras.utils.set_random_seed(0)
    made = {}
    for kind in NETWORKS:
        model = build(keras, kind)
        random = np.random.default_rng(1)
        for weight in model.weights:  # no unit dead, none like another
            weight.assign(np.asarray(weight) + 0.05 + 0.05 * random.random(weight.shape))
        made[kind] = Network(model)
    return made


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    from PIL import Image

    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for index in range(2):
        values = random.integers(0, 256, (24, 24, 3), np.uint8)
        Image.fromarray(values).save(folder / f"{index}.png")
    return sorted(folder.iterdir())


def ask(visualizer, network, pictures):
    if not visualizer.reads_images:
        return visualize(visualizer, network)
    # One that takes pictures of any size takes them one at a time.
    return visualize(visualizer, network, pictures[:1] if visualizer.any_size else pictures)


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("name", sorted(REGISTRY.plugins))
def test_conformance(name, kind, networks, pictures, tmp_path):
    cls = REGISTRY.get(name).visualizer
    visualizer = cls(**QUICK.get(name, {}))
    network = networks[kind]
    weights = [np.array(weight) for weight in network.model.get_weights()]
    try:
        run = ask(visualizer, network, pictures)
    except KerascnnError as error:
        # A network of dense layers alone has no filters or maps; nothing else is excused.
        assert kind == "dense", error
        assert "\n" not in str(error)
        assert len(str(error)) > 20
        return
    result = run.result
    arrays = result.arrays()
    assert arrays
    for array in arrays.values():
        assert array.size
        if array.dtype.kind == "f":
            assert np.isfinite(array).all()
    assert result.title
    assert not result.captions or len(result.captions) == result.count

    # Same seed, same numbers; and the network is left as it was.
    again = ask(cls(**QUICK.get(name, {})), network, pictures).result.arrays()
    assert again.keys() == arrays.keys()
    for key, array in arrays.items():
        np.testing.assert_array_equal(again[key], array)
    for before, after in zip(weights, network.model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)

    # Written and read back, nothing is lost.
    path = tmp_path / "result.npz"
    result.save(path)
    loaded = Result.load(path)
    assert type(loaded) is type(result)
    for key, array in arrays.items():
        np.testing.assert_array_equal(loaded.arrays()[key], array)
    assert json.dumps(loaded.meaning(), sort_keys=True) == json.dumps(
        result.meaning(), sort_keys=True
    )
    json.dumps(run.manifest())

    png = to_png(run.figure())
    assert png.startswith(b"\x89PNG")
    assert len(png) > 2000


@pytest.mark.parametrize("name", sorted(REGISTRY.plugins))
def test_images_are_untouched(name, networks, pictures, monkeypatch):
    """The run write-protects them; a visualizer must not need to write."""
    cls = REGISTRY.get(name).visualizer
    if not cls.reads_images:
        pytest.skip("it reads no images")
    seen = []
    visualize_ = cls.visualize

    def spy(self, network, images, target):
        before = images.copy()
        result = visualize_(self, network, images, target)
        np.testing.assert_array_equal(images, before)
        seen.append(images.shape)
        return result

    monkeypatch.setattr(cls, "visualize", spy)
    ask(cls(**QUICK.get(name, {})), networks["softmax"], pictures)
    assert seen


def test_every_plugin_was_taken():
    assert not REGISTRY.problems
    assert {"filters", "occlusion", "saliency"} <= set(REGISTRY.plugins)
