"""The MNIST experiment, whole: what it writes, what is claimed of it, what it does not repeat."""

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
from kerascnn.lecture.book.builder import ChapterBuilder, Networks
from kerascnn.lecture.book.claim_row import claim_rows
from kerascnn.lecture.book.settings import Settings
from kerascnn.lecture.chapters import load
from kerascnn.lecture.drawing import accuracy
from kerascnn.lecture.experiments import mnist
from kerascnn.lecture.experiments.mnist import NETWORKS, Results
from kerascnn.lecture.experiments.runner import History, TrainingRun, Trials, on_test
from kerascnn.lecture.experiments.shapes import trace, unseen
from kerascnn.lecture.experiments.spread import Spread
from kerascnn.lecture.experiments.training import Trainer

SETTINGS = {"seeds": 2, "epochs": 3, "examples": 300}
FILES = {f"{name}{suffix}" for name in NETWORKS for suffix in (".h5", ".keras")}


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
    parts = mnist.task(load_mnist(300, data)).shaped(model)
    answers = np.argmax(model.predict(parts.x_test, verbose=0), axis=1)
    assert np.mean(answers == parts.y_test) == pytest.approx(run.test_accuracy, abs=0.0026)
    # Training can go on: Adam came along.
    assert int(model.optimizer.iterations) == 9
    loss, _ = model.evaluate(parts.x_train, np.eye(10)[parts.y_train], verbose=0)
    assert loss < results.runs[0].history.loss[0]


# --- the chapter ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chapters(done, tmp_path_factory):
    """The chapters on the CNN's shapes and on the experiment: name → what was made."""
    out, results = done
    made = {}
    for name in ("shapes", "experiment"):
        made[name] = ChapterBuilder(load(name), out, Settings(**SETTINGS), Networks(out, results))
        made[name].folder = tmp_path_factory.mktemp(name)
        made[name].chapter.make(made[name])
    return made


def claims_of(builder):
    """The claims of a chapter in English, by their keys."""
    rows = claim_rows(builder.chapter.name, builder.content.claims)
    return {row.key: row.to_dict() for row in rows}


def test_the_shapes_side_by_side(chapters):
    table = next(block for block in chapters["shapes"].content.blocks if block.kind == "table")
    assert ["MaxPooling2D", "25×13×13", "0", "12×13×26", "0"] in table.data["rows"]
    assert ["Conv2D", "50×11×11", "11,300", "10×11×50", "11,750"] in table.data["rows"]


def test_the_pictures_are_for_slides(chapters):
    from PIL import Image

    for name in ("accuracy.png", "curves.png"):
        with Image.open(chapters["experiment"].folder / name) as picture:
            width, height = picture.size
            assert width == 2 * height >= 1800
            assert len(picture.convert("RGB").getcolors(1 << 24)) > 50


def test_shapes_are_as_said_and_the_listings_are_not(chapters):
    held = claims_of(chapters["shapes"])
    taught = [f"stage-{number}" for number in range(1, 6)]
    for key in (*taught, "dropped", "weights-1", "weights-2"):
        assert held[key]["holds"], key
    assert held["weights-2"]["measured"] == held["weights-2"]["says"] == "225 = 3×3×25"
    measured = {
        "listing-1": ("(25, 26, 26)", True),
        "listing-2": ("(12, 13, 26)", False),
        "listing-3": ("(10, 11, 50)", False),
        "listing-4": ("(5, 5, 50), by coincidence", True),
        "listing-5": ("1250, by coincidence", True),
    }
    for key, (value, holds) in measured.items():
        assert (held[key]["measured"], held[key]["holds"]) == (value, holds)
    learned = claims_of(chapters["experiment"])["learned"]
    assert (learned["measured"], learned["holds"]) == ("24 of 25", False)


def test_what_does_not_hold_is_shown_as_such(chapters):
    held = claims_of(chapters["experiment"])
    # Three epochs on 300 digits are far from 98 %.
    assert held["cnn-test"]["says"] == "98 %"
    assert held["cnn-test"]["holds"] is False
    assert held["dnn-test"]["says"] == "–"
    assert held["dnn-test"]["holds"] is None
    assert {row["holds"] for row in held.values()} == {True, False, None}


def test_records_hold_numbers_and_not_their_words(chapters, done):
    test = next(c for c in chapters["experiment"].content.claims if c.key == "cnn-test")
    runs = done[1].trials.of["cnn"]
    assert test.measured == {"accuracy": {"spread": [run.test_accuracy for run in runs]}}
    assert test.said == 98


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


def run_of(name, seed, history, parameters=6):
    model = NETWORKS[name](0) if seed == 0 else None
    return TrainingRun(name, seed, parameters, history, model, np.zeros((0, 10), np.float32))


