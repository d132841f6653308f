"""One question, asked through each door: Python, reports, the command line."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest

from kerascnn import Heatmap, Images, UsageError, Visualizer, option, visualize
from kerascnn.cli import main
from kerascnn.images import Picture
from kerascnn.plugin.registry import Registry
from kerascnn.reports import ask_all
from kerascnn.run.command_line import command_line
from kerascnn.run.question import Question, question_for
from kerascnn.run.run import ask
from kerascnn.testing import tiny_network


class Brightness(Visualizer):
    """The picture's brightness."""

    name = "brightness"
    factor: float = option(1.0, "times what")

    def visualize(self, network, images, target):
        """Brightness."""
        return Heatmap(self.factor * images.mean(axis=-1), over=images)


class Weights(Visualizer):
    """The first layer's weights."""

    name = "weights"
    reads_images = False

    def visualize(self, network, images, target):
        """Weights."""
        assert (images, target) == (None, None)
        return Images(network.weights("first").transpose(3, 0, 1, 2))


@pytest.fixture(scope="module")
def network():
    return tiny_network()


@pytest.fixture
def picture():
    values = np.random.default_rng(0).random((24, 24, 3), np.float32)
    return Picture(values, "noise", "folder/noise.png", None, (24, 24))


def test_python_and_the_report_ask_the_same_question(network, picture):
    question = Question(Brightness(factor=2.0), (picture,), "square")
    run = ask(question, network)
    assert run.question == question
    assert list(run.target) == [1]
    again = visualize(Brightness(factor=2.0), network, [picture], "square")
    assert again.question == question
    np.testing.assert_array_equal(again.result.values, run.result.values)
    asked = ask_all(network, [Brightness(factor=2.0), Weights()], [picture], "square", "m.h5")
    reported, weights = (answer.run for answer in asked.answers)
    assert reported.question == question
    assert weights.question == Question(Weights(), (picture,))
    np.testing.assert_array_equal(reported.result.values, run.result.values)


def test_a_target_for_what_takes_none_is_refused_and_of_several_left_out():
    with pytest.raises(UsageError, match="weights explains no class, so it takes no target"):
        Question(Weights(), target="3")
    assert question_for(Weights(), (), "3") == Question(Weights())
    assert question_for(Brightness(), (), "3") == Question(Brightness(), target="3")


def test_the_command_line_of_a_question_asks_it_again(lecture_models, tmp_path, monkeypatch):
    saliency = Registry().discover().get("saliency").visualizer
    image = tmp_path / "a picture.npy"
    np.save(image, np.zeros((28, 28, 1), np.float32))
    question = Question(saliency(signed=True, clip=90.0), (str(image),), "3")
    words = shlex.split(command_line(question, str(lecture_models["dnn"])))
    assert words[:4] == ["kerascnn", "visualize", "--plugin", "saliency"]
    asked = []

    def recorded(question, network, resume=None):
        asked.append(question)
        return ask(question, network, resume)

    monkeypatch.setattr("kerascnn.run.run.ask", recorded)
    assert main([*words[1:], "--out", str(tmp_path / "out")]) == 0
    assert asked == [question]


def test_a_picture_read_before_is_named_by_its_file(picture):
    line = command_line(Question(Brightness(factor=0.5), [picture]), "m.h5")
    assert line == (
        "kerascnn visualize --plugin brightness m.h5 --image folder/noise.png --factor 0.5"
    )
    assert "--image" not in command_line(Question(Weights(), [Path("a.png")]), "m.h5")
