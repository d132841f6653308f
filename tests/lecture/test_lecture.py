"""The reproduction, whole: what it writes, what it claims, what it does not repeat."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from helpers.paths import SCRIPTS
from kerascnn.datasets import load_mnist
from kerascnn.errors import DataError, OutputError, UsageError
from kerascnn.lecture import reproduce
from kerascnn.lecture.drawing import accuracy
from kerascnn.lecture.experiments import mnist
from kerascnn.lecture.experiments.claims import Spread, claims, difference, spread, trace, unseen
from kerascnn.lecture.experiments.mnist import NETWORKS, Run, Trained
from kerascnn.lecture.experiments.training import Trainer

SETTINGS = {"seeds": 2, "epochs": 3, "examples": 300}
FILES = {
    *(f"{name}{suffix}" for name in NETWORKS for suffix in (".h5", ".keras")),
    "accuracy.png",
    "training-curves.png",
    "results.md",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A small data set: 1,500 training digits and 400 test digits."""
    path = tmp_path_factory.mktemp("data") / "small.npz"
    digits = load_mnist(1500)
    test = {"x_test": digits.x_test[:400], "y_test": digits.y_test[:400]}
    np.savez(path, x_train=digits.x_train, y_train=digits.y_train, **test)
    return path


@pytest.fixture(scope="module")
def done(tmp_path_factory, data):
    """One small reproduction: its folder, and what it returned."""
    out = tmp_path_factory.mktemp("lecture") / "out"
    return out, reproduce(out, data=data, **SETTINGS)


def stored(out):
    return json.loads((out / "results.json").read_text(encoding="utf-8"))


def without_seconds(runs):
    return [{key: value for key, value in run.items() if key != "seconds"} for run in runs]


# --- what is written --------------------------------------------------------------------------


def test_the_folder(done):
    out, _ = done
    assert {path.name for path in out.iterdir()} == FILES | {"results.json", "checkpoints"}
    assert len(list((out / "checkpoints").iterdir())) == 6
    digests = stored(out)["files"]
    assert set(digests) == FILES
    for name, digest in digests.items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest


def test_results_json(done, data):
    out, results = done
    found = stored(out)
    assert {key: found[key] for key in found if key != "files"} == results.to_dict()
    assert [list(run) for run in found["runs"]] == 6 * [
        ["network", "seed", "parameters", "train_accuracy", "test_accuracy", "seconds"]
    ]
    assert {(run["network"], run["seed"]) for run in found["runs"]} == {
        (name, seed) for name in NETWORKS for seed in (0, 1)
    }
    assert all(list(row) == ["claim", "says", "measured", "holds"] for row in found["claims"])
    assert {row["holds"] for row in found["claims"]} == {True, False, None}
    assert found["settings"] == SETTINGS | {"batch": 100}
    assert found["data"]["sha256"] == load_mnist(300, data).sha256
    for curve in found["curves"]:
        assert len(curve["loss"]) == len(curve["accuracy"]) == 3
        assert [epoch for epoch, _ in curve["test_accuracy"]] == [1, 2, 3]


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_saved_models_are_the_measured_ones(done, data, name, suffix):
    import tf_keras

    out, results = done
    model = tf_keras.models.load_model(out / f"{name}{suffix}")
    run = next(run for run in results.runs if run.network == name and run.seed == 0)
    assert model.count_params() == run.parameters
    parts = mnist.Parts.of(load_mnist(300, data), model)
    answers = np.argmax(model.predict(parts.x_test, verbose=0), axis=1)
    assert np.mean(answers == parts.y_test) == pytest.approx(run.test_accuracy, abs=0.0026)
    # Training can go on: Adam came along.
    assert int(model.optimizer.iterations) == 9
    loss, _ = model.evaluate(parts.x_train, np.eye(10)[parts.y_train], verbose=0)
    assert loss < results.runs[0].curves["loss"][0]


