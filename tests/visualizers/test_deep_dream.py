"""Deep Dream: the objective, exact tiles, octaves, and the film."""

from __future__ import annotations

import io

import numpy as np
import pytest

from kerascnn import Network, UsageError, visualize
from kerascnn.ascent import Dreamer, classes, dream, match, octave_sizes, shrink, strength, zoomed
from kerascnn.ascent.tiles import bytes_per_pixel, tiles
from kerascnn.errors import ModelError
from kerascnn.network.memory import MemoryBudget

RANDOM = np.random.default_rng(11)


@pytest.fixture(scope="session")
def convs(keras):
    """A chain with what makes tiles hard: strides, both paddings, odd sizes, pooling."""
    layers = keras.layers
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            layers.Input((None, None, 3)),
            layers.Conv2D(5, 3, padding="same", activation="relu", name="one"),
            layers.MaxPooling2D(name="pool"),
            layers.Conv2D(6, 3, strides=2, padding="same", name="strided"),
            layers.Conv2D(7, 3, activation="relu", name="valid"),
            layers.AveragePooling2D(2, padding="same", name="average"),
            layers.Conv2D(4, 3, padding="same", name="last"),
        ]
    )
    return Network(model, preprocessing="unit")


@pytest.fixture
def limited(convs):
    """Let the network take memory for tiles of a given side only."""
    before = convs.memory

    def limit(layers, side):
        per_pixel = bytes_per_pixel(convs, [convs.layer(name) for name in layers])
        convs.memory = MemoryBudget(int(per_pixel * side * side) + 1)

    yield limit
    convs.memory = before


# --- the objective -------------------------------------------------------------------------------


def test_its_gradient_is_the_activation_carried_back(keras):
    """½‖Wx‖² has the gradient WᵀWx: the positive grow larger, the negative more negative."""
    model = keras.Sequential(
        [keras.layers.Input((None, None, 3)), keras.layers.Conv2D(4, 1, name="mix")]
    )
    mix = RANDOM.standard_normal((3, 4)).astype(np.float32)
    model.set_weights([mix[None, None], np.zeros(4, np.float32)])
    network = Network(model, preprocessing="unit")
    unit = RANDOM.random((1, 9, 7, 3)).astype(np.float32)
    value, gradient = Dreamer(network, strength("mix")).gradient(unit)
    assert value == pytest.approx(0.5 * ((unit @ mix) ** 2).sum(), rel=1e-5)
    np.testing.assert_allclose(gradient, unit @ mix @ mix.T, rtol=1e-4, atol=1e-5)


def test_weights_blend_layers(convs):
    unit = RANDOM.random((1, 40, 44, 3)).astype(np.float32)
    one, other = (Dreamer(convs, strength(name)).gradient(unit) for name in ("one", "last"))
    both = Dreamer(convs, 0.5 * strength("one") - 2 * strength("last")).gradient(unit)
    assert both[0] == pytest.approx(0.5 * one[0] - 2 * other[0], rel=1e-4)
    np.testing.assert_allclose(both[1], 0.5 * one[1] - 2 * other[1], rtol=1e-3, atol=1e-5)


def test_a_guide_matches_each_place_with_its_best(keras):
    model = keras.Sequential(
        [keras.layers.Input((None, None, 3)), keras.layers.Conv2D(3, 1, name="same")]
    )
    model.set_weights([np.eye(3, dtype=np.float32)[None, None], np.zeros(3, np.float32)])
    network = Network(model, preprocessing="unit")
    guide = RANDOM.random((1, 4, 5, 3)).astype(np.float32)
    unit = RANDOM.random((1, 6, 6, 3)).astype(np.float32)
    value, gradient = Dreamer(network, match(network, "same", guide)).gradient(unit)
    products = unit.reshape(-1, 3) @ guide.reshape(-1, 3).T
    assert value == pytest.approx(products.max(-1).sum(), rel=1e-5)
    best = guide.reshape(-1, 3)[products.argmax(-1)].reshape(1, 6, 6, 3)
    np.testing.assert_allclose(gradient, best, atol=1e-5)


