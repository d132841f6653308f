"""The lecture's experiment (section "CNN in Keras"): MNIST by three networks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kerascnn import models
from kerascnn.datasets import Digits
from kerascnn.lecture.experiments.runner import Builder, TrainingRun, Trials, run
from kerascnn.lecture.experiments.task import Task
from kerascnn.lecture.experiments.training import BATCH
from kerascnn.lecture.experiments.versions import versions
from kerascnn.lecture.networks import Model
from kerascnn.storage.files import sha256, write_json

#: The networks by name, in the order of the lecture; each builder takes a seed.
NETWORKS: dict[str, Builder] = {
    "dnn": models.dnn,
    "cnn": models.cnn,
    "cnn-as-written": models.cnn_as_written,
}
RESULTS = "results.json"


@dataclass(frozen=True)
class Results:
    """The results of the experiment.

    Attributes:
        trials: every training.
        settings: seeds, epochs, examples, batch.
        data: where the digits come from, and their SHA-256.
        versions: of all that computed.
    """

    trials: Trials
    settings: dict[str, int]
    data: dict[str, str]
    versions: dict[str, str]

    @property
    def runs(self) -> list[TrainingRun]:
        """All trainings, seed by seed."""
        return self.trials.runs

    def to_dict(self) -> dict[str, object]:
        """Return the numbers as JSON takes them; what ``results.json`` holds."""
        return {
            "runs": [_numbers(run) for run in self.runs],
            "curves": [_curves(run) for run in self.runs],
            "settings": self.settings,
            "data": self.data,
            "versions": self.versions,
        }


def _numbers(run: TrainingRun) -> dict[str, object]:
    return {
        "network": run.network,
        "seed": run.seed,
        "parameters": run.parameters,
        "train_accuracy": run.history.train_accuracy,
        "test_accuracy": run.test_accuracy,
        "seconds": run.history.seconds,
    }


def _curves(run: TrainingRun) -> dict[str, object]:
    history = run.history
    curves = {"loss": history.loss, "accuracy": history.accuracy}
    named = {"network": run.network, "seed": run.seed}
    return {**named, **curves, "test_accuracy": history.test_accuracy}


def task(digits: Digits, tests: int | None = None) -> Task:
    """Return MNIST as a task: N×28×28×1 in [0, 1].

    Args:
        digits: to learn from and to be tested with.
        tests: how many test digits; all by default.
    """
    train, test = (
        (pictures / np.float32(255))[..., np.newaxis]
        for pictures in (digits.x_train, digits.x_test[:tests])
    )
    return Task(train, digits.y_train, test, digits.y_test[:tests])


def reproduce(digits: Digits, out: Path, *, seeds: int, epochs: int) -> Results:
    """Train the three networks and write them and their numbers to a folder.

    ``results.json`` is removed first and written last: where it is, the models beside it belong to
    it, and it holds their digests.

    Args:
        digits: to learn from and to be tested with.
        out: the folder.
        seeds: how often each network is trained.
        epochs: how often each network sees all digits.

    Raises:
        OutputError: a file can't be written.
    """
    trials = run(NETWORKS, task(digits), out / "checkpoints", seeds=seeds, epochs=epochs)
    results = Results(
        trials=trials,
        settings={
            "seeds": seeds,
            "epochs": epochs,
            "examples": len(digits.y_train),
            "batch": BATCH,
        },
        data={"source": digits.source, "sha256": digits.sha256},
        versions=versions(),
    )
    (out / RESULTS).unlink(missing_ok=True)
    written = trials.save(out, (".h5", ".keras"))
    digests = {path.name: sha256(path) for path in written}
    write_json(out / RESULTS, results.to_dict() | {"files": digests})
    return results


def filters_that_learn(name: str, model: Model) -> tuple[int, int]:
    """Return how many filters of a network's first convolution have changed, and how many it has.

    Args:
        name: the network's, in `NETWORKS`.
        model: the network, trained with seed 0.
    """
    before = NETWORKS[name](0).layers[0].get_weights()[0]
    changed = np.any(before != model.layers[0].get_weights()[0], axis=(0, 1, 2))
    return int(changed.sum()), len(changed)
