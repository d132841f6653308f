"""The installed console script on saved models, as a user runs it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.paths import COMMAND


def only_line(text):
    lines = text.strip().splitlines()
    assert len(lines) == 1, text
    return lines[0]


def test_saliency_with_no_other_argument(command, lecture_models, tmp_path):
    shutil.copy(lecture_models["cnn"], tmp_path)
    done = command("visualize", "--plugin", "saliency", "cnn.h5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "kerascnn-out" / "cnn" / "saliency"
    assert sorted(p.name for p in folder.iterdir()) == [
        "manifest.json",
        "saliency.npz",
        "saliency.png",
    ]
    assert done.stdout.split() == [
        str(Path("kerascnn-out") / "cnn" / "saliency" / name)
        for name in ("saliency.png", "saliency.npz", "manifest.json")
    ]
    # Nothing on stderr but our own lines; the packaged sample is named there.
    assert all(line.startswith("kerascnn: ") for line in done.stderr.splitlines())
    assert "no --image given" in done.stderr

    with np.load(folder / "saliency.npz", allow_pickle=False) as stored:
        assert stored["values"].shape == (10, 28, 28)
        assert stored["images"].shape == (10, 28, 28, 1)
        assert (stored["values"] >= 0).all()
        assert stored["values"].max() > 0
        assert json.loads(str(stored["meaning"]))["kind"] == "Heatmap"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert len(manifest["model"]["sha256"]) == 64
    assert manifest["plugin"] == "saliency"
    assert manifest["seed"] == 0
    assert {"kerascnn", "tensorflow", "tf_keras"} <= set(manifest["versions"])
    with Image.open(folder / "saliency.png") as picture:
        assert min(picture.size) > 300


def test_json_is_one_object_on_stdout(command, lecture_models, tmp_path):
    done = command(
        "visualize", "--plugin", "filters", lecture_models["cnn"], "--json", "--out", tmp_path / "o"
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(only_line(done.stdout))
    assert found["plugin"] == "filters"
    with np.load(found["files"]["npz"]) as stored:
        assert stored["values"].shape == (25, 3, 3, 1)


def test_several_pictures_and_a_folder(command, lecture_models, tmp_path):
    folder = tmp_path / "digits"
    folder.mkdir()
    for number in range(3):
        Image.fromarray(np.full((28, 28), 60 * number, np.uint8)).save(folder / f"{number}.png")
    single = tmp_path / "one.png"
    Image.fromarray(np.zeros((40, 40), np.uint8)).save(single)
    done = command(
        "visualize", "--plugin", "saliency", lecture_models["dnn"], "--image", folder,
        "--image", single, "--target", "7", "--out", tmp_path / "out",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "out" / "saliency.npz") as stored:
        assert stored["values"].shape == (4, 28, 28)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["target"] == [7, 7, 7, 7]
    assert [record["name"] for record in manifest["images"]][-1].startswith("one")


def test_inspect_shows_the_listings_surprise(command, lecture_models):
    done = command("inspect", lecture_models["cnn-as-written"])
    assert done.returncode == 0, done.stderr
    assert "1×28×28 → 25×26×26 → 26×12×13 → 50×10×11 → 50×5×5 → 1250 → 100 → 10" in done.stdout
    warning = [line for line in done.stdout.splitlines() if line.startswith("warning:")]
    assert len(warning) == 1
    assert "used for channels" in warning[0]


def test_inspect_json_of_the_cnn_as_taught(command, lecture_models):
    done = command("inspect", lecture_models["cnn"], "--json")
    found = json.loads(only_line(done.stdout))
    assert {
        "format", "keras_version", "family", "input", "layers", "head", "preprocessing", "warnings",
    } <= set(found)  # fmt: skip
    assert found["family"] == "keras2"
    assert found["parameters"] == 137_660
    assert [layer["weights_per_filter"] for layer in found["layers"]][:3] == [9, None, 225]
    assert found["layers"][2]["receptive_field"] == [8, 8]
    assert found["head"]["kind"] == "softmax"
    assert found["warnings"] == []


@pytest.mark.skipif(os.name != "posix", reason="signals as Unix has them")
def test_ctrl_c_leaves_no_half_files(lecture_models, tmp_path):
    # Whoever started the tests in the background has told them to ignore it; not so the command.
    heeding = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", heeding, COMMAND, "visualize", "--plugin", "saliency",
         lecture_models["cnn"], "--out", "out"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    # Once the folder is there, TensorFlow is being imported.
    for _ in range(600):
        if (tmp_path / "out").exists():
            break
        time.sleep(0.05)
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=120)
    assert running.returncode == 130, err
    assert out == ""
    assert err.strip().splitlines()[-1] == "kerascnn: interrupted"
    assert list(tmp_path.iterdir()) == []
