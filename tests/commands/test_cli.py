"""The command line, called in this process: arguments, exit codes, what goes where."""

from __future__ import annotations

import json

import pytest

from kerascnn.cli import main


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def only_line(err):
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    return lines[0]


def test_help_names_the_commands(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    for name in ("visualize", "plugins", "inspect", "lecture", "style"):
        assert name in out


def test_visualize_help_shows_the_plugins_own_flags(capsys):
    code, out, _ = run(capsys, "visualize", "--plugin", "saliency", "--help")
    assert code == 0
    assert "Options of saliency" in out
    assert "--clip" in out
    assert "--image" in out


def test_visualize_help_without_a_plugin_lists_them(capsys):
    code, out, _ = run(capsys, "visualize", "--help")
    assert code == 0
    assert "saliency" in out
    assert "filters" in out
    assert "--clip" not in out


def test_plugins_lists_name_and_distribution(capsys):
    code, out, _ = run(capsys, "plugins")
    assert code == 0
    rows = [line for line in out.splitlines() if line.startswith("saliency")]
    assert len(rows) == 1
    assert "kerascnn" in rows[0]


def test_plugins_as_json_is_one_object_and_nothing_else(capsys):
    code, out, err = run(capsys, "plugins", "--json")
    assert code == 0
    assert err == ""
    found = json.loads(out)
    assert {"saliency", "filters"} <= {plugin["name"] for plugin in found["plugins"]}
    assert found["problems"] == []


def test_plugins_show_has_every_option_with_its_default(capsys):
    code, out, _ = run(capsys, "plugins", "show", "saliency")
    assert code == 0
    assert "--clip" in out
    assert "99.5" in out
    assert "--seed" in out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["visualise"], 2, ["'visualise'", "visualize"]),
        (["visualize", "--plugin", "salency", "m.h5"], 2, ["'salency'", "saliency"]),
        (["visualize", "m.h5"], 2, ["--plugin"]),
        (["visualize", "--plugin", "saliency"], 2, ["MODEL"]),
        (["visualize", "--plugin", "saliency", "--clip", "150", "m.h5"], 2, ["--clip", "'150'"]),
        (["visualize", "--plugin", "saliency", "--clip", "a", "m.h5"], 2, ["--clip", "number"]),
        (["visualize", "--plugin", "saliency", "--clp", "9", "m.h5"], 2, ["--clp"]),
        (["visualize", "--plugin", "saliency", "--cli", "9", "m.h5"], 2, ["--cli"]),
        (["visualize", "--plugin", "saliency", "--seed", "-1", "m.h5"], 2, ["--seed", "'-1'"]),
        (["visualize", "--plugin", "saliency", "nowhere.h5"], 1, ["nowhere.h5"]),
        (["inspect", "nowhere.h5"], 1, ["nowhere.h5"]),
        (["inspect", "m.h5", "--memory", "lots"], 2, ["--memory", "'lots'"]),
        (["plugins", "show", "salency"], 2, ["saliency"]),
        (["plugins", "--plugin-file", "nowhere.py"], 1, ["nowhere.py"]),
        (["lecture", "--seeds", "0"], 2, ["seeds", "0"]),
        (["lecture", "--epochs", "many"], 2, ["many"]),
    ],
)
def test_wrong_usage_is_one_line_that_says_what_to_do(
    capsys, tmp_path, monkeypatch, arguments, code, words
):
    monkeypatch.chdir(tmp_path)
    got, out, err = run(capsys, *arguments)
    line = only_line(err)
    assert (got, out) == (code, "")
    assert line.startswith("kerascnn: error: ")
    for word in words:
        assert word in line
    assert list(tmp_path.iterdir()) == []