def test_the_page(done):
    out, results = done
    page = (out / "results.md").read_text(encoding="utf-8")
    for claim in results.claims:
        assert f"| {claim.claim} | {claim.says} | {claim.measured} |" in page
    assert "| MaxPooling2D | 13×13×25 (25×13×13) | 0 | 12×13×26 | 0 |" in page
    assert "| Conv2D | 11×11×50 (50×11×11) | 11,300 | 10×11×50 | 11,750 |" in page
    assert "2 seeds" in page
    assert "accuracy.png" in page


def test_the_pictures_are_for_slides(done):
    from PIL import Image

    for name in ("accuracy.png", "training-curves.png"):
        with Image.open(done[0] / name) as picture:
            assert picture.size == (1920, 960)
            assert len(picture.convert("RGB").getcolors(1 << 24)) > 50


def test_the_table_names_every_claim(done, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    table = done[1].table()
    for claim in done[1].claims:
        assert claim.claim in table
        assert claim.measured in table
    assert max(len(line) for line in table.splitlines()) <= 200


# --- what is claimed --------------------------------------------------------------------------


def test_shapes_are_as_said_and_the_listings_are_not(done):
    held = {claim.claim: claim for claim in done[1].claims}
    stages = [name for name in held if name.startswith("CNN: ") and "accuracy" not in name]
    assert len(stages) == 8
    assert all(held[name].holds for name in stages)
    assert held["CNN: weights of a filter in the second convolution"].measured == "225 = 3×3×25"
    measured = {
        "listing: 25 filters of 3×3": ("(25, 26, 26)", True),
        "listing: first max pooling 2×2": ("(12, 13, 26)", False),
        "listing: 50 filters of 3×3": ("(10, 11, 50)", False),
        "listing: second max pooling 2×2": ("(5, 5, 50), by coincidence", True),
        "listing: flatten": ("1250, by coincidence", True),
        "listing: filters of the first convolution that learn": (
            "24 of 25, pooling drops the others",
            False,
        ),
    }
    for name, (value, holds) in measured.items():
        assert (held[name].measured, held[name].holds) == (value, holds)


def test_what_does_not_hold_is_shown_as_such(done):
    held = {claim.claim: claim for claim in done[1].claims}
    # Three epochs on 300 digits are far from 98 %.
    assert held["CNN: accuracy on test digits"].says == "98 %"
    assert held["CNN: accuracy on test digits"].holds is False
    assert held["DNN: accuracy on test digits"].holds is None


def test_traces_are_measured_not_remembered():
    import tf_keras

    other = tf_keras.Sequential(
        [
            tf_keras.layers.Conv2D(3, 5, input_shape=(12, 10, 2)),
            tf_keras.layers.MaxPooling2D(2),
            tf_keras.layers.Flatten(),
        ]
    )
    steps = trace(other)
    assert [step.shape for step in steps] == [(8, 6, 3), (4, 3, 3), (36,)]
    assert [step.parameters for step in steps] == [153, 0, 0]
    assert [step.kind for step in steps] == ["Conv2D", "MaxPooling2D", "Flatten"]
    assert unseen(other) == (0, 0)
    assert unseen(NETWORKS["cnn"](1)) == (2, 2)


def runs_of(dnn, cnn, written=(0.5,)):
    made = []
    for name, values in (("dnn", dnn), ("cnn", cnn), ("cnn-as-written", written)):
        for seed, value in enumerate(values):
            made.append(Run(name, seed, {"dnn": 9, "cnn": 5}.get(name, 6), 1.0, value, 3.0, {}))
    return made


def test_means_deviations_and_pairs():
    dnn, cnn = (0.95, 0.96, 0.955), (0.97, 0.955, 0.99)
    runs = runs_of(dnn, cnn)
    gained = difference(runs)
    assert gained.values == pytest.approx(np.subtract(cnn, dnn))
    assert gained.mean == pytest.approx(np.mean(np.subtract(cnn, dnn)))
    assert gained.deviation == pytest.approx(np.std(np.subtract(cnn, dnn), ddof=1))
    ours = spread(runs, "cnn", lambda run: run.test_accuracy)
    assert ours.percent() == f"{100 * np.mean(cnn):.2f} ± {100 * np.std(cnn, ddof=1):.2f} %"
    assert Spread((0.5,)).percent() == "50.00 %"
    assert Spread((-0.01,)).percent("+", " points") == "−1.00 points"


def claims_of(runs):
    models = {name: build(0) for name, build in NETWORKS.items()}
    initial = {name: model.get_weights() for name, model in models.items()}
    return {claim.claim: claim for claim in claims(Trained(runs, models, initial))}


def test_claims_follow_the_numbers():
    good = claims_of(runs_of((0.95, 0.96), (0.97, 0.985)))
    assert good["CNN against DNN on test digits"].holds
    assert good["CNN against DNN on test digits"].measured.endswith("better in 2 of 2 pairs")
    assert good["CNN: accuracy on test digits"].holds  # 97.75 % is 98 % in whole percents
    assert good["CNN against DNN: parameters"].holds
    worse = claims_of(runs_of((0.98,), (0.97,)))
    assert worse["CNN against DNN on test digits"].holds is False
    assert worse["CNN against DNN on test digits"].measured.startswith("−1.00 points")
    assert worse["CNN: accuracy on test digits"].holds is False
    # These models have not been trained.
    assert worse["listing: filters of the first convolution that learn"].measured.startswith("0 of")


# --- figures ----------------------------------------------------------------------------------


def drawn_runs(seeds, epochs):
    return [
        Run(
            name,
            seed,
            1000 * (place + 1),
            0.99,
            0.95 + 0.01 * place,
            1.0,
            {
                "loss": [1 / (epoch + 1) for epoch in range(epochs)],
                "accuracy": [0.9 + 0.001 * epoch for epoch in range(epochs)],
                "test_accuracy": [[1, 0.9], [epochs, 0.95]],
            },
        )
        for seed in range(seeds)
        for place, name in enumerate(NETWORKS)
    ]


@pytest.mark.parametrize(("seeds", "epochs"), [(1, 1), (1, 20), (5, 3)])
def test_curves_have_titles_units_and_one_name_a_network(seeds, epochs):
    runs = drawn_runs(seeds, epochs)
    figure = accuracy.curves(runs)
    left, right = figure.axes
    assert left.get_xlabel() == right.get_xlabel() == "epoch"
    assert "nats" in left.get_ylabel()
    assert "%" in right.get_ylabel()
    names = [text.get_text() for text in left.get_legend().get_texts()]
    assert names == ["DNN", "CNN as taught", "CNN as the listing has it"]
    assert len(left.lines) == 3 * seeds
    assert list(left.lines[0].get_ydata()) == runs[0].curves["loss"]
    figure.canvas.draw()


def test_the_accuracy_chart_shows_the_numbers():
    figure = accuracy.accuracy(drawn_runs(2, 4))
    shown = {text.get_text() for text in figure.axes[0].texts}
    assert {"95.00 ± 0.00", "96.00 ± 0.00", "97.00 ± 0.00", "the lecture: 98 %"} <= shown
    assert "1,000 parameters" in figure.axes[0].get_yticklabels()[-1].get_text()
    low, high = figure.axes[0].get_xlim()
    assert low < 95
    assert high > 100


# --- settings and folders that can't be -------------------------------------------------------


@pytest.fixture
def no_training(monkeypatch):
    def trained(*_, **__):
        raise AssertionError("it was trained")

    monkeypatch.setattr(Trainer, "run_epoch", trained)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"seeds": 0}, "--seeds must be at least 1. Received: 0"),
        ({"epochs": -3}, "--epochs must be at least 1. Received: -3"),
        ({"examples": 99}, "--examples must be at least 100. Received: 99"),
    ],
)
def test_numbers_that_are_too_small(tmp_path, no_training, wrong, says):
    with pytest.raises(UsageError) as caught:
        reproduce(tmp_path / "out", **wrong)
    assert str(caught.value) == says
    assert not (tmp_path / "out").exists()


