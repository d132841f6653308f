"""What import-linter cannot see: what is loaded when, and that plugins use the public surface."""

from __future__ import annotations

import ast
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import kerascnn

PACKAGE = Path(kerascnn.__file__).parent
SLOW = {"tensorflow", "keras", "tf_keras", "matplotlib", "numpy", "scipy", "PIL", "h5py"}


def test_no_module_imports_tensorflow_or_matplotlib_at_its_top():
    late = {"tensorflow", "keras", "tf_keras", "matplotlib"}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & late, path


def test_first_party_plugins_use_the_public_surface_only():
    import kerascnn_plugins

    files = list(Path(kerascnn_plugins.__file__).parent.glob("*.py"))
    assert len(files) > 2
    for path in files:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kerascnn"):
                assert node.module in ("kerascnn", "kerascnn.ascent"), (path, node.module)
                if node.module == "kerascnn":
                    assert {alias.name for alias in node.names} <= set(kerascnn.__all__), path
            if isinstance(node, ast.Import):
                names = {alias.name.partition(".")[0] for alias in node.names}
                assert "kerascnn" not in names, path


def loaded_by(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has after running ``code``."""
    script = f"{code}\nimport sys\nprint('\\n'.join(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_every_plugin_loads_without_anything_slow():
    entries = importlib.metadata.entry_points(group="kerascnn")
    modules = sorted({entry.module for entry in entries})
    assert "kerascnn_plugins.saliency" in modules
    code = "\n".join(f"import {module}" for module in modules)
    assert not loaded_by(code) & SLOW


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--help"],
        ["no-such-command"],
        ["plugins"],
        ["plugins", "show", "saliency"],
        ["visualize", "--help"],
        ["report", "--help"],
        ["inspect", "--help"],
        ["visualize", "--plugin", "saliency", "--help"],
        ["visualize", "--plugin", "nothing", "model.h5"],
        ["visualize", "--plugin", "saliency", "--clip", "no", "model.h5"],
        ["lecture", "--help"],
        ["style", "--help"],
    ],
)
def test_what_needs_no_model_loads_nothing_slow(arguments):
    code = (
        "import contextlib, io\nfrom kerascnn.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):"
        f"\n    main({arguments!r})"
    )
    assert not loaded_by(code) & SLOW


def test_every_public_name_is_there():
    for name in kerascnn.__all__:
        assert getattr(kerascnn, name) is not None


def test_the_version_is_the_distributions():
    assert kerascnn.__version__ == importlib.metadata.version("kerascnn")
