"""The plugin authors' test kit: it passes what is right, and says in one line what is not."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from kerascnn import Heatmap, Images, Kernels, Result, Visualizer, option
from kerascnn.testing import FAMILIES, check_visualizer, families, tiny_network


class Share(Visualizer):
    """Input × gradient."""

    name = "share"
    noise: float = option(0.0, "how much of it", ge=0)

    def visualize(self, network, images, target):
        noise = self.noise * np.random.default_rng(self.seed).normal(size=images.shape)
        values = ((images + noise) * network.gradients(images, target)).sum(axis=-1)
        return Heatmap(values, over=images, title="share")


class Weights(Visualizer):
    """The first layer's kernels."""

    name = "weights"
    reads_images = False

    def visualize(self, network, images, target):
        assert images is None
        return Kernels(network.weights("first").transpose(3, 0, 1, 2), title="weights")


@pytest.fixture(scope="module")
def network():
    return tiny_network("keras3" if "keras3" in families() else "keras2")


@pytest.mark.parametrize("visualizer", [Share, Share(noise=0.1), Weights])
def test_what_is_right_passes_on_both_families(visualizer):
    check_visualizer(visualizer)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_tiny_network_is_what_it_says(family):
    if family not in families():
        pytest.skip("this Keras is not installed")
    found = tiny_network(family, channels=1, seed=3)
    assert found.family == family
    names = {layer.name for layer in found.layers}
    assert {"first", "pool", "second", "mean", "classes"} <= names
    assert found.input.shape == (24, 24, 1)
    images = np.random.default_rng(0).random((3, 24, 24, 1), np.float32)
    again = tiny_network(family, channels=1, seed=3)
    np.testing.assert_array_equal(found.scores(images), again.scores(images))
    assert found.gradients(images, 0).any()
    with pytest.raises(ValueError, match="keras4"):
        tiny_network("keras4")


class _Base(Visualizer):
    """Gives the picture's brightness."""

    name = "broken"

    def visualize(self, network, images, target):
        return Heatmap(images.mean(axis=-1), over=images, title="brightness")


class NoTitle(_Base):
    """No title."""

    def visualize(self, network, images, target):
        return Heatmap(images[..., 0], over=images)


class Infinite(_Base):
    """Gives NaN."""

    def visualize(self, network, images, target):
        result = super().visualize(network, images, target)
        result.values[0, 0, 0] = np.nan
        return result


class Writes(_Base):
    """Writes into its images."""

    def visualize(self, network, images, target):
        images *= 2
        return super().visualize(network, images, target)


class Forces(_Base):
    """Takes the lock off and writes."""

    def visualize(self, network, images, target):
        images.setflags(write=True)
        images *= 2
        return super().visualize(network, images, target)


class Dice(_Base):
    """Random without the seed."""

    def visualize(self, network, images, target):
        values = np.random.default_rng().random(images.shape[:3])
        return Heatmap(values, over=images, title="dice")


class Trains(_Base):
    """Changes the network."""

    def visualize(self, network, images, target):
        weight = network.model.weights[0]
        weight.assign(np.asarray(weight) * 1.5)
        return super().visualize(network, images, target)


class One(_Base):
    """Fails where there is one picture."""

    def visualize(self, network, images, target):
        return Heatmap(images.mean(axis=-1).squeeze(), over=images, title="squeezed")


class Fewer(_Base):
    """Gives captions for other items."""

    def visualize(self, network, images, target):
        result = super().visualize(network, images, target)
        result.captions = ["one", "two", "three"]
        return result


class Half(_Base):
    """Shows the map over other pictures than it was given."""

    def visualize(self, network, images, target):
        return Heatmap(images.mean(axis=-1), over=images[:, ::2, ::2], title="half")


class Crash(_Base):
    """Fails."""

    def visualize(self, network, images, target):
        return 1 / 0


class Nothing(_Base):
    """Returns no result."""

    def visualize(self, network, images, target):
        return images