def test_an_unwritable_folder_is_found_before_the_training(tmp_path, no_training):
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(OutputError, match="can't write"):
            reproduce(out)


def test_wrong_data_leave_no_folder(tmp_path, no_training):
    with pytest.raises(DataError, match="no such file"):
        reproduce(tmp_path / "out", data=tmp_path / "none.npz")
    assert not (tmp_path / "out").exists()


# --- runs that go on --------------------------------------------------------------------------


def test_a_finished_training_is_not_repeated(done, data, no_training, capsys):
    out, before = done
    digests = stored(out)["files"]
    again = reproduce(out, data=data, **SETTINGS)
    assert again.to_dict() == before.to_dict()  # the seconds too
    assert capsys.readouterr().err.count("3 of 3 epochs earlier") == 6
    assert stored(out)["files"]["results.md"] == digests["results.md"]


def test_fewer_seeds_are_taken_from_more(done, data, no_training):
    out, before = done
    one = reproduce(out, data=data, **(SETTINGS | {"seeds": 1}))
    assert [run.seed for run in one.runs] == [0, 0, 0]
    assert one.to_dict()["runs"] == before.to_dict()["runs"][:3]
    assert "±" not in (out / "results.md").read_text(encoding="utf-8")


def test_other_settings_do_not_mix(done, data):
    out, before = done
    other = reproduce(out, data=data, seeds=1, epochs=1, examples=100)
    assert stored(out)["settings"]["examples"] == 100
    assert len(other.runs[0].curves["loss"]) == 1
    assert other.runs[0].test_accuracy != before.runs[0].test_accuracy
    digests = stored(out)["files"]
    for name in FILES:
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digests[name]


