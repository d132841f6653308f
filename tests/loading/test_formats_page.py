"""docs/formats.md says what is proved here: its table is made by loading a file of every kind.

``KERASCNN_WRITE_DOCS=1 pytest tests/loading/test_formats_page.py`` writes the table anew.
"""

from __future__ import annotations

import json
import os
import sys

import h5py
import numpy as np
import pytest

from helpers.paths import DOCS
from kerascnn import KerascnnError, Network

PAGE = DOCS / "formats.md"
START, END = "<!-- made by tests/loading/test_formats_page.py -->\n", "<!-- end -->\n"


def build(keras):
    """Build a small network with a head, a nested model and a batch normalisation."""
    layers = keras.layers
    base = keras.Sequential(
        [layers.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.BatchNormalization()], name="base"
    )
    picture = layers.Input((8, 8, 3), name="picture")
    x = layers.Flatten()(base(picture))
    return keras.Model(picture, layers.Dense(3, activation="softmax", name="classes")(x))


def modules():
    import tf_keras

    found = {"Keras 2": tf_keras}
    import keras

    if not keras.__version__.startswith("2."):
        found["Keras 3"] = keras
    return found


class Saver:
    """Saves a model in every format; each method returns what `Network.load` is given."""

    def __init__(self, keras, folder):
        keras.utils.set_random_seed(3)
        self.keras, self.folder, self.model = keras, folder, build(keras)
        self.module = f"rebuilt_{keras.__name__}"
        (folder / f"{self.module}.py").write_text(
            f"import {keras.__name__} as keras\nfrom test_formats_page import build\n"
            "def make():\n    return build(keras)\n"
        )

    def hdf5(self):
        self.model.save(self.folder / "m.h5")
        return {"path": self.folder / "m.h5"}

    def archive(self):
        self.model.save(self.folder / "m.keras")
        return {"path": self.folder / "m.keras"}

    def hdf5_named_keras(self):
        (self.folder / "x.keras").write_bytes(self.hdf5()["path"].read_bytes())
        return {"path": self.folder / "x.keras"}

    def archive_named_h5(self):
        (self.folder / "x.h5").write_bytes(self.archive()["path"].read_bytes())
        return {"path": self.folder / "x.h5"}

    def json_and_weights(self):
        (self.folder / "m.json").write_text(self.model.to_json())
        self.model.save_weights(self.folder / "m.weights.h5")
        return {"path": self.folder / "m.json", "weights": self.folder / "m.weights.h5"}

    def weights_and_code(self):
        self.model.save_weights(self.folder / "w.weights.h5")
        return {"path": self.folder / "w.weights.h5", "architecture": f"{self.module}:make"}

    def saved_model(self):
        if self.keras.__name__ == "tf_keras":
            self.model.save(self.folder / "saved", save_format="tf")
        else:
            self.model.export(self.folder / "saved", verbose=False)
        return {"path": self.folder / "saved"}

    def saved_model_trusted(self):
        return {**self.saved_model(), "trust": True}

    def without_version(self):
        path = self.hdf5()["path"]
        with h5py.File(path, "r+") as file:
            config = json.loads(file.attrs["model_config"])
            config["config"]["layers"][0]["config"]["nb_filter"] = 4
            file.attrs["model_config"] = json.dumps(config)
            del file.attrs["keras_version"]
        return {"path": path}


ROWS = {
    "HDF5 (`.h5`)": Saver.hdf5,
    "Keras archive (`.keras`)": Saver.archive,
    "HDF5 in a file named `.keras`": Saver.hdf5_named_keras,
    "Keras archive in a file named `.h5`": Saver.archive_named_h5,
    "architecture JSON, `--weights FILE`": Saver.json_and_weights,
    "weights alone, `--architecture MODULE:FUNCTION`": Saver.weights_and_code,
    "SavedModel folder": Saver.saved_model,
    "SavedModel folder, `--trust`": Saver.saved_model_trusted,
    "HDF5 without a version (Keras 1)": Saver.without_version,
}


def outcome(saver, save):
    """Load what ``save`` saves; return in a few words what came of it."""
    given = save(saver)
    try:
        network = Network.load(**given)
    except KerascnnError as error:
        assert "\n" not in str(error)
        return {1: "an error that says what to do", 2: "wrong usage", 3: "refused"}[error.exit_code]
    picture = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)
    ours = network.probabilities(picture)
    wanted = np.asarray(saver.model(picture))
    if ours is None:
        np.testing.assert_allclose(network.scores(picture), wanted, rtol=1e-5, atol=1e-6)
        return "outputs and their gradients; the layers can't be seen"
    np.testing.assert_allclose(ours, wanted, rtol=1e-5, atol=1e-6)
    assert "base/conv2d" in network.layers[0].name
    assert np.abs(network.gradients(picture, 1)).max() > 0
    return "loaded, verified"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    lines = ["| what is on disk | Keras 2 | Keras 3 |\n", "|---|---|---|\n"]
    cells = {name: [] for name in ROWS}
    for keras in modules().values():
        folder = tmp_path_factory.mktemp("formats")
        sys.path.insert(0, str(folder))
        saver = Saver(keras, folder)
        for name, save in ROWS.items():
            cells[name].append(outcome(saver, save))
        sys.path.remove(str(folder))
    return lines + [f"| {name} | {' | '.join(found)} |\n" for name, found in cells.items()]


@pytest.mark.skipif(len(modules()) < 2, reason="the installed keras is Keras 2")
def test_the_page_says_what_is_so(table):
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(START)
    shown, after = rest.split(END)
    if os.environ.get("KERASCNN_WRITE_DOCS"):
        PAGE.write_text(before + START + "".join(table) + END + after, encoding="utf-8")
    else:
        assert shown == "".join(table)


def test_what_must_load_loads(table):
    for line in table[2:8]:
        for cell in line.split("|")[2:-1]:
            assert cell.strip() == "loaded, verified", line
