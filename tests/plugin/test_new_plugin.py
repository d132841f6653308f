"""``kerascnn plugins new``: what it writes works at once, and it never writes over anything."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from helpers.environments import Environment
from kerascnn.cli import main


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    return (code, *capsys.readouterr())


@pytest.mark.long  # the tutorial does it by default
def test_what_it_writes_is_installed_tested_and_run(tmp_path, lecture_models, capsys):
    code, _, err = run(capsys, "plugins", "new", "edge-map", "--into", tmp_path / "new")
    assert (code, err) == (0, "")
    folder = tmp_path / "new" / "kerascnn-edge-map"
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert written == {
        ".gitignore",
        "README.md",
        "kerascnn_edge_map.py",
        "pyproject.toml",
        "tests/test_kerascnn_edge_map.py",
    }
    for path in folder.rglob("*"):
        assert path.is_dir() or "$" not in path.read_text(encoding="utf-8")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["kerascnn-edge-map"]

    environment = Environment(tmp_path / "env", borrow_kerascnn=True)
    environment.install("--editable", folder)
    done = environment.run(
        environment.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder
    )
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout
    done = environment.command(
        "visualize", "--plugin", "edge-map", "--power", "2", lecture_models["cnn"], "--json",
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["plugin"] == "edge-map"


def test_its_files_pass_the_linter(tmp_path, capsys):
    pytest.importorskip("ruff", reason="the linter is not installed")
    run(capsys, "plugins", "new", "a-b-c3", "--into", tmp_path)
    for words in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *words, "--isolated", "."]
        done = subprocess.run(
            command, cwd=tmp_path / "kerascnn-a-b-c3", capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_nothing_is_written_over(tmp_path, capsys):
    (tmp_path / "kerascnn-mine").mkdir()
    code, out, err = run(capsys, "plugins", "new", "mine", "--into", tmp_path)
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert "there already" in err
    assert list((tmp_path / "kerascnn-mine").iterdir()) == []
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "name",
    [
        "Mine",
        "a_b",
        "1st",
        "-x",
        "a--b",
        "../up",
        "a/b",
        "x" * 41,
        "",
        "kerascnn-",
        "a\x1b[31m",
        "é",
    ],
)
def test_a_wrong_name_is_one_line(name, tmp_path, capsys):
    code, out, err = run(capsys, "plugins", "new", "--into", tmp_path, "--", name)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "hyphens" in err
    assert "\x1b" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken_is_told(tmp_path, capsys):
    code, _, err = run(capsys, "plugins", "new", "kerascnn-saliency", "--into", tmp_path)
    assert code == 2
    assert "saliency" in err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    code, _, err = run(capsys, "plugins", "new", "mine", "--into", tmp_path / "file" / "x")
    assert code == 1
    assert "can't write" in err
