"""Every registered visualizer on every sort of network: what may be relied upon of each of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from helpers.figures import is_drawn
from kerascnn import KerascnnError, Network, visualize
from kerascnn.plugin.registry import Registry
from kerascnn.render import to_png
from kerascnn.testing import check_visualizer

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


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("name", sorted(REGISTRY.plugins))
def test_conformance(name, kind, networks):
    visualizer = REGISTRY.get(name).visualizer(**QUICK.get(name, {}))
    try:
        check_visualizer(visualizer, networks=[networks[kind]])
    except KerascnnError as error:
        # A network of dense layers alone has no filters or maps; nothing else is excused.
        assert kind == "dense", error
        assert "\n" not in str(error)
        assert len(str(error)) > 20


@pytest.mark.parametrize("name", sorted(REGISTRY.plugins))
def test_a_run_has_a_manifest_and_a_picture(name, networks):
    run = visualize(REGISTRY.get(name).visualizer(**QUICK.get(name, {})), networks["softmax"])
    manifest = json.loads(json.dumps(run.manifest()))
    assert manifest["plugin"] == name
    assert is_drawn(to_png(run.figure()))


def test_every_plugin_was_taken():
    assert not REGISTRY.problems
    assert {"filters", "occlusion", "saliency"} <= set(REGISTRY.plugins)
