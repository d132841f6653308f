"""The top-images plugin and its sweeps: brute force, wherever it is cut, whatever lies in it."""

from __future__ import annotations

import json
import threading
import time
from typing import ClassVar

import numpy as np
import psutil
import pytest

from helpers.figures import is_drawn
from kerascnn import (
    ImageError,
    Images,
    ModelError,
    Network,
    PluginError,
    TopImages,
    UsageError,
    visualize,
)
from kerascnn.images import Picture, read_pictures
from kerascnn.images.picture_sets import Chunk, PictureFiles
from kerascnn.plugin.registry import Registry
from kerascnn.render import draw, to_png
from kerascnn.run.sweep import sweep

Top = Registry().discover().get("top-images").visualizer
DRAW = np.random.default_rng(0)


def build(keras):
    """Weights that are whole numbers: with bytes for pixels, every sum is exact in any order."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(6, 3, name="one"),
            layers.MaxPooling2D(),
            layers.Conv2D(8, 3, name="two"),
            layers.Flatten(name="flat"),
            layers.Dense(5, activation="softmax", name="out"),
        ]
    )
    draw_ = np.random.default_rng(3)
    weights = [draw_.integers(-2, 3, w.shape).astype(np.float32) for w in model.get_weights()]
    model.set_weights([*weights[:-2], weights[-2] * 1e-7, weights[-1]])
    return model


@pytest.fixture(scope="module")
def network(keras):
    return Network(build(keras), preprocessing="raw")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    import tf_keras

    path = tmp_path_factory.mktemp("model") / "m.h5"
    build(tf_keras).save(path)
    return path


def pictures(count):
    return DRAW.integers(0, 256, (count, 12, 12, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve pictures, one of them twice, and a stack of eight; what is no picture between them."""
    from PIL import Image

    path = tmp_path_factory.mktemp("pictures")
    for number in range(12):
        values = DRAW.integers(0, 256, (12, 12), np.uint8)
        Image.fromarray(values).save(path / f"p{number}.png")
    (path / "p12.png").write_bytes((path / "p3.png").read_bytes())
    (path / "p5a.png").write_bytes((path / "p5.png").read_bytes()[:60])  # cut short
    (path / "readme.txt").write_text("no picture")
    np.save(path / "stack.npy", DRAW.integers(0, 256, (8, 12, 12), np.uint8))
    return path


def by_brute_force(network, images, layer, count):
    """Values, pictures and places of each unit's highest, in plain loops."""
    maps = network.activations(images, layer)
    found = []
    for unit in range(maps.shape[-1]):
        rows = []
        for number, one in enumerate(maps[..., unit]):
            place = np.unravel_index(one.argmax(), one.shape)
            rows.append((-float(one[place]), number, tuple(int(n) for n in place)))
        found.append(sorted(rows)[:count])
    return found


def assert_is(result, wanted):
    for unit, rows in enumerate(wanted):
        for rank, (value, number, place) in enumerate(rows):
            assert result.values[unit, rank] == pytest.approx(-value, rel=1e-5, abs=1e-6)
            assert result.indices[unit, rank] == number
            assert tuple(result.places[unit, rank]) == place


@pytest.mark.parametrize("layer", ["one", "two"])
def test_it_finds_what_brute_force_finds(network, layer):
    images = pictures(40)
    images[17] = images[4]  # a tie: the first of the two comes first
    images.setflags(write=False)
    result = Top(layer=layer, count=5).visualize(network, images, None)
    assert_is(result, by_brute_force(network, images, layer, 5))
    assert result.seen == 40
    for unit in range(len(result.units)):
        for rank in range(5):
            row, column = (int(n) for n in result.places[unit, rank])
            box = network.box(layer, row, column, (12, 12))
            wanted = (box.top, box.left, box.bottom, box.right)
            assert tuple(result.boxes[unit, rank]) == wanted


