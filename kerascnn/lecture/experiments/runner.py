"""Networks that learn one task: each trained with several seeds, and shown the test examples."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np

from kerascnn.lecture.experiments.spread import Spread
from kerascnn.lecture.experiments.task import Floats, Labels, Task
from kerascnn.lecture.experiments.training import BATCH, Trainer, accuracy, answers
from kerascnn.lecture.experiments.versions import versions
from kerascnn.lecture.networks import Model
from kerascnn.storage.checkpoint import Checkpoint
from kerascnn.storage.files import write_with
from kerascnn.terminal.progress import Bar, progress, say

#: Builds a network; takes a seed.
Builder: TypeAlias = Callable[[int], Model]


@dataclass
class History:
    """What was measured while a network learned.

    Attributes:
        seconds: spent on the epochs, in all the calls that the training took.
        loss: categorical cross-entropy of the training examples as they passed, in nats; a value
            for each epoch.
        accuracy: of the training examples as they passed, 0 to 1; a value for each epoch.
        test_accuracy: pairs of epoch and value, after epochs 1, 2, 4, 8, … and the last.
        train_accuracy: of the trained network on all training examples.
    """

    seconds: float = 0.0
    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    test_accuracy: list[list[float]] = field(default_factory=list)
    train_accuracy: float = 0.0


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """One training of one network.

    Attributes:
        network: the network's name.
        seed: of its initial weights and of the order of the examples.
        parameters: how many numbers it learned.
        history: what was measured on the way.
        model: the trained network.
        answers: M×classes: what it answers to the test examples.
    """

    network: str
    seed: int
    parameters: int
    history: History
    model: Model = field(repr=False)
    answers: Floats = field(repr=False)

    @property
    def test_accuracy(self) -> float:
        """The accuracy on all test examples, 0 to 1."""
        return self.history.test_accuracy[-1][1]


#: A number to compare trainings by.
Measure: TypeAlias = Callable[[TrainingRun], float]


def on_test(run: TrainingRun) -> float:
    """Return the accuracy on test examples."""
    return run.test_accuracy


def on_training(run: TrainingRun) -> float:
    """Return the accuracy on training examples."""
    return run.history.train_accuracy


@dataclass(frozen=True, eq=False)
class Trials:
    """All trainings of a task.

    Attributes:
        task: what was learned.
        of: for each network its trainings, in the order of the seeds.
    """

    task: Task
    of: Mapping[str, tuple[TrainingRun, ...]]

    @property
    def runs(self) -> list[TrainingRun]:
        """All trainings, seed by seed."""
        return [run for runs in zip(*self.of.values(), strict=True) for run in runs]

    def first(self, network: str) -> TrainingRun:
        """Return the training of a network with the first seed."""
        return self.of[network][0]

    def spread(self, network: str, measure: Measure) -> Spread:
        """Return a number of each of a network's trainings."""
        return Spread(tuple(measure(run) for run in self.of[network]))

    def gain(self, network: str, other: str, measure: Measure) -> Spread:
        """Return how much larger a network's number is than another's, seed by seed."""
        return self.spread(network, measure) - self.spread(other, measure)

    def right(self, count: int = 1) -> Measure:
        """Return a measure: the share of test examples that `right` counts."""
        return lambda run: right(run.answers, self.task.y_test, count)

    def save(self, folder: Path, suffixes: tuple[str, ...] = (".h5",)) -> list[Path]:
        """Write each network of the first seed to a folder, as ``<name><suffix>``.

        Raises:
            OutputError: a file can't be written.
        """
        paths = []
        with warnings.catch_warnings():
            # Keras 2 calls its own format of eight years "legacy" each time it is written.
            warnings.simplefilter("ignore")
            for name in self.of:
                for suffix in suffixes:
                    paths.append(folder / f"{name}{suffix}")
                    write_with(paths[-1], self.first(name).model.save)
        return paths


def run(
    networks: Mapping[str, Builder],
    task: Task,
    folder: Path,
    *,
    seeds: int,
    epochs: int,
    batch: int = BATCH,
) -> Trials:
    """Train each network with each seed, or resume what an earlier call has begun.

    Args:
        networks: what builds them, by name.
        task: what they learn.
        folder: where the checkpoints are.
        seeds: how many; they are 0, 1, …
        epochs: how often each network sees all examples.
        batch: how many examples a step takes.

    Raises:
        OutputError: a checkpoint can't be written.
    """
    import tensorflow as tf

    found: dict[str, list[TrainingRun]] = {name: [] for name in networks}
    settings = {
        "epochs": epochs,
        "batch": batch,
        "examples": task.sha256(),
        "versions": versions(),
    }
    # A graphics card adds in another order each time: the same seed would not give the same
    # numbers. For networks and pictures of this size it is not missed.
    with tf.device("/CPU:0"), progress("training", seeds * len(networks) * epochs) as bar:
        for seed in range(seeds):
            for name, build in networks.items():
                model = build(seed)
                layers = model.get_config()["layers"]
                checkpoint = Checkpoint.of(
                    folder, f"{name}-{seed}", {"layers": layers, "seed": seed, **settings}
                )
                shaped = task.shaped(model)
                history = _train(model, shaped, checkpoint, bar, f"{name}, seed {seed}")
                size, shares = int(model.count_params()), answers(model, shaped.x_test)
                found[name].append(TrainingRun(name, seed, size, history, model, shares))
    return Trials(task, {name: tuple(runs) for name, runs in found.items()})


def _train(model: Model, task: Task, checkpoint: Checkpoint, bar: Bar, label: str) -> History:
    """Train a network to its last epoch, from the last epoch that was saved."""
    setting = checkpoint.configuration
    epochs = setting["epochs"]
    trainer = Trainer(
        model, task.x_train, task.y_train, seed=setting["seed"], batch=setting["batch"]
    )
    history = History(**(checkpoint.restore(trainer) or {}))
    before = trainer.epoch
    bar.advance(before, description=label)
    while trainer.epoch < epochs:
        start = time.perf_counter()
        seen = trainer.run_epoch()
        history.seconds += time.perf_counter() - start
        history.loss.append(seen.loss)
        history.accuracy.append(seen.accuracy)
        # After epochs 1, 2, 4, 8, … and the last: each time costs a third of an epoch.
        if trainer.epoch == epochs or trainer.epoch & (trainer.epoch - 1) == 0:
            right_now = accuracy(model, task.x_test, task.y_test)
            history.test_accuracy.append([trainer.epoch, right_now])
        if trainer.epoch == epochs:
            history.train_accuracy = accuracy(model, task.x_train, task.y_train)
        checkpoint.save(trainer.state(), asdict(history))
        bar.advance(description=f"{label}: {seen.accuracy:.1%}")
    earlier = f" ({before} of {epochs} epochs earlier)" if before else ""
    say(
        f"{label}: {history.test_accuracy[-1][1]:.2%} of the test examples after "
        f"{history.seconds:.0f} s{earlier}"
    )
    return history


def right(answers: Floats, labels: Labels, count: int = 1) -> float:
    """Return the share of answers whose class is among the ``count`` largest.

    Classes with the same share count as larger: a network that can't tell them apart gains nothing.

    Args:
        answers: M×classes.
        labels: M classes.
        count: how many of the largest are taken.
    """
    own = answers[np.arange(len(labels)), labels]
    larger = (answers >= own[:, None]).sum(axis=1) - 1
    return float(np.mean(larger < count))