def test_a_name_with_escape_sequences_is_made_harmless(capsys):
    _, _, err = run(capsys, "visualize", "--plugin", "\x1b[31mred\x07", "m.h5")
    assert "\x1b" not in err
    assert "\x07" not in err


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (["--target", "10"], 2, ["target", "0 to 9", "10"]),
        (["--target", "cat"], 2, ["target", "cat"]),
        (["--target", "conv2d:25"], 2, ["conv2d", "0 to 24", "25"]),
        (["--image", "nowhere.png"], 1, ["nowhere.png"]),
        (["--out", "{file}/x"], 1, ["can't write"]),
        (["-o", "{file}/x"], 1, ["can't write"]),
        (["--preprocess", "bytes"], 2, ["bytes", "unit"]),
        (["--output", "second"], 2, ["second"]),
        (["--labels", "nowhere.txt"], 1, ["nowhere.txt"]),
    ],
)
def test_wrong_input_is_one_line_and_leaves_nothing(
    capsys, lecture_models, tmp_path, monkeypatch, flags, code, words
):
    blocker = tmp_path / "blocker"
    blocker.write_text("a file where a folder is wanted")
    monkeypatch.chdir(tmp_path)
    flags = [flag.replace("{file}", str(blocker)) for flag in flags]
    got, out, err = run(capsys, "visualize", "--plugin", "saliency", lecture_models["cnn"], *flags)
    errors = [line for line in err.splitlines() if "error" in line]
    assert (got, out) == (code, "")
    assert len(errors) == 1, err
    assert errors[0].startswith("kerascnn: error: ")
    for word in words:
        assert word in errors[0]
    assert [path.name for path in tmp_path.iterdir()] == ["blocker"]


def test_ctrl_c_exits_130_and_leaves_nothing(capsys, tmp_path, monkeypatch):
    from kerascnn.network import network

    def interrupted(*_args, **_more):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(network.Network, "load", interrupted)
    code, out, err = run(capsys, "visualize", "--plugin", "saliency", "m.h5")
    assert (code, out) == (130, "")
    assert only_line(err) == "kerascnn: interrupted"
    assert list(tmp_path.iterdir()) == []


def test_debug_shows_the_traceback(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, "inspect", "nowhere.h5", "--debug")
    assert code == 1
    assert "Traceback" in err
    assert err.strip().splitlines()[-1].startswith("kerascnn: error: ")


PLUGIN = '''
"""Input × gradient: each pixel's share of the score, to first order."""
from kerascnn import Heatmap, Visualizer, hookimpl, option


class InputGradient(Visualizer):
    """Each pixel's share of the score, to first order."""

    name = "input-gradient"
    absolute: bool = option(False, "drop the sign")

    def visualize(self, network, images, target):
        share = (images * network.gradients(images, target)).sum(axis=-1)
        values = abs(share) if self.absolute else share
        return Heatmap(values, over=images, signed=not self.absolute)


@hookimpl
def kerascnn_visualizers():
    yield InputGradient
'''


def test_a_plugin_file_shows_up_with_its_flags(capsys, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN, encoding="utf-8")
    code, out, _ = run(capsys, "plugins", "--plugin-file", path)
    assert code == 0
    assert "input-gradient" in out
    code, out, _ = run(
        capsys, "visualize", "--plugin-file", path, "--plugin", "input-gradient", "--help"
    )
    assert code == 0
    assert "--absolute" in out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import nowhere_at_all", ["mine.py", "nowhere_at_all"]),
        ("def (:", ["mine.py", "SyntaxError"]),
        ("raise SystemExit(3)", ["mine.py", "SystemExit"]),
        ("x = 1", ["mine.py", "kerascnn_visualizers"]),
        (PLUGIN.replace('"input-gradient"', '"Input Gradient"'), ["name", "Input Gradient"]),
        (PLUGIN.replace('"input-gradient"', '"saliency"'), ["saliency", "kerascnn"]),
        (PLUGIN.replace("absolute: bool", "trust: bool"), ["--trust"]),
        (PLUGIN.replace('option(False, "drop the sign")', "False"), ["absolute", "help"]),
        (PLUGIN.replace("absolute: bool", "absolute: dict"), ["absolute", "dict"]),
        (PLUGIN.replace("yield InputGradient", "yield 7"), ["7"]),
    ],
)
def test_a_bad_plugin_file_is_told_in_one_line(capsys, tmp_path, text, words):
    path = tmp_path / "mine.py"
    path.write_text(text, encoding="utf-8")
    code, out, err = run(capsys, "plugins", "--plugin-file", path)
    line = only_line(err)
    assert (code, out) == (1, "")
    for word in words:
        assert word in line