def trials_of(dnn, cnn, written=None):
    """Trainings that came to these test accuracies."""
    accuracies = {"dnn": dnn, "cnn": cnn, "cnn-as-written": written or [0.5] * len(dnn)}
    sizes = {"dnn": 9, "cnn": 5, "cnn-as-written": 6}

    def run(name, seed, value):
        history = History(3.0, [0.1], [0.9], [[1, value]], 1.0)
        return run_of(name, seed, history, sizes[name])

    return Trials(None, {
        name: tuple(run(name, seed, value) for seed, value in enumerate(values))
        for name, values in accuracies.items()
    })  # fmt: skip


def test_means_deviations_and_pairs():
    dnn, cnn = (0.95, 0.96, 0.955), (0.97, 0.955, 0.99)
    trials = trials_of(dnn, cnn)
    gained = trials.gain("cnn", "dnn", on_test)
    assert gained.values == pytest.approx(np.subtract(cnn, dnn))
    assert gained.mean == pytest.approx(np.mean(np.subtract(cnn, dnn)))
    assert gained.deviation == pytest.approx(np.std(np.subtract(cnn, dnn), ddof=1))
    ours = trials.spread("cnn", on_test)
    assert str(ours) == f"{100 * np.mean(cnn):.2f} ± {100 * np.std(cnn, ddof=1):.2f} %"
    assert str(Spread((0.5,))) == "50.00 %"
    assert f"{Spread((-0.01,)):+} points" == "−1.00 points"


def experiment(trials, out):
    settings = {"seeds": 1, "epochs": 1, "examples": 100, "batch": 100}
    networks = Networks(out, Results(trials, settings, {}, {}))
    builder = ChapterBuilder(load("experiment"), out, Settings(), networks)
    builder.chapter.make(builder)
    return claims_of(builder)


def test_claims_follow_the_numbers(tmp_path):
    good = experiment(trials_of((0.95, 0.96), (0.97, 0.985)), tmp_path)
    assert good["better"]["holds"]
    assert good["better"]["measured"].endswith("better in 2 of 2 pairs")
    assert good["cnn-test"]["holds"]  # 97.75 % is 98 % in whole percents
    assert good["fewer"]["holds"]
    worse = experiment(trials_of((0.98,), (0.97,)), tmp_path)
    assert worse["better"]["holds"] is False
    assert worse["better"]["measured"].startswith("−1.00 points")
    assert worse["cnn-test"]["holds"] is False
    # These models have not been trained.
    assert worse["learned"]["measured"].startswith("0 of")


# --- figures ----------------------------------------------------------------------------------


def drawn_trials(seeds, epochs):
    def run(name, place, seed):
        history = History(
            1.0,
            [1 / (epoch + 1) for epoch in range(epochs)],
            [0.9 + 0.001 * epoch for epoch in range(epochs)],
            [[1, 0.9], [epochs, 0.95 + 0.01 * place]],
            0.99,
        )
        return run_of(name, seed, history, 1000 * (place + 1))

    return Trials(None, {
        name: tuple(run(name, place, seed) for seed in range(seeds))
        for place, name in enumerate(NETWORKS)
    })  # fmt: skip


@pytest.mark.parametrize(("seeds", "epochs"), [(1, 1), (1, 20), (5, 3)])
def test_curves_have_titles_units_and_one_name_a_network(seeds, epochs):
    trials = drawn_trials(seeds, epochs)
    figure = accuracy.curves(trials)
    left, right = figure.axes
    assert left.get_xlabel() == right.get_xlabel() == "epoch"
    assert "nats" in left.get_ylabel()
    assert "%" in right.get_ylabel()
    names = [text.get_text() for text in left.get_legend().get_texts()]
    assert names == ["DNN", "CNN as taught", "CNN as the listing has it"]
    assert len(left.lines) == 3 * seeds
    assert list(left.lines[0].get_ydata()) == trials.runs[0].history.loss
    figure.canvas.draw()


def test_the_accuracy_chart_shows_the_numbers():
    figure = accuracy.accuracy(drawn_trials(2, 4), 98)
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
    assert set(stored(out)["files"]) == set(digests)


def test_fewer_seeds_are_taken_from_more(done, data, no_training):
    out, before = done
    one = reproduce(out, data=data, **(SETTINGS | {"seeds": 1}))
    assert [run.seed for run in one.runs] == [0, 0, 0]
    assert one.to_dict()["runs"] == before.to_dict()["runs"][:3]
    assert "±" not in str(one.trials.spread("cnn", on_test))


def test_other_settings_do_not_mix(done, data):
    out, before = done
    other = reproduce(out, data=data, seeds=1, epochs=1, examples=100)
    assert stored(out)["settings"]["examples"] == 100
    assert len(other.runs[0].history.loss) == 1
    assert other.runs[0].test_accuracy != before.runs[0].test_accuracy
    digests = stored(out)["files"]
    for name in FILES:
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digests[name]


def test_results_json_vouches_for_what_is_beside_it(done, data, tmp_path, monkeypatch):
    out = tmp_path / "out"
    shutil.copytree(done[0], out)

    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Trials, "save", broken)
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
