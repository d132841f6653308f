"""The lecture's experiment (section "CNN in Keras"): MNIST by three networks."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kerascnn import models
from kerascnn.datasets import Digits
from kerascnn.lecture.experiments.training import BATCH, Examiner, Trainer
from kerascnn.storage.checkpoint import Checkpoint
from kerascnn.terminal.progress import Bar, progress, say
from kerascnn.version import __version__

#: The networks by name, in the order of the lecture; each builder takes a seed.
NETWORKS: dict[str, Callable[[int], Any]] = {
    "dnn": models.dnn,
    "cnn": models.cnn,
    "cnn-as-written": models.cnn_as_written,
}


@dataclass(frozen=True)
class Run:
    """One training of one network, and what came of it.

    Attributes:
        network: its name in `NETWORKS`.
        seed: of its initial weights and of the order of the digits.
        parameters: how many numbers it learned.
        train_accuracy: of the trained network on all training digits, 0 to 1.
        test_accuracy: on all test digits, 0 to 1.
        seconds: spent on the epochs, in all the sessions that it took.
        curves: ``loss`` (nats) and ``accuracy`` of the training digits as they passed, a value
            for each epoch, and ``test_accuracy`` in pairs of epoch and value.
    """

    network: str
    seed: int
    parameters: int
    train_accuracy: float
    test_accuracy: float
    seconds: float
    curves: dict[str, list[Any]]


@dataclass(frozen=True)
class Trained:
    """What the experiment leaves.

    Attributes:
        runs: of every network and seed.
        models: the network of the first seed, by name.
        initial: the weights with which that one began, by name.
    """

    runs: list[Run]
    models: dict[str, Any]
    initial: dict[str, list[npt.NDArray[np.float32]]]


def run(
    digits: Digits,
    checkpoints: Path,
    *,
    seeds: int,
    epochs: int,
    networks: Sequence[str] = tuple(NETWORKS),
) -> Trained:
    """Train each network with each seed, or take what earlier calls have left.

    Args:
        digits: to train on and to test with.
        checkpoints: the folder where trainings are kept.
        seeds: how many; they are 0, 1, …
        epochs: how often each network sees all digits.
        networks: which, by their names in `NETWORKS`.

    Raises:
        OutputError: a checkpoint can't be written.
    """
    import tensorflow as tf

    trained = Trained([], {}, {})
    # A graphics card adds in another order each time: the same seed would not give the same
    # numbers. For networks and pictures of this size it is not missed.
    with (
        tf.device("/CPU:0"),
        progress("training", seeds * len(networks) * epochs) as bar,
    ):
        for seed in range(seeds):
            for name in networks:
                model = NETWORKS[name](seed)
                if seed == 0:
                    trained.models[name] = model
                    trained.initial[name] = model.get_weights()
                trained.runs.append(_train(model, name, seed, digits, checkpoints, epochs, bar))
    return trained


def _train(
    model: Any, name: str, seed: int, digits: Digits, folder: Path, epochs: int, bar: Bar
) -> Run:
    parts = Parts.of(digits, model)
    trainer = Trainer(model, parts.x_train, parts.y_train, seed=seed)
    examiner = Examiner(model)
    checkpoint = Checkpoint.of(
        folder, f"{name}-{seed}", _configuration(model, seed, epochs, digits)
    )
    record = checkpoint.restore(trainer)
    if record is None:
        record = {"seconds": 0.0, "loss": [], "accuracy": [], "test_accuracy": []}
    before = trainer.epoch
    bar.advance(before, description=f"{name}, seed {seed}")
    while trainer.epoch < epochs:
        start = time.perf_counter()
        seen = trainer.run_epoch()
        record["seconds"] += time.perf_counter() - start
        record["loss"].append(seen.loss)
        record["accuracy"].append(seen.accuracy)
        if _is_examined(trainer.epoch, epochs):
            right = examiner.accuracy(parts.x_test, parts.y_test)
            record["test_accuracy"].append([trainer.epoch, right])
        if trainer.epoch == epochs:
            record["train_accuracy"] = examiner.accuracy(parts.x_train, parts.y_train)
        checkpoint.save(trainer.state(), record)
        bar.advance(description=f"{name}, seed {seed}: {seen.accuracy:.1%}")
    result = Run(
        network=name,
        seed=seed,
        parameters=int(model.count_params()),
        train_accuracy=record["train_accuracy"],
        test_accuracy=record["test_accuracy"][-1][1],
        seconds=record["seconds"],
        curves={name: record[name] for name in ("loss", "accuracy", "test_accuracy")},
    )
    earlier = f" ({before} of {epochs} epochs earlier)" if before else ""
    say(
        f"{name}, seed {seed}: {result.test_accuracy:.2%} of the test digits after "
        f"{result.seconds:.0f} s{earlier}"
    )
    return result


def _is_examined(epoch: int, epochs: int) -> bool:
    # After epochs 1, 2, 4, 8, … and the last: each time costs a third of an epoch.
    return epoch == epochs or epoch & (epoch - 1) == 0


@dataclass(frozen=True)
class Parts:
    """The digits as one network takes them: values 0 to 1, in its own shape."""

    x_train: npt.NDArray[np.float32]
    y_train: npt.NDArray[np.uint8]
    x_test: npt.NDArray[np.float32]
    y_test: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, digits: Digits, model: Any) -> Parts:
        """Shape the digits for ``model``."""
        shape = (-1, *model.input_shape[1:])
        x_train, x_test = (
            (pictures / np.float32(255)).reshape(shape)
            for pictures in (digits.x_train, digits.x_test)
        )
        return cls(x_train, digits.y_train, x_test, digits.y_test)


def _configuration(model: Any, seed: int, epochs: int, digits: Digits) -> dict[str, Any]:
    """Return all that the numbers of a training depend on."""
    return {
        "layers": model.get_config()["layers"],
        "seed": seed,
        "epochs": epochs,
        "batch": BATCH,
        "digits": digits.sha256,
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Return the versions of all that computes."""
    import tensorflow as tf
    import tf_keras

    return {
        "kerascnn": __version__,
        "tensorflow": tf.__version__,
        "tf_keras": tf_keras.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