class Facts(_Base):
    """Has facts that are no JSON."""

    def visualize(self, network, images, target):
        result = super().visualize(network, images, target)
        result.facts["array"] = images
        return result


class Unmerged(_Base):
    """Streams, and merges wrongly."""

    streams = True

    def visualize(self, network, images, target):
        return Sum(images.sum(axis=(1, 2, 3), keepdims=True), title="sums")


class Sum(Images):
    """Pictures that are merged by forgetting."""

    def merge(self, other):
        """Forget the other."""
        return self

    @property
    def count(self):
        return len(self.values)


class Undocumented(Visualizer):
    name = "undocumented"

    def visualize(self, network, images, target):
        return Result()


class Unhelpful(_Base):
    """Has an option without help."""

    size: int = 3


@pytest.mark.parametrize(
    ("visualizer", "words"),
    [
        (NoTitle, ["title"]),
        (Infinite, ["values", "NaN"]),
        (Writes, ["images", "copy them"]),
        (Forces, ["images", "copy them"]),
        (Dice, ["seed", "values"]),
        (Trains, ["weights"]),
        (One, ["N×h×w"]),
        (Fewer, ["captions", "2", "3"]),
        (Half, ["over", "(2, 24, 24, 3)", "(2, 12, 12, 3)"]),
        (Crash, ["ZeroDivisionError"]),
        (Nothing, ["must return", "ndarray"]),
        (Facts, ["facts", "JSON"]),
        (Unmerged, ["merged", "values"]),
        (Undocumented, ["docstring"]),
        (Unhelpful, ["size", "help"]),
    ],
)
def test_what_is_wrong_is_one_line(visualizer, words):
    with pytest.raises(AssertionError) as caught:
        check_visualizer(visualizer, networks=[tiny_network(families()[0])])
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


def module(tmp_path, monkeypatch, name, top):
    (tmp_path / f"{name}.py").write_text(
        f"{top}\nfrom kerascnn import Visualizer\n\n\nclass Mine(Visualizer):\n"
        '    """Mine."""\n\n    name = "mine"\n\n'
        "    def visualize(self, network, images, target):\n        raise KeyError\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    return __import__(name).Mine


def test_a_module_that_loads_tensorflow_is_told(tmp_path, monkeypatch, network):
    mine = module(tmp_path, monkeypatch, "loads_something_slow", "import matplotlib")
    with pytest.raises(AssertionError, match="loads_something_slow imports matplotlib"):
        check_visualizer(mine, networks=[network])


def test_a_module_that_hangs_on_another_is_told(tmp_path, monkeypatch, network):
    top = "import sys\nif 'pytest' not in sys.modules:\n    raise OSError('no pytest')"
    mine = module(tmp_path, monkeypatch, "hangs_on_another", top)
    with pytest.raises(
        AssertionError, match=r"hangs_on_another can't be imported by itself.*no py"
    ):
        check_visualizer(mine, networks=[network])


def test_a_script_that_checks_its_own_visualizer_runs_once(tmp_path):
    """Without a guard, too: importing it again would check again, and so on."""
    (tmp_path / "mine.py").write_text(
        "import os\nfrom kerascnn import Heatmap, Visualizer\n"
        "from kerascnn.testing import check_visualizer, tiny_network\n\n\n"
        'class Mine(Visualizer):\n    """Ink."""\n\n    name = "mine"\n\n'
        "    def visualize(self, network, images, target):\n"
        '        return Heatmap(images.sum(axis=-1), over=images, title="ink")\n\n\n'
        'os.write(1, b"once\\n")\n'
        "check_visualizer(Mine, networks=[tiny_network()])\n",
        encoding="utf-8",
    )
    command = [sys.executable, str(tmp_path / "mine.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "once\n"), done.stderr


def test_the_kit_needs_no_pytest():
    code = "import kerascnn.testing, sys; print('pytest' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
