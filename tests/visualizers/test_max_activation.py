"""max-activation: the lecture's findings, the choice of units and settings, wrong input."""

from __future__ import annotations

import json

import numpy as np
import pytest

from helpers.figures import is_drawn
from kerascnn import Network, UsageError, visualize
from kerascnn.ascent import evaluate, units


@pytest.fixture(scope="session")
def plugin():
    from kerascnn_plugins.max_activation import MaxActivation

    return MaxActivation


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The lecture's network after a short training, saved."""
    from kerascnn import datasets, models

    digits = datasets.load_mnist()
    model = models.cnn(seed=0)
    model.compile("adam", "sparse_categorical_crossentropy", steps_per_execution=20)
    pictures = np.asarray(digits.x_train[:4000], np.float32).reshape(-1, 28, 28, 1)
    model.fit(pictures / 255, digits.y_train[:4000], batch_size=100, epochs=2, verbose=0)
    path = tmp_path_factory.mktemp("trained") / "cnn.h5"
    model.save(path)
    return path


@pytest.fixture(scope="session")
def digits(trained):
    return Network.load(trained)


@pytest.fixture(scope="session")
def colours(keras):
    """A network of colour pictures that is larger than what its filters see."""
    layers = keras.layers
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            layers.Input((100, 104, 3)),
            layers.Conv2D(24, 3, activation="relu", name="edges"),
            layers.MaxPooling2D(4),
            layers.Conv2D(30, 3, activation="relu", name="parts"),
            layers.GlobalAveragePooling2D(name="mean"),
            layers.Dense(25, activation="softmax", name="classes"),
        ]
    )
    return Network(model, preprocessing="caffe")


# --- the lecture's findings ----------------------------------------------------------------------


def test_without_regulariser_the_network_is_sure_of_noise(digits, plugin):
    run = visualize(plugin(preset="none"), digits)
    assert run.result.values.shape == (10, 28, 28, 1)
    assert min(run.result.facts["confidence"]) > 0.99
    assert any("confidence in each: 0: p = " in note for note in run.result.notes)
    # Television noise: neighbours differ as much as pixels anywhere do.
    values = run.result.values
    steps = abs(np.diff(values, axis=1)).mean()
    assert steps > 0.3 * abs(values - np.roll(values, 9, axis=1)).mean()


def test_l1_leaves_less_ink_and_natural_makes_strokes(digits, plugin):
    none, few, natural = (
        visualize(plugin(preset=preset, steps=120), digits).result.values
        for preset in ("none", "l1", "natural")
    )
    assert few.mean() < 0.6 * none.mean()
    assert natural.mean() < 0.6 * none.mean()

    def roughness(values):
        return (np.diff(values, axis=2) ** 2).mean() / values.var()

    assert roughness(natural) < 0.3 * roughness(none)


def test_the_activation_of_every_filter_rises(digits, plugin):
    layer = digits.convolutions()[1].name
    run = visualize(plugin(layer=layer, preset="none", unit=("0-11",), steps=40), digits)
    facts = run.result.facts
    assert facts["units"] == list(range(12))
    assert (np.array(facts["activation"]) > np.array(facts["activation_at_start"])).all()
    found = evaluate(digits, units(layer, range(12)), run.result.values)
    np.testing.assert_allclose(found, facts["activation"], rtol=1e-4)
    maps = digits.activations(run.result.values, layer).sum((1, 2))
    np.testing.assert_allclose(maps[range(12), range(12)], facts["activation"], rtol=1e-3)
    json.dumps(run.manifest())


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_natural_pictures_are_digits_to_a_judge_without_a_network(plugin, seed):
    """Named by 5 nearest neighbours among the training digits, and as close as digits are."""
    from kerascnn import datasets, models

    data = datasets.load_mnist()
    train = np.asarray(data.x_train[:10_000], np.float32).reshape(-1, 784) / 255
    labels = data.y_train[:10_000]
    model = models.cnn(seed=seed)
    model.compile("adam", "sparse_categorical_crossentropy", steps_per_execution=50)
    model.fit(train.reshape(-1, 28, 28, 1), labels, batch_size=100, epochs=20, verbose=0)
    network = Network(model)
    noise = visualize(plugin(preset="none"), network).result
    assert min(noise.facts["confidence"]) >= 0.999
    natural = visualize(plugin(), network).result
    assert min(natural.facts["confidence"]) >= 0.99
    flat = natural.values.reshape(10, 784)
    distances = ((flat[:, None] - train[None]) ** 2).sum(-1)
    near = labels[distances.argsort(axis=1)[:, :5]]
    assert [int(np.bincount(row).argmax()) for row in near] == list(range(10))
    cosines = flat @ train.T / np.linalg.norm(flat, axis=1)[:, None] / np.linalg.norm(train, axis=1)
    # 0.69: the first percentile of the test digits' own.
    assert (cosines.max(axis=1) > 0.69).all()