def test_parts_merge_into_the_whole(network):
    images = pictures(30)
    ask = Top(count=4)
    whole = ask.visualize(network, images, None)
    halves = [ask.visualize(network, images[a:b], None) for a, b in ((0, 2), (2, 19), (19, 30))]
    merged = halves[0].merge(halves[1]).merge(halves[2])
    for name, array in whole.arrays().items():
        np.testing.assert_array_equal(merged.arrays()[name], array, err_msg=name)
    assert merged.seen == 30


def test_units_are_chosen_and_checked(network):
    images = pictures(4)
    assert list(Top(unit=("0-2", "5", "1")).visualize(network, images, None).units) == [0, 1, 2, 5]
    whole = Top(unit=("all",)).visualize(network, images, None)
    assert whole.shown == list(range(8))
    assert len(Top().visualize(network, images, None).shown) == 6
    for unit, message in [
        ("8", "layer 'two' has the units 0 to 7. Received: '8'"),
        ("0-8", "0 to 7"),
        ("5-2", "--unit takes numbers, ranges like 0-11, or all"),
        ("-1", "--unit takes"),
        ("x\x1b[0m", "--unit takes"),
    ]:
        with pytest.raises(UsageError, match=message) as caught:
            Top(unit=(unit,)).visualize(network, images, None)
        assert str(caught.value).isprintable()


def test_neurons_have_no_place(network):
    images = pictures(9)
    result = Top(layer="out", count=2).visualize(network, images, None)
    given = network.activations(images, "out")
    assert (result.places == -1).all()
    for unit in range(5):
        assert list(result.indices[unit]) == list(np.argsort(-given[:, unit], kind="stable")[:2])
    assert result.captions == ["0", "1", "2", "3", "4"]


def test_a_map_of_one_value_has_its_highest_nowhere(keras):
    model = keras.Sequential([keras.Input((9, 9, 1)), keras.layers.Conv2D(2, 3)])
    model.set_weights([np.zeros((3, 3, 1, 2)), np.array([0.0, 1.0])])
    result = Top().visualize(Network(model), np.ones((2, 9, 9, 1), np.float32), None)
    assert (result.places == -1).all()
    np.testing.assert_array_equal(result.boxes[0, 0], [0, 0, 9, 9])
    np.testing.assert_array_equal(result.indices, [[0, 1], [0, 1]])


def test_numbers_that_are_not_finite_are_told(keras):
    model = keras.Sequential([keras.Input((9, 9, 1)), keras.layers.Conv2D(2, 3, name="bad")])
    model.set_weights([np.full((3, 3, 1, 2), np.nan), np.zeros(2)])
    with pytest.raises(ModelError, match="layer 'bad' has weights that are NaN or infinite"):
        Top().visualize(Network(model), np.ones((2, 9, 9, 1), np.float32), None)


# --- sweeps -------------------------------------------------------------------------------------


def test_a_folder_is_swept_over(network, folder, capsys):
    run = visualize(Top(count=3), network, [folder])
    source = PictureFiles([folder], network.input)
    chunks = list(source.chunks((0, 0), 100))
    images = np.concatenate([chunk.values for chunk in chunks])
    assert len(images) == 12 + 1 + 8
    assert_is(run.result, by_brute_force(network, images, "two", 3))
    assert run.result.seen == 21
    # The pictures shown are the right ones.
    for number, index in enumerate(run.result.picture_indices):
        np.testing.assert_array_equal(run.result.pictures[number], images[index])
    assert "skipped" in capsys.readouterr().err
    assert run.manifest()["swept"]["skipped"] == 1
    assert json.dumps(run.manifest())
    assert is_drawn(to_png(run.figure()))


@pytest.mark.parametrize("size", [1, 2, 5, 7, 100])
def test_the_size_of_the_parts_changes_nothing(network, folder, monkeypatch, size):
    monkeypatch.setattr("kerascnn.run.sweep._MOST_IN_CHUNK", size)
    result = visualize(Top(count=3), network, [folder]).result
    monkeypatch.undo()
    whole = visualize(Top(count=3), network, [folder]).result
    assert result.names == whole.names
    np.testing.assert_array_equal(result.indices, whole.indices)
    np.testing.assert_array_equal(result.places, whole.places)
    np.testing.assert_array_equal(result.values, whole.values)


