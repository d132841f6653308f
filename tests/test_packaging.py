"""What is installed: the wheel's content, an editable install, plugins of other distributions."""

from __future__ import annotations

import importlib.metadata
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image

from helpers.environments import Environment, copy_sources
from helpers.paths import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def test_the_wheel_has_every_module_and_all_data(release):
    """Built from the source distribution, so that has them too."""
    archive, wheel = release
    assert "-".join(wheel.name.split("-")[:2]) == archive.name.removesuffix(".tar.gz")
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    for path in (ROOT / "kerascnn").rglob("*"):
        # Pages beside the code are for those who have the code.
        if path.is_file() and "__pycache__" not in path.parts and path.name != "README.md":
            assert path.relative_to(ROOT).as_posix() in names
    for path in (ROOT / "plugins").glob("*.py"):
        assert f"kerascnn_plugins/{path.name}" in names
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "kerascnn",
        "kerascnn_plugins",
    }
    assert any(name.endswith("/NOTICE") for name in names)


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
def test_ci_pins_a_version_that_is_allowed_of_everything_that_is_needed(python):
    here = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    lines = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {}
    for line in lines:
        if line and not line.lstrip().startswith("#"):
            pin = Requirement(line)
            if pin.marker is None or pin.marker.evaluate(here):
                pins[canonicalize_name(pin.name)] = str(pin.specifier).removeprefix("==")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    for text in [
        *importlib.metadata.requires("kerascnn"),
        *project["build-system"]["requires"],
        *groups["lint"], *groups["test"], *groups["docs"],
    ]:  # fmt: skip
        needed = Requirement(text)
        if needed.marker is None or needed.marker.evaluate(here):
            pin = pins.get(canonicalize_name(needed.name), "nothing")
            assert pin in needed.specifier, f"{needed}: run tox run -e constraints"


def test_an_editable_install_has_the_same_plugins(tmp_path, command):
    environment = Environment(tmp_path / "env", borrow_kerascnn=False)
    source = copy_sources(tmp_path / "source")
    environment.install("--editable", source)
    done = environment.command("plugins", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    installed = json.loads(command("plugins", "--json").stdout)
    assert json.loads(done.stdout) == installed
    # It is the checkout that runs: a change there shows.
    with (source / "plugins" / "saliency.py").open("a", encoding="utf-8") as plugin:
        plugin.write('\nSaliency.__doc__ = "Yes, edited."\n')
    shown = environment.command("plugins", "show", "saliency", cwd=tmp_path)
    assert "Yes, edited" in shown.stdout


PLUGIN = '''"""Input × gradient: each pixel's share of the score, to first order."""
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


def distribution(folder: Path, name: str, module: str, entry: str, text: str) -> Path:
    """Write a project with one module and one entry point; return its folder."""
    folder.mkdir()
    (folder / f"{module}.py").write_text(text, encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        f'[project]\nname = "{name}"\nversion = "1.2"\n'
        f'[project.entry-points.kerascnn]\n{entry} = "{module}"\n'
        f'[tool.setuptools]\npy-modules = ["{module}"]\n',
        encoding="utf-8",
    )
    return folder


def test_plugins_of_other_distributions(tmp_path, lecture_models):
    """One good, one broken, one with a name that is taken: each is told, and none in the way."""
    environment = Environment(tmp_path / "env", borrow_kerascnn=True)
    good = distribution(tmp_path / "good", "kc-good", "kc_good", "input-gradient", PLUGIN)
    broken = distribution(tmp_path / "broken", "kc-broken", "kc_broken", "broken", "import nono")
    doubled = distribution(
        tmp_path / "doubled", "kc-doubled", "kc_doubled", "saliency",
        PLUGIN.replace('"input-gradient"', '"saliency"'),
    )  # fmt: skip
    environment.install(good, broken, doubled)

    done = environment.command("plugins", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    origin = {plugin["name"]: plugin["distribution"] for plugin in found["plugins"]}
    assert origin["input-gradient"] == "kc-good"
    assert origin["saliency"] == "kerascnn"
    told = {problem["distribution"]: problem for problem in found["problems"]}
    assert set(told) == {"kc-broken", "kc-doubled"}
    assert told["kc-broken"]["plugin"] == "broken"
    assert "nono" in told["kc-broken"]["reason"]
    assert told["kc-doubled"]["plugin"] == "saliency"
    assert "kerascnn" in told["kc-doubled"]["reason"]

    done = environment.command(
        "visualize", "--plugin", "input-gradient", "--absolute", lecture_models["cnn"],
        "--out", "out", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "out" / "input-gradient.npz") as stored:
        assert (stored["values"] >= 0).all()
        assert stored["values"].max() > 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["distribution"], manifest["distribution_version"]) == ("kc-good", "1.2")

    done = environment.command("visualize", "--plugin", "broken", "m.h5", cwd=tmp_path)
    assert done.returncode == 1
    assert "nono" in done.stderr
    assert "kc-broken" in done.stderr


def test_the_same_file_works_by_its_path(command, lecture_models, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN, encoding="utf-8")
    done = command(
        "visualize", "--plugin-file", path, "--plugin", "input-gradient", lecture_models["cnn"],
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "out" / "input-gradient.npz") as stored:
        assert np.ptp(stored["values"]) > 0
    with Image.open(tmp_path / "out" / "input-gradient.png") as picture:
        assert len(np.unique(picture.convert("L"))) > 10