# --- what is taken for an answer -----------------------------------------------------------------


def test_the_choice_of_units_is_told(colours, plugin):
    run = visualize(plugin(steps=1), colours)
    assert run.result.facts["units"] == list(range(12))
    assert run.result.values.shape == (12, 100, 104, 3)
    assert any("first 12 of the 25" in note for note in run.result.notes)
    run = visualize(plugin(steps=1, layer="edges", unit=("23", "3-4")), colours)
    assert run.result.facts["units"] == [23, 3, 4]
    # A filter that sees 3×3 needs no large picture.
    assert run.result.values.shape == (3, 96, 96, 3)
    run = visualize(plugin(steps=1, layer="edges", unit=("1",), size=40), colours)
    assert run.result.values.shape == (1, 40, 40, 3)
    run = visualize(plugin(steps=1, size=24, layer="last-conv", unit=("all",)), colours)
    assert len(run.result.values) == 30
    assert "--layer last-conv is parts" in run.result.notes


@pytest.mark.parametrize("begin", ["noise", "constant", "sample"])
def test_colour_pictures_stay_within_black_and_white(colours, plugin, begin):
    visualizer = plugin(steps=6, rate=1.0, layer="parts", unit=("0-2",), start=begin)
    values = visualize(visualizer, colours).result.values
    assert (values >= colours.input.low - 1e-3).all()
    assert (values <= colours.input.high + 1e-3).all()


def test_an_option_overrules_its_preset(digits, plugin):
    run = visualize(plugin(preset="natural", jitter=0, copies=2, steps=3), digits)
    used = run.result.facts["settings"]
    assert (used["jitter"], used["copies"], used["steps"]) == (0, 2, 3)
    assert used["variation"] > 0


def test_a_filter_has_no_middle_and_classes_begin_three_times(digits, plugin):
    layer = digits.convolutions()[0].name
    for options, expected in (({"layer": layer}, (0.0, 1)), ({}, (5.6, 3))):
        run = visualize(plugin(steps=1, unit=("1",), **options), digits)
        used = run.result.facts["settings"]
        assert (used["off_centre"], used["restarts"]) == expected
    run = visualize(plugin(steps=1, unit=("1",), start="constant"), digits)
    assert run.result.facts["settings"]["restarts"] == 1


def test_a_real_digit_is_a_start(digits, plugin, tmp_path):
    from PIL import Image

    stroke = np.zeros((28, 28), np.uint8)
    stroke[4:24, 13:15] = 255
    path = tmp_path / "one.png"
    Image.fromarray(stroke).save(path)
    run = visualize(plugin(preset="none", start=str(path), unit=("1",), steps=1, rate=1e-4), digits)
    np.testing.assert_allclose(run.result.values[0, :, :, 0], stroke / 255, atol=0.03)


def test_a_dead_unit_is_told(keras, plugin):
    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((8, 8, 1)), layers.Conv2D(3, 3, activation="relu", name="conv")]
    )
    kernel = np.ones((3, 3, 1, 3), np.float32)
    # The second answers to strong contrast alone, the third never.
    kernel[:, :, 0, 1] = [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]
    model.set_weights([kernel, np.array([0.0, -2.5, -90.0], np.float32)])
    run = visualize(plugin(preset="none", steps=30, layer="conv"), Network(model))
    facts = run.result.facts
    assert facts["activation"][0] > facts["activation_at_start"][0]
    assert facts["activation"][1] > 0
    assert facts["activation"][2] == 0
    assert any(note.startswith("2: nothing activated it") for note in run.result.notes)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"unit": ("10",)}, "0 to 9"),
        ({"unit": ("x",)}, "--unit takes"),
        ({"layer": "nowhere"}, "nowhere"),
        ({"layer": "conv*"}, "takes one layer"),
        ({"where": "centre"}, "--layer with maps"),
        ({"size": 30}, "see the whole picture"),
        ({"start": "fog"}, "--start takes"),
        ({"start": "constant", "restarts": 2}, "--restarts"),
    ],
)
def test_wrong_options_are_said_in_one_line(digits, plugin, options, words):
    with pytest.raises(UsageError, match=words) as caught:
        visualize(plugin(steps=1, **options), digits)
    assert "\n" not in str(caught.value)


def test_by_the_command_line(command, trained, tmp_path):
    done = command(
        "visualize", trained, "--plugin", "max-activation", "--steps", "5", "--unit", "3,7",
        "--preset", "l1", "--json", "--out", tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert len(said["facts"]["confidence"]) == 2
    assert is_drawn((tmp_path / "max-activation.png").read_bytes())
