"""Plugin code that calls ``sys.exit``, wherever it stands, never ends the program by itself."""

from __future__ import annotations

import json

import pytest

from kerascnn.cli import main

HOOKS = ("kerascnn_visualizers", "kerascnn_commands")
HOOK = "import sys\nfrom kerascnn import hookimpl\n@hookimpl\ndef {}():\n    sys.exit(0)\n"

VISUALIZER = '''
import sys
from dataclasses import dataclass

from pydantic import field_validator

from kerascnn import Heatmap, Visualizer, hookimpl, option


@dataclass(eq=False)
class Own(Heatmap):
    """A result that ends the program when its files are asked for."""

    def files(self, decode):
        sys.exit(0)


class Leaver(Visualizer):
    """Ends the program where it is told to."""

    name = "leaver"
    where: str = option("nowhere", "where it ends")

    @field_validator("where")
    @classmethod
    def _check(cls, where):
        if where == "option":
            sys.exit(0)
        return where

    def visualize(self, network, images, target):
        if self.where == "visualize":
            sys.exit(0)
        return Own(images.mean(axis=-1), over=images)


@hookimpl
def kerascnn_visualizers():
    yield Leaver
'''

OBJECTS = (
    VISUALIZER
    + """

@hookimpl
def kerascnn_custom_objects():
    sys.exit(0)
"""
)


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    return (code, *capsys.readouterr())


def errors(err):
    return [line for line in err.splitlines() if line.startswith("kerascnn: error: ")]


@pytest.mark.parametrize("hook", [*HOOKS, "import"])
def test_at_import_or_in_a_hook_it_is_a_problem_of_that_plugin_alone(capsys, install, hook):
    install(
        "leaving", "leaving", "import sys\nsys.exit(0)" if hook == "import" else HOOK.format(hook)
    )
    code, out, _ = run(capsys, "plugins", "--json")
    assert code == 0
    found = json.loads(out)
    assert [each["plugin"] for each in found["problems"]] == ["leaving"]
    assert "SystemExit: 0" in found["problems"][0]["reason"]
    assert "saliency" in {each["name"] for each in found["plugins"]}


@pytest.mark.parametrize("hook", [*HOOKS, "import"])
def test_where_that_plugin_is_asked_for_it_is_an_error(capsys, install, tmp_path, hook):
    source = "import sys\nsys.exit(0)" if hook == "import" else HOOK.format(hook)
    install("leaving", "leaving", source)
    code, out, err = run(capsys, "visualize", "--plugin", "leaving", "model.h5")
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == len(errors(err)) == 1
    path = tmp_path / "leaving_file.py"
    path.write_text(source, encoding="utf-8")
    code, out, err = run(capsys, "plugins", "--plugin-file", path)
    assert (code, out) == (1, "")
    assert "SystemExit: 0" in err
    assert len(err.splitlines()) == len(errors(err)) == 1


@pytest.mark.parametrize("where", ["option", "visualize", "nowhere"])
def test_in_a_check_in_the_answer_and_in_its_files(
    capsys, tmp_path, lecture_models, monkeypatch, where
):
    path = tmp_path / "leaver.py"
    path.write_text(VISUALIZER, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    code, out, err = run(
        capsys, "visualize", "--plugin-file", path, "--plugin", "leaver", "--where", where,
        lecture_models["dnn"],
    )  # fmt: skip
    assert (code, out) == (1, "")
    assert "leaver" in errors(err)[0]
    assert "SystemExit: 0" in errors(err)[0]
    assert not (tmp_path / "kerascnn-out").exists()


def test_custom_objects_of_a_plugin_that_was_asked_for(capsys, tmp_path, lecture_models):
    path = tmp_path / "objects.py"
    path.write_text(OBJECTS, encoding="utf-8")
    code, out, err = run(capsys, "inspect", "--plugin-file", path, lecture_models["dnn"])
    assert (code, out) == (1, "")
    assert "kerascnn_custom_objects" in errors(err)[0]
    assert "SystemExit: 0" in errors(err)[0]


def test_custom_objects_of_another_plugin_are_told_of(capsys, install, lecture_models):
    install("objects", "objects_mod", OBJECTS)
    code, out, err = run(capsys, "inspect", lecture_models["dnn"])
    assert code == 0
    assert errors(err) == []
    told = "plugin objects_mod (objects): can't be registered: SystemExit: 0"
    assert f"kerascnn: not used: {told} (in kerascnn_custom_objects)" in err.splitlines()
    assert "layer" in out


def test_anything_else_that_leaves_is_an_error_too(capsys, monkeypatch):
    from kerascnn.network import network

    def leaving(*_arguments, **_more):
        raise SystemExit(0)

    monkeypatch.setattr(network.Network, "load", leaving)
    code, out, err = run(capsys, "inspect", "m.h5")
    assert (code, out) == (1, "")
    assert "SystemExit: 0" in errors(err)[0]