class Stopping(Top):
    """Top images, stopped after some parts."""

    asked: ClassVar[list[int]] = []
    stop_after: ClassVar[int] = 10**9

    def visualize(self, network, images, target):
        if len(type(self).asked) >= type(self).stop_after:
            raise KeyboardInterrupt
        type(self).asked.append(len(images))
        return super().visualize(network, images, target)


@pytest.fixture
def stopping(monkeypatch):
    monkeypatch.setattr("kerascnn.run.sweep._MOST_IN_CHUNK", 4)
    Stopping.asked, Stopping.stop_after = [], 10**9
    return Stopping


def test_an_interrupted_sweep_goes_on_where_it_stopped(saved, folder, tmp_path, stopping, capsys):
    network = Network.load(saved, preprocessing="raw")
    whole = visualize(stopping(count=3), network, [folder]).result
    stopping.asked, stopping.stop_after = [], 3
    with pytest.raises(KeyboardInterrupt):
        visualize(stopping(count=3), network, [folder], resume=tmp_path)
    assert stopping.asked == [4, 4, 4]
    assert "12 pictures are done" in capsys.readouterr().err
    assert (tmp_path / "top-images.part.npz").is_file()

    stopping.asked, stopping.stop_after = [], 10**9
    run = visualize(
        stopping(count=3), Network.load(saved, preprocessing="raw"), [folder], resume=tmp_path
    )
    assert sum(stopping.asked) == 21 - 12
    assert "resuming after 12 pictures" in capsys.readouterr().err
    assert run.result.meaning() == whole.meaning()
    for name, array in whole.arrays().items():
        np.testing.assert_array_equal(run.result.arrays()[name], array, err_msg=name)
    run.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "manifest.json",
        "top-images.npz",
        "top-images.png",
    ]


def test_what_another_sweep_found_is_not_taken(saved, folder, tmp_path, stopping):
    network = Network.load(saved, preprocessing="raw")
    stopping.stop_after = 2
    with pytest.raises(KeyboardInterrupt):
        visualize(stopping(count=3), network, [folder], resume=tmp_path)
    part = tmp_path / "top-images.part.npz"
    kept = part.read_bytes()
    stopping.stop_after = 10**9
    (tmp_path / "more").mkdir()
    np.save(tmp_path / "more" / "x.npy", np.zeros((2, 12, 12), np.uint8))
    for options, paths in [({"count": 2}, [folder]), ({"count": 3}, [folder, tmp_path / "more"])]:
        part.write_bytes(kept)
        stopping.asked = []
        visualize(stopping(**options), network, paths, resume=tmp_path)
        assert sum(stopping.asked) >= 21
    for damaged in (b"", b"PK\x03\x04 nothing", kept[: len(kept) // 2]):
        part.write_bytes(damaged)
        stopping.asked = []
        visualize(stopping(count=3), network, [folder], resume=tmp_path)
        assert sum(stopping.asked) == 21


class Made:
    """A source that makes its pictures when they are asked for."""

    label, shape, skipped = "made", (12, 12, 1), 0

    def __init__(self, count):
        self.total = count

    def chunks(self, start, size):
        for first in range(start[0], self.total, size):
            stop = min(first + size, self.total)
            values = np.random.default_rng(first).random((stop - first, 12, 12, 1), np.float32)
            yield Chunk(values, [(number, 0) for number in range(first, stop)], (stop, 0))

    def fetch(self, positions):
        return [
            Picture(np.zeros((12, 12, 1), np.float32), str(number), "made", None, (12, 12))
            for number, _ in positions
        ]

    def fingerprint(self):
        return "made"


def test_memory_does_not_grow_with_the_set(network):
    """10,000 pictures within 200 MB over the base."""
    ask = Top()

    def run(count):
        return sweep(ask, network, Made(count), lambda v: ask.visualize(network, v, None))[0]

    run(3000)  # what is made once is made now
    process, highest, done = psutil.Process(), [0], threading.Event()

    def watch():
        while not done.is_set():
            highest[0] = max(highest[0], process.memory_info().rss)
            time.sleep(0.005)

    base = process.memory_info().rss
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        result = run(10_000)
    finally:
        done.set()
        thread.join()
    assert result.seen == 10_000
    assert highest[0] - base < 200 << 20


def test_without_pictures_the_packaged_ones_are_swept_over(keras, capsys):
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(2, 5, strides=4)])
    run = visualize(Top(count=2), Network(model))
    assert run.result.seen == 10_000
    assert "10,000 packaged MNIST test digits" in capsys.readouterr().err
    assert all(name.startswith("a ") for name in run.result.names)
    colour = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Conv2D(2, 5)])
    run = visualize(Top(), Network(colour))
    assert run.result.seen == 4
    assert "name a folder by --image" in capsys.readouterr().err


