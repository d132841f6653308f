"""The pages that show commands and files: every one of them is run, in order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import kerascnn
import kerascnn.ascent
from helpers.environments import Environment
from helpers.paths import DOCS
from kerascnn import Result
from kerascnn.plugin import hooks
from kerascnn.plugin.options import BOUNDS
from kerascnn.plugin.visualizer import Visualizer

FENCE = re.compile(
    r"^(?:<!-- (?P<mark>[^\n]*) -->\n)?```(?P<kind>[a-z{}-]*)\n(?P<body>.*?)^```$",
    flags=re.S | re.M,
)


@dataclass(frozen=True)
class Snippet:
    kind: str
    body: str
    file: str
    adds: bool
    runs: bool


def snippets(page: str) -> list[Snippet]:
    text = (DOCS / page).read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        mark = match["mark"] or ""
        verb, _, file = mark.partition(": ")
        file = file if verb in ("file", "add to") else ""
        found.append(
            Snippet(match["kind"], match["body"], file, verb == "add to", verb != "not run")
        )
    assert len(found) == len(re.findall(r"^```[a-z{]", text, flags=re.M)), page
    return found


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """An environment with this kerascnn, its command on the path."""
    made = Environment(tmp_path_factory.mktemp("tutorial") / "env", borrow_kerascnn=True)
    script = made.bin / "kerascnn"
    code = "import sys\nfrom kerascnn.cli import entry\nsys.exit(entry())\n"
    script.write_text(f"#!{made.python}\n{code}", encoding="utf-8")
    script.chmod(0o755)
    return made


@pytest.mark.skipif(os.name != "posix", reason="the pages' commands are those of a Unix shell")
@pytest.mark.parametrize(
    "page", ["writing-plugins.md", pytest.param("get-started.md", marks=pytest.mark.long)]
)
def test_every_snippet_runs(page, environment, tmp_path):
    path = f"{environment.bin}{os.pathsep}{os.environ['PATH']}"
    here = tmp_path
    for number, snippet in enumerate(snippets(page)):
        if not snippet.runs:
            continue
        if snippet.file:
            assert (here / snippet.file).is_file(), f"{snippet.file} is not there to be changed"
            with (here / snippet.file).open("a" if snippet.adds else "w", encoding="utf-8") as file:
                file.write(f"\n\n{snippet.body}" if snippet.adds else snippet.body)
            continue
        assert snippet.kind in ("console", "python"), f"{page}: {snippet}"
        script = tmp_path / f"snippet-{number}"
        script.write_text(snippet.body, encoding="utf-8")
        words = ["python", script] if snippet.kind == "python" else ["bash", "-e", script]
        done = environment.run(*words, cwd=here, env={**os.environ, "PATH": path})
        assert done.returncode == 0, f"{snippet.body}\n{done.stdout}\n{done.stderr}"
        for folder in re.findall(r"^cd (\S+)$", snippet.body, flags=re.M):
            here = here / folder
    written = {path.name for path in here.rglob("*") if path.is_file()}
    if page == "writing-plugins.md":
        assert {"blur-occlusion.png", "blur-occlusion.npz"} <= written
        assert any(name.endswith(".whl") for name in written)
    else:
        assert {"report.html", "saliency.png", "epoch-0003.png"} <= written


def test_the_snippets_are_formatted_as_the_scaffold_is(tmp_path):
    pytest.importorskip("ruff", reason="the linter is not installed")
    for snippet in snippets("writing-plugins.md"):
        if snippet.file and not snippet.adds:
            (tmp_path / Path(snippet.file).name).write_text(snippet.body, encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--line-length", "100", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


REFERENCE = (DOCS / "plugin-reference.md").read_text(encoding="utf-8")
API = "".join(path.read_text(encoding="utf-8") for path in (DOCS / "api").glob("*.md"))


def kinds(cls=Result):
    for kind in cls.__subclasses__():
        if kind.__module__.startswith("kerascnn."):
            yield kind.__name__
            yield from kinds(kind)


@pytest.mark.parametrize(
    "name",
    sorted(
        {
            *(name for name in vars(hooks) if name.startswith("kerascnn_")),
            *(name for name in Visualizer.__class_vars__ if not name.startswith("_")),
            *kerascnn.__all__,
            *kinds(),
        }
        - {"__version__"}
    ),
)
def test_the_reference_names_everything(name):
    assert re.search(rf"`@?{name}\b", REFERENCE), (
        f"docs/plugin-reference.md does not tell of {name}"
    )


def test_the_reference_tells_of_every_bound():
    for bound in BOUNDS:
        assert f"`{bound}`" in REFERENCE


@pytest.mark.parametrize("module", ["kerascnn.testing", "kerascnn.ascent", "kerascnn.callbacks"])
def test_the_api_pages_have_every_public_module(module):
    assert f"automodule:: {module}\n" in API


@pytest.mark.parametrize("name", sorted({*kerascnn.__all__} - {"__version__"}))
def test_the_api_pages_have_every_public_name(name):
    in_a_module = f"automodule:: {getattr(kerascnn, name).__module__}\n"
    assert f":: kerascnn.{name}\n" in API or in_a_module in API
