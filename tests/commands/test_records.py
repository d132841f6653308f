"""Flags become records: `ModelOptions` for a model, visualizers with their options."""

from __future__ import annotations

import dataclasses

import click
import pytest

from kerascnn import Network, UsageError
from kerascnn.cli import cli, main
from kerascnn.commands import first_party
from kerascnn.plugin.hooks import PROJECT
from kerascnn.run.model_options import ModelOptions

OPENING = ("visualize", "report", "compare", "inspect")


def test_our_own_commands_come_by_the_hook():
    own = {
        name: found.command
        for name, found in cli.registry(click.Context(cli)).commands.items()
        if found.origin.distribution == PROJECT
    }
    assert list(own.values()) == list(first_party.kerascnn_commands())
    assert own.keys() == {*OPENING, "plugins", "lecture", "style"}
    assert not cli.commands


@pytest.mark.parametrize("name", OPENING)
def test_each_option_of_a_model_is_a_flag_of_every_command_that_opens_one(name):
    command = cli.get_command(click.Context(cli), name)
    flags = {parameter.name for parameter in command.params if isinstance(parameter, click.Option)}
    assert {field.name for field in dataclasses.fields(ModelOptions)} <= flags


def test_what_the_flags_say_reaches_the_network(monkeypatch, tmp_path):
    labels = tmp_path / "labels.txt"
    labels.write_text("cat\ndog\n", encoding="utf-8")
    opened = {}

    def load(path, *, custom_objects, **options):
        opened.update(options, path=path)
        raise UsageError("enough")

    monkeypatch.setattr(Network, "load", load)
    flags = "--weights w --architecture a:b --trust --preprocess caffe --input i --output o"
    more = ["--labels", str(labels), "--memory", "2M", "--precision", "auto"]
    assert main(["inspect", "m.json", *flags.split(), *more]) == 2
    assert opened == {
        "path": "m.json",
        "weights": "w",
        "architecture": "a:b",
        "trust": True,
        "preprocessing": "caffe",
        "input": "i",
        "output": "o",
        "labels": ("cat", "dog"),
        "memory": 2 << 20,
        "precision": "auto",
    }
    assert main(["inspect", "m.json"]) == 2
    opened.pop("path")
    assert ModelOptions(**opened) == ModelOptions()


PLUGIN = """
from kerascnn import Heatmap, Visualizer, hookimpl, option


class Names(Visualizer):
    '''Has options of the names that parameters of the command have.'''

    name = "names"
    images: int = option(1, "no flag of ours: that is --image")
    model: str = option("none", "no flag of ours: that is an argument")

    def visualize(self, network, images, target):
        facts = {"images": self.images, "model": self.model}
        return Heatmap(images.mean(axis=-1), over=images, facts=facts)


@hookimpl
def kerascnn_visualizers():
    yield Names
"""


def test_an_option_named_as_an_argument_of_ours_gets_its_own_value(
    capsys, tmp_path, lecture_models
):
    path = tmp_path / "names.py"
    path.write_text(PLUGIN, encoding="utf-8")
    given = ["--images", "7", "--names.model", "mine", "--out", str(tmp_path / "out"), "--json"]
    words = ["visualize", "--plugin-file", str(path), "--plugin", "names"]
    assert main([*words, str(lecture_models["dnn"]), *given]) == 0
    assert '"facts": {"images": 7, "model": "mine"}' in capsys.readouterr().out