# --- tiles ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(128, 160), (131, 157), (90, 203)])
@pytest.mark.parametrize("layers", [("last",), ("one", "valid"), ("strided", "average", "last")])
def test_tiles_add_up_to_the_whole_exactly(convs, limited, size, layers):
    unit = RANDOM.random((1, *size, 3)).astype(np.float32)
    objective = strength(layers[0])
    for weight, name in enumerate(layers[1:], 2):
        objective = objective + weight * strength(name)
    dreamer = Dreamer(convs, objective)
    value, gradient = dreamer.gradient(unit)
    limited(layers, 88)
    counted = tiles(convs, [convs.layer(name) for name in layers], size, convs.memory.bytes)
    assert len(counted) > 1
    tiled_value, tiled = dreamer.gradient(unit)
    assert tiled_value == pytest.approx(value, rel=1e-5)
    np.testing.assert_allclose(tiled, gradient, atol=1e-4 * abs(gradient).max())


def test_a_dream_in_tiles_is_the_same_dream(convs, limited):
    picture = RANDOM.random((1, 120, 150, 3)).astype(np.float32)
    options = {"octaves": 2, "steps": 2, "jitter": 9}
    whole = dream(convs, strength("last"), picture, **options)
    limited(["last"], 96)
    tiled = dream(convs, strength("last"), picture, **options)
    assert whole.tiles == 1
    assert tiled.tiles > 1
    np.testing.assert_allclose(tiled.image, whole.image, atol=2e-3)


def test_memory_too_small_for_a_tile_is_said(convs, limited):
    limited(["last"], 20)
    with pytest.raises(ModelError, match="memory allows tiles of 20×20"):
        Dreamer(convs, strength("last")).gradient(np.zeros((1, 200, 200, 3), np.float32))


# --- the loop ------------------------------------------------------------------------------------


def test_what_the_network_sees_grows_stronger(convs):
    picture = RANDOM.uniform(0.3, 0.7, (1, 70, 80, 3)).astype(np.float32)
    found = dream(convs, strength("last"), picture, octaves=3, steps=6)
    for values in found.history:
        assert len(values) == 6
        assert values[-1] > values[0]
    dreamer = Dreamer(convs, strength("last"))
    assert dreamer.gradient(found.image)[0] > 1.2 * dreamer.gradient(picture)[0]
    assert found.sizes == ((36, 41), (50, 57), (70, 80))


def test_values_are_held_inside_the_loop(convs):
    """A peer clips only what it returns; what is climbed would then be no picture."""
    picture = np.ones((1, 40, 40, 3), np.float32)
    dreamer = Dreamer(convs, strength("one"))
    seen = []
    inner = dreamer.gradient

    def watched(unit):
        seen.append((unit.min(), unit.max()))
        return inner(unit)

    dreamer.gradient = watched
    dreamer.dream(picture, octaves=1, steps=5, rate=200)
    assert len(seen) == 5
    assert all(low >= 0 and high <= 1 for low, high in seen)


def test_jitter_is_undone(convs):
    """With steps too small to be seen, the picture comes back where it was."""
    picture = RANDOM.random((1, 48, 52, 3)).astype(np.float32)
    found = dream(convs, strength("one"), picture, octaves=1, steps=15, rate=1e-4, jitter=20)
    np.testing.assert_allclose(found.image, picture, atol=1e-3)


def test_an_average_pixel_moves_by_the_rate(convs):
    picture = RANDOM.uniform(0.4, 0.6, (1, 60, 60, 3)).astype(np.float32)
    found = dream(convs, strength("one"), picture, octaves=1, steps=1, rate=1.5)
    assert abs(found.image - picture).mean() * 255 == pytest.approx(1.5, rel=1e-3)