def test_wrong_pictures_are_one_clear_line(network, keras, folder, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.txt").write_text("hello")
    (tmp_path / "cut.png").write_bytes((folder / "p1.png").read_bytes()[:70])
    np.save(tmp_path / "colours.npy", np.zeros((4, 12, 12, 5), np.float32))
    for path in ("empty", "text", "cut.png", "colours.npy", "missing"):
        with pytest.raises(ImageError) as caught:
            visualize(Top(), network, [tmp_path / path])
        assert str(caught.value).isprintable(), path
    with pytest.raises(UsageError, match="takes no target"):
        visualize(Top(), network, [folder], target="3")


def test_a_model_of_any_size_takes_all_in_the_first_ones(keras, folder):
    model = keras.Sequential([keras.Input((None, None, 1)), keras.layers.Conv2D(2, 3)])
    run = visualize(Top(count=2), Network(model), [folder])
    assert run.result.seen == 21
    assert run.result.pictures.shape[1:] == (12, 12, 1)


def test_the_facts_name_the_pictures(network, folder):
    run = visualize(Top(count=2, unit=("3",)), network, [folder])
    (unit,) = run.result.facts["top"]
    assert unit["unit"] == 3
    assert [each["picture"] for each in unit["pictures"]] == run.result.indices[0].tolist()
    for rank, each in enumerate(unit["pictures"]):
        kept = run.result.picture(each["picture"])
        assert each["name"] == run.result.names[kept]
        assert each["value"] == run.result.values[0, rank]


def test_only_as_many_pictures_are_kept_as_memory_holds(network, folder, monkeypatch, capsys):
    whole = visualize(Top(count=3), network, [folder]).result
    monkeypatch.setattr("kerascnn.run.sweep._PICTURES_BYTES", 4 * 12 * 12 * 4)
    few = visualize(Top(count=3), network, [folder]).result
    assert len(few.pictures) == 4 < len(whole.pictures)
    # The first unit's are there before any other's.
    assert set(few.picture_indices) >= set(whole.indices[whole.shown[0]].tolist())
    assert "4 of" in capsys.readouterr().err
    assert is_drawn(to_png(draw(few, network.input.decode)))


def test_pictures_in_memory(network, folder):
    found = read_pictures([folder], network.input)
    one, other = (visualize(Top(), network, source).result for source in (found, [folder]))
    np.testing.assert_array_equal(one.indices, other.indices)


def test_results_that_do_not_merge_are_the_plugins_mistake(network, folder, monkeypatch):
    class Wrong(Top):
        """Gives what can't be merged."""

        def visualize(self, network, images, target):
            return Images(images)

    monkeypatch.setattr("kerascnn.run.sweep._MOST_IN_CHUNK", 4)
    with pytest.raises(PluginError, match="can't be merged"):
        visualize(Wrong(), network, [folder])


def test_the_numbers_alone_can_be_drawn(network):
    result = Top().visualize(network, pictures(5), None)
    assert isinstance(result, TopImages)
    assert result.pictures is None
    assert is_drawn(to_png(draw(result, network.input.decode)))
