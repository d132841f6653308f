"""The walls of the house: who imports whom, and what is loaded when."""

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

# What a room may import at its top, beside the standard library; see docs/architecture.md.
# A room that is not named may not exist: put it here and on the page.
ROOMS = {
    "errors": set(),
    "files": {"errors"},
    "progress": set(),
    "quiet": set(),
    "visualizer": {"errors", "pydantic", "pydantic_core"},
    "registry": {"errors", "visualizer", "pluggy"},
    "checks": {"errors"},
    "result": {"checks", "errors"},
    "labels": {"contract", "errors"},
    "memory": {"errors", "psutil"},
    "contract": {"errors", "numpy"},
    "images": {"contract", "errors", "images", "progress", "numpy"},
    "graph": {"errors"},
    "commands": {"errors", "click"},
    "testing": {"errors", "visualizer"},
    "style": set(),
    "pages": set(),
    "lecture": {"lazy"},
    "cli": {"commands", "errors", "kerascnn", "click"},
    "__main__": {"cli"},
}


def imports(tree: ast.AST, top_only: bool) -> set[str]:
    """Names of imported modules, ``kerascnn.x`` as ``x``; not those for type checkers alone."""
    found: set[str] = set()
    nodes = list(tree.body) if top_only else list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        for name in names:
            parts = name.split(".")
            found.add(parts[1] if parts[0] == "kerascnn" and len(parts) > 1 else parts[0])
    return found - set(sys.stdlib_module_names) - {"__future__"}


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_imports_what_it_may(room):
    path = PACKAGE / f"{room}.py"
    path = path if path.is_file() else PACKAGE / room / "__init__.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert imports(tree, top_only=True) <= ROOMS[room]


def test_no_room_but_the_outer_ones_knows_the_command_line():
    for path in PACKAGE.rglob("*.py"):
        if path.name in ("cli.py", "__main__.py"):
            continue
        assert "cli" not in imports(ast.parse(path.read_text(encoding="utf-8")), False), path


def test_no_room_imports_tensorflow_or_matplotlib_at_its_top():
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        late = {"tensorflow", "keras", "tf_keras", "matplotlib"}
        assert not imports(tree, top_only=True) & late, path


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
        ["--help"],
        ["plugins"],
        ["plugins", "show", "saliency"],
        ["visualize", "--help"],
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