def test_same_seed_same_dream(convs):
    picture = RANDOM.random((1, 48, 48, 3)).astype(np.float32)
    runs = [
        dream(convs, strength("one"), picture, octaves=1, steps=3, seed=seed).image
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert abs(runs[0] - runs[2]).max() > 0


def test_sizes():
    assert octave_sizes((512, 384), 4, 1.4) == [(187, 140), (261, 196), (366, 274), (512, 384)]
    assert octave_sizes((28, 28), 4, 1.4) == [(28, 28)]
    picture = RANDOM.random((1, 60, 90, 3)).astype(np.float32)
    assert shrink(picture, 45).shape == (1, 30, 45, 3)
    assert shrink(picture, 0) is picture
    assert shrink(picture, 100) is picture
    even = np.full((1, 20, 30, 3), 0.3, np.float32)
    np.testing.assert_allclose(zoomed(even, 1.1), even, atol=1e-6)
    dot = np.zeros((1, 21, 21, 1), np.float32)
    dot[0, 10, 10] = 1
    assert zoomed(dot, 1.05)[0, 10, 10, 0] > 0.9


def test_terms_without_maps_are_refused(convs):
    with pytest.raises(UsageError, match="strength"):
        Dreamer(convs, classes([0]))


# --- the plugin ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def plugin():
    from kerascnn_plugins.deep_dream import DeepDream

    return DeepDream


@pytest.fixture(scope="session")
def photograph(tmp_path_factory):
    from PIL import Image

    path = tmp_path_factory.mktemp("pictures") / "photo.png"
    Image.fromarray(RANDOM.integers(0, 255, (60, 90, 3), np.uint8)).save(path)
    return path


def test_the_picture_keeps_its_own_size(keras, plugin, photograph):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((20, 20, 3)),
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    run = visualize(plugin(steps=2, octaves=2, layer=("conv",)), Network(model), [photograph])
    assert run.result.values.shape == (2, 60, 90, 3)
    assert run.result.facts["octaves"] == [[43, 64], [60, 90]]
    with pytest.raises(UsageError, match="takes no target"):
        visualize(plugin(), Network(model), [photograph], target="1")
    with pytest.raises(UsageError, match="has no maps"):
        visualize(plugin(layer=("dense*",)), Network(model), [photograph])
    with pytest.raises(UsageError, match="one image at a time"):
        visualize(plugin(), Network(model), [photograph, photograph])


def test_the_choice_of_layer_is_told(convs, plugin, photograph):
    run = visualize(plugin(steps=1, octaves=1), convs, [photograph])
    assert run.result.facts["layers"] == ["valid"]
    assert any("layer valid" in note for note in run.result.notes)
    with pytest.raises(UsageError, match="--weight takes a number for each of the 2"):
        visualize(plugin(layer=("one", "last"), weight=(1.0,)), convs, [photograph])
    with pytest.raises(UsageError, match="--guide takes the path"):
        visualize(plugin(guide="nowhere.png"), convs, [photograph])
    guided = visualize(plugin(guide=str(photograph), steps=1, octaves=1), convs, [photograph])
    assert "guide" in guided.result.title


def test_a_film_is_written(convs, plugin, photograph, tmp_path):
    from PIL import Image

    visualizer = plugin(steps=1, octaves=1, zoom=3, size=48, layer=("one",))
    paths = visualize(visualizer, convs, [photograph]).save(tmp_path)
    film = Image.open(paths["gif"])
    assert film.n_frames == 4
    assert film.size == (48, 32)
    assert Image.open(io.BytesIO(paths["png"].read_bytes())).format == "PNG"


def test_mp4_without_its_packages_is_said_before_the_work(convs, plugin, photograph, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    monkeypatch.setattr(Dreamer, "dream", lambda *_, **__: pytest.fail("the work began"))
    with pytest.raises(UsageError, match="an MP4 film needs two more packages"):
        visualize(plugin(zoom=2, film="mp4"), convs, [photograph])
