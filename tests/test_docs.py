"""README and docs say what the program does."""

from __future__ import annotations

import importlib.util
import re
import subprocess

import pytest

from helpers.paths import ROOT
from kerascnn.plugin.registry import Registry
from kerascnn.plugin.visualizer import options

README = (ROOT / "README.md").read_text(encoding="utf-8")
PLUGINS = [p for p in Registry().discover().plugins.values() if p.distribution == "kerascnn"]


@pytest.fixture(scope="module")
def make_docs():
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "scripts" / "make_docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.S | re.M)


def test_the_quick_start_has_two_commands():
    start = README.split("## Quick start")[1].split("\n## ")[0]
    commands = [line for block in blocks(start, "console") for line in block.splitlines()]
    assert len(commands) == 2
    assert commands[0].endswith("tox run -e lecture")
    assert commands[1].endswith("tox run")


def test_ci_runs_the_second_of_them():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    find = re.search(r"command=\$\((.*)\)\n", script)[1]
    found = subprocess.run(
        ["bash", "-c", find], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == blocks(README, "console")[1].strip()


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
    ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))],
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
    import json

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


def test_the_house_is_drawn_as_it_stands(make_docs):
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert make_docs.between(page, "rooms", make_docs.rooms()) == page, "make_docs.py --pages"
