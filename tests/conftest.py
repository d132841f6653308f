"""What several test modules share: models, the installed command, the wheel, a browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap

import pytest

from helpers.environments import build
from helpers.paths import COMMAND

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

#: Distributions of their own: `test_plugin_distributions` installs them and runs their tests.
collect_ignore = ["plugins"]


@pytest.fixture(scope="session")
def command():
    """Run the installed console script: ``command("plugins", cwd=…)`` → CompletedProcess."""

    def run(*arguments, cwd=None, timeout=300, **more):
        return subprocess.run(
            [str(COMMAND), *map(str, arguments)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=cwd,
            timeout=timeout,
            check=False,
            **more,
        )

    return run


@pytest.fixture(scope="session")
def release(tmp_path_factory):
    """The source distribution and the wheel, built from a clean copy of the tree."""
    return build(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="session")
def wheel(release):
    """The wheel, built as a release is."""
    return release[1]


@pytest.fixture(scope="module")
def browser():
    """A real browser without a window, which playwright drives."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        _missing("there is no playwright (pip install playwright)")
    with sync_playwright() as playwright:
        where = {"executable_path": path} if path else {"channel": "chrome"}
        try:
            found = playwright.chromium.launch(args=["--no-sandbox"], **where)
        except Error:
            _missing("there is neither Chromium nor Chrome (apt-get install chromium)")
        yield found
        found.close()


def _missing(reason):
    """Skip; but not where all tests are meant to run."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"{reason}, and CI is set")
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def seeded():
    """Give layers the same weights in every run; Keras' initializers draw others each time."""
    for name in ("tf_keras", "keras"):
        if name in sys.modules:
            sys.modules[name].utils.set_random_seed(0)


@pytest.fixture(scope="session", params=["keras2", "keras3"])
def keras(request):
    """Each Keras generation in turn, as a module."""
    if request.param == "keras2":
        import tf_keras

        return tf_keras
    import keras

    if keras.__version__.startswith("2."):
        pytest.skip("the installed keras is Keras 2")
    return keras


@pytest.fixture(scope="session")
def lecture_models(tmp_path_factory):
    """The lecture's three networks, untrained, saved as HDF5: name → path."""
    from kerascnn import models

    folder = tmp_path_factory.mktemp("models")
    builders = {"dnn": models.dnn, "cnn": models.cnn, "cnn-as-written": models.cnn_as_written}
    paths = {}
    for name, make in builders.items():
        paths[name] = folder / f"{name}.h5"
        make(seed=0).save(paths[name])
    return paths


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Lay out a distribution as an installer would: ``install(name, module, source, points)``."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    modules = []

    def make(distribution, module=None, source="", points=None, version="1.0"):
        info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n", encoding="utf-8"
        )
        if module:
            (site / f"{module}.py").write_text(textwrap.dedent(source), encoding="utf-8")
            modules.append(module)
        points = {module: module} if points is None else points
        lines = [f"{name} = {value}" for name, value in points.items()]
        (info / "entry_points.txt").write_text("\n".join(["[kerascnn]", *lines, ""]), "utf-8")

    yield make
    for module in modules:
        sys.modules.pop(module, None)