def test_results_json_vouches_for_what_is_beside_it(done, data, tmp_path, monkeypatch):
    out = tmp_path / "out"
    shutil.copytree(done[0], out)

    def broken(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(accuracy, "accuracy", broken)
    with pytest.raises(KeyboardInterrupt):
        reproduce(out, data=data, **SETTINGS)
    assert not (out / "results.json").exists()
    assert not [path for path in out.iterdir() if path.name.startswith(".")]
    monkeypatch.undo()
    reproduce(out, data=data, **SETTINGS)
    assert set(stored(out)["files"]) == FILES


def epochs_kept(out, network):
    for path in (out / "checkpoints").glob(f"{network}-0-*.npz"):
        with np.load(path) as kept:
            return int(kept["epoch"])
    return 0


def test_killed_at_any_moment_it_ends_with_the_same_numbers(tmp_path, data):
    out = tmp_path / "out"
    settings = {"seeds": 1, "epochs": 6, "examples": 600}
    code = (
        "from pathlib import Path\nfrom kerascnn.lecture import reproduce\n"
        f"reproduce(Path({str(out)!r}), data=Path({str(data)!r}), **{settings})"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 240
        while not epochs_kept(out, "cnn") and time.monotonic() < deadline:
            assert process.poll() is None, "it ended by itself"
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        process.wait()
    assert 1 <= epochs_kept(out, "cnn") < 6
    assert not (out / "results.json").exists()
    resumed = reproduce(out, data=data, **settings).to_dict()
    straight = reproduce(tmp_path / "straight", data=data, **settings).to_dict()
    assert without_seconds(resumed["runs"]) == without_seconds(straight["runs"])
    assert resumed["curves"] == straight["curves"]
    for name in NETWORKS:
        ours, theirs = (
            next((folder / "checkpoints").glob(f"{name}-0-*.npz"))
            for folder in (out, tmp_path / "straight")
        )
        with np.load(ours) as a, np.load(theirs) as b:
            for key in set(a.files) - {"record"}:
                assert np.array_equal(a[key], b[key]), (name, key)


# --- the command ------------------------------------------------------------------------------


def test_the_script_is_the_command():

    script = SCRIPTS / "reproduce_lecture.py"
    shown = subprocess.run(
        [sys.executable, str(script), "--help"], capture_output=True, text=True, check=True
    )
    for flag in ("--out", "--chapter", "--quick", "--seeds", "--epochs", "--examples", "--data"):
        assert flag in shown.stdout
