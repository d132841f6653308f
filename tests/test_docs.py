"""README and docs say what the program does."""

from __future__ import annotations

import configparser
import importlib.util
import json
import os
import re
import shutil
import subprocess

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from helpers.paths import ROOT
from kerascnn.plugin.options import options
from kerascnn.plugin.registry import Registry

README = (ROOT / "README.md").read_text(encoding="utf-8")
PLUGINS = [p for p in Registry().discover().plugins.values() if p.distribution == "kerascnn"]


@pytest.fixture(scope="module")
def make_docs():
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "scripts" / "make_docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def jobs(workflow: str) -> list[dict]:
    text = (ROOT / ".github" / "workflows" / workflow).read_text(encoding="utf-8")
    return list(yaml.safe_load(text)["jobs"].values())


def commands(job: dict) -> list[str]:
    return [step["run"] for step in job.get("steps", []) if "run" in step]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.S | re.M)


def test_the_quick_start_has_two_commands():
    start = README.split("## Quick start")[1].split("\n## ")[0]
    commands = [line for block in blocks(start, "console") for line in block.splitlines()]
    assert len(commands) == 2
    assert commands[0].endswith("tox run -e lecture")
    assert commands[1].endswith("tox run")


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize("number", [1, 2])
def test_ci_runs_the_commands_of_the_quick_start(number):
    found = subprocess.run(
        ["bash", ROOT / ".ci" / "command", str(number)], capture_output=True, text=True, check=True
    )
    shown = blocks(README, "console")[number - 1].strip()
    if os.name == "nt":
        shown = shown.replace("python3 ", "python ").replace("/bin/", "/Scripts/")
    assert found.stdout.strip() == shown


@pytest.mark.parametrize("number", [1, 2])
def test_the_workflow_runs_both_on_every_system(number):
    job = next(job for job in jobs("test.yml") if f"bash .ci/run {number}" in commands(job))
    matrix = job["strategy"]["matrix"]
    systems = [*matrix["os"], *(more["os"] for more in matrix.get("include", []))]
    assert {name.split("-")[0] for name in systems} == {"ubuntu", "macos", "windows"}


def test_the_workflow_runs_all_tests_on_every_python():
    job = next(job for job in jobs("test.yml") if "bash .ci/run 2" in commands(job))
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    allowed = SpecifierSet(setup["options"]["python_requires"])
    assert job["strategy"]["matrix"]["python"] == [
        version for minor in range(100) if (version := f"3.{minor}") in allowed
    ]


@pytest.mark.parametrize("workflow", ["test.yml", "publish.yml"])
def test_each_action_is_pinned_to_a_commit(workflow):
    """A tag can be moved to other code, a commit cannot."""
    steps = [step for job in jobs(workflow) for step in [job, *job.get("steps", [])]]
    used = [step["uses"] for step in steps if not step.get("uses", "./").startswith("./")]
    assert used
    for action in used:
        commit = action.partition("@")[2]
        assert len(commit) == 40
        assert int(commit, 16)


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_every_plugin_has_its_page_and_its_pictures(plugin, make_docs):
    path = ROOT / "docs" / "plugins" / f"{plugin.name}.md"
    text = path.read_text(encoding="utf-8")
    assert text == make_docs.page(plugin), "python scripts/make_docs.py --pages"
    for option in options(plugin.visualizer):
        assert f"`{option.flag}`" in text
    pictures = re.findall(r"\]\(\.\./images/(.*?)\)", text)
    assert pictures
    for picture in pictures:
        assert (ROOT / "docs" / "images" / picture).read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    "page",
    [
        *(path.relative_to(ROOT).as_posix() for path in sorted(ROOT.glob("*.md"))),
        *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md"))),
        *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "kerascnn").rglob("*.md"))),
    ],
)
def test_links_lead_somewhere(page):
    path = ROOT / page
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_the_plugin_in_readme_works(tmp_path, lecture_models, command):
    (tmp_path / "input_gradient.py").write_text(blocks(README, "python")[0], encoding="utf-8")
    done = command(
        "visualize", "--plugin-file", "input_gradient.py", lecture_models["cnn"],
        "--plugin", "input-gradient", "--out", "out", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "input-gradient.png").is_file()


def test_readmes_table_is_what_the_book_says(make_docs, tmp_path):

    claims = [
        {"claim": "a | b", "says": "1", "measured": "2", "holds": False},
        {"claim": "c", "says": "1", "measured": "1", "holds": True},
    ]
    book = {
        "chapters": [
            {"name": "shapes", "claims": claims[:1]},
            {
                "name": "go",
                "claims": [{"claim": "of Go", "says": "", "measured": "", "holds": True}],
            },
            {"name": "experiment", "claims": claims[1:]},
        ],
        "settings": {"seeds": 1, "epochs": 2, "examples": 300},
        "versions": {"tensorflow": "9"},
    }
    path = tmp_path / "book.json"
    path.write_text(json.dumps(book), encoding="utf-8")
    text = make_docs.with_claims(README, path)
    assert "| a \\| b | 1 | 2 | **no** |\n| c | 1 | 1 | yes |\n" in text
    assert make_docs.with_claims(text, path) == text


def test_the_table_of_packages_is_up_to_date(make_docs):
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert make_docs.between(page, "packages", make_docs.packages()) == page, (
        "run python scripts/make_docs.py --pages"
    )
