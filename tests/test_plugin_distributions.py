"""Three plugins as their authors would write and ship them, in an environment of their own."""

from __future__ import annotations

import ast
import json
import shutil

import numpy as np
import pytest

import kerascnn
import kerascnn.ascent
import kerascnn.render
import kerascnn.testing
from helpers.environments import Environment
from helpers.figures import is_drawn
from helpers.paths import TESTS

PLUGINS = TESTS / "plugins"
NAMES = ("rise", "feature-inversion", "layer-histogram")
SURFACE = {
    "kerascnn": kerascnn.__all__,
    "kerascnn.ascent": kerascnn.ascent.__all__,
    "kerascnn.render": kerascnn.render.__all__,
    "kerascnn.testing": kerascnn.testing.__all__,
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory, wheel):
    """kerascnn's wheel and the three plugins, each built and installed; no network."""
    folder = tmp_path_factory.mktemp("authors")
    made = Environment(folder / "env", borrow_kerascnn=False)
    sources = []
    for name in NAMES:
        sources.append(folder / f"kerascnn-{name}")
        shutil.copytree(PLUGINS / sources[-1].name, sources[-1])
    made.install(wheel, *sources)
    return made, folder


@pytest.mark.parametrize("path", sorted(PLUGINS.rglob("*.py")), ids=lambda path: path.name)
def test_they_use_the_public_surface_alone(path):
    found = 0
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "kerascnn":
            assert {alias.name for alias in node.names} <= set(SURFACE[node.module])
            found += 1
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("kerascnn.") for alias in node.names)
    assert found


@pytest.mark.long
def test_their_own_tests_pass(environment):
    made, folder = environment
    done = made.run(
        made.python, "-m", "pytest", "-q", "-p", "no:cacheprovider",
        *(folder / f"kerascnn-{name}" / "tests" for name in NAMES), cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_the_console_script_runs_them_on_one_model(environment, lecture_models):
    made, folder = environment
    script = made.bin / "kerascnn"
    listed = json.loads(made.run(script, "plugins", "--json", cwd=folder).stdout)
    assert not listed["problems"]
    origin = {plugin["name"]: plugin["distribution"] for plugin in listed["plugins"]}
    for name in NAMES:
        assert origin[name] == f"kerascnn-{name}"
    done = made.run(
        script, "visualize", "--plugin", ",".join(NAMES), lecture_models["cnn"],
        "--masks", "50", "--steps", "5", "--layer-histogram.layer", "conv2d*",
        "--out", "out", "--json", cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    runs = {run["plugin"]: run for run in json.loads(done.stdout)["runs"]}
    assert set(runs) == set(NAMES)
    for name, run in runs.items():
        assert is_drawn((folder / run["files"]["png"]).read_bytes())
        with np.load(folder / run["files"]["npz"]) as stored:
            assert np.isfinite(stored["values"]).all()
            assert np.ptp(stored["values"]) > 0
        manifest = json.loads((folder / run["files"]["manifest"]).read_text("utf-8"))
        assert manifest["distribution"] == f"kerascnn-{name}"
    assert set(runs["layer-histogram"]["facts"]) == {"conv2d", "conv2d_1"}
