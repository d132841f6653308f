"""``--plugin a,b,c``: several questions to one loaded model, and which option goes where."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kerascnn.cli import main

PLUGINS = '''
"""Two plugins whose options share names: of one kind, and of two."""
from kerascnn import Heatmap, ModelError, Visualizer, hookimpl, option


class First(Visualizer):
    """Numbers all pixels by --level."""

    name = "first"
    level: int = option(1, "what each pixel gets")
    shades: tuple[str, ...] = option((), "names")
    plain: bool = option(False, "a switch here")

    def visualize(self, network, images, target):
        facts = {"level": self.level, "shades": list(self.shades), "plain": self.plain}
        return Heatmap(images[..., 0] * 0 + self.level, over=images, facts=facts)


class Second(Visualizer):
    """The same, with a text where the other has a list, and a value where it has a switch."""

    name = "second"
    level: int = option(2, "what each pixel gets")
    shades: str = option("none", "a name")
    plain: int = option(0, "a number here")

    def visualize(self, network, images, target):
        facts = {"level": self.level, "shades": self.shades, "plain": self.plain}
        return Heatmap(images[..., 0] * 0 + self.level, over=images, facts=facts)


class Broken(Visualizer):
    """Always fails."""

    name = "broken"
    reads_images = False

    def visualize(self, network, images, target):
        raise ModelError("there is no such thing")


class Leaver(Broken):
    """Ends the program."""

    name = "leaver"

    def visualize(self, network, images, target):
        raise SystemExit(0)


@hookimpl
def kerascnn_visualizers():
    yield from (First, Second, Broken, Leaver)
'''


@pytest.fixture
def ask(capsys, tmp_path, lecture_models, monkeypatch):
    path = tmp_path / "plugins.py"
    path.write_text(PLUGINS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def run(names, *flags):
        given = ["visualize", "--plugin-file", path, "--plugin", names, lecture_models["cnn"]]
        code = main([str(word) for word in (*given, "--out", "out", *flags)])
        return (code, *capsys.readouterr())

    return run


def facts(out):
    return {run["plugin"]: run["facts"] for run in json.loads(out)["runs"]}


def test_a_flag_may_name_the_only_plugin(ask):
    code, out, _ = ask("first", "--first.level", "7", "--json")
    assert code == 0
    assert json.loads(out)["facts"]["level"] == 7


def test_a_plugin_does_not_end_the_program(ask):
    code, _, err = ask("leaver")
    assert code == 1
    assert "plugin 'leaver' failed: SystemExit" in err


def test_the_model_is_loaded_once_and_each_writes_its_own_folder(ask, tmp_path, monkeypatch):
    from kerascnn.network.network import Network

    loads = []
    load = Network.load

    def counted(*arguments, **more):
        loads.append(arguments)
        return load(*arguments, **more)

    monkeypatch.setattr(Network, "load", counted)
    code, out, err = ask("first,second")
    assert code == 0, err
    assert len(loads) == 1
    assert err.count("no --image given") == 1
    assert [line for line in out.splitlines() if line.endswith(".npz")] == [
        "out/first/first.npz",
        "out/second/second.npz",
    ]
    for name, level in (("first", 1), ("second", 2)):
        with np.load(tmp_path / "out" / name / f"{name}.npz") as stored:
            assert (stored["values"] == level).all()
        manifest = json.loads((tmp_path / "out" / name / "manifest.json").read_text("utf-8"))
        assert manifest["plugin"] == name


def test_a_shared_option_goes_to_both_and_one_with_a_name_to_one(ask):
    code, out, err = ask("first,second", "--level", "5", "--second.level=7", "--json")
    assert code == 0, err
    assert {name: found["level"] for name, found in facts(out).items()} == {"first": 5, "second": 7}


def test_a_list_here_and_a_text_there_each_read_it_their_way(ask):
    _, out, _ = ask("first,second", "--shades", "a,b", "--json")
    assert facts(out)["first"]["shades"] == ["a", "b"]
    assert facts(out)["second"]["shades"] == "a,b"


def test_a_switch_here_and_a_value_there_need_the_plugins_name(ask):
    code, out, err = ask("first,second", "--first.plain", "--second.plain", "3", "--json")
    assert code == 0, err
    assert (facts(out)["first"]["plain"], facts(out)["second"]["plain"]) == (True, 3)
    code, out, err = ask("first,second", "--plain")
    assert (code, out) == (2, "")
    assert "--plain" in err


def test_one_that_fails_does_not_keep_the_others(ask, tmp_path):
    code, out, err = ask("broken,first")
    assert code == 1
    assert (tmp_path / "out" / "first" / "first.png").is_file()
    assert not (tmp_path / "out" / "broken").exists()
    assert "first.npz" in out
    last = err.strip().splitlines()[-1]
    assert last == ("kerascnn: error: 1 of 2 plugins failed: broken: there is no such thing")


@pytest.mark.parametrize(
    ("names", "flags", "words"),
    [
        ("first,", [], ["--plugin", "commas"]),
        ("first,secnd", [], ["secnd", "second"]),
        ("first,second", ["--level", "many"], ["--level", "many"]),
        ("first,second", ["--third.level", "1"], ["--third.level"]),
        ("first,broken", ["--broken.level", "1"], ["--broken.level"]),
        ("broken,filters", ["--target", "3"], ["broken, filters", "--target"]),
    ],
)
def test_wrong_usage_is_told_before_anything_is_loaded(ask, tmp_path, names, flags, words):
    code, out, err = ask(names, *flags)
    assert (code, out) == (2, "")
    assert len(err.strip().splitlines()) == 1, err
    for word in words:
        assert word in err
    assert not (tmp_path / "out").exists()


def test_help_has_the_options_of_each_and_the_rule(capsys):
    assert main(["visualize", "--plugin", "saliency,filters", "--help"]) == 0
    out, _ = capsys.readouterr()
    assert "Options of saliency" in out
    assert "Options of filters" in out
    assert "--filters.layer" in out
