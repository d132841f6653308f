"""Networks tried on one task: each trained with several seeds, and asked what it was not shown."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kerascnn.lecture.experiments.claims import Spread
from kerascnn.lecture.experiments.mnist import versions
from kerascnn.lecture.experiments.training import BATCH, Floats, Trainer, answers
from kerascnn.storage.checkpoint import Checkpoint
from kerascnn.storage.files import write_with
from kerascnn.terminal.progress import Bar, progress

Labels = npt.NDArray[np.integer[Any]]
#: Builds a network; takes a seed.
Builder = Callable[[int], Any]


@dataclass(frozen=True, eq=False)
class Task:
    """What is learned, and what it is tested with.

    Attributes:
        x_train: N×…; each network takes it in its own shape.
        y_train: N classes, from 0.
        x_test: M×….
        y_test: M classes.
    """

    x_train: npt.NDArray[Any]
    y_train: Labels
    x_test: npt.NDArray[Any]
    y_test: Labels

    def sha256(self) -> str:
        """Return a digest of what is learned."""
        digest = hashlib.sha256(f"{self.x_train.shape} {self.x_train.dtype}".encode())
        for values in (self.x_train, self.y_train):
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Trial:
    """One network, trained with one seed.

    Attributes:
        network: its name.
        seed: of its weights and of the order of the examples.
        model: the network.
        shares: what it answers to the test: M×classes.
        seconds: that its epochs took, in all the calls that it took.
    """

    network: str
    seed: int
    model: Any = field(repr=False)
    shares: Floats = field(repr=False)
    seconds: float


@dataclass(frozen=True, eq=False)
class Trials:
    """All trials of a task.

    Attributes:
        task: which.
        of: network by network, in the order of the seeds.
    """

    task: Task
    of: Mapping[str, tuple[Trial, ...]]

    def model(self, network: str) -> Any:
        """Return the network that was trained with the first seed."""
        return self.of[network][0].model

    def spread(self, network: str, value: Callable[[Trial], float]) -> Spread:
        """Return a value of each seed's network."""
        return Spread(tuple(value(trial) for trial in self.of[network]))

    def gain(self, network: str, other: str, value: Callable[[Trial], float]) -> Spread:
        """Return how much larger a network's value is than another's, seed by seed."""
        ours, theirs = self.spread(network, value).values, self.spread(other, value).values
        return Spread(tuple(a - b for a, b in zip(ours, theirs, strict=True)))

    def save(self, network: str, path: Path) -> None:
        """Write the network of the first seed as HDF5.

        Raises:
            OutputError: it can't be written.
        """
        import warnings

        with warnings.catch_warnings():
            # Keras 2 calls its own format of eight years "legacy" each time it is written.
            warnings.simplefilter("ignore")
            write_with(path, self.model(network).save)


def run(
    networks: Mapping[str, Builder],
    task: Task,
    keep: Path,
    *,
    seeds: int,
    epochs: Mapping[str, int],
    batch: int = BATCH,
) -> Trials:
    """Train each network with each seed, or go on with what an earlier call has left.

    Args:
        networks: what builds them, by name.
        task: what they learn.
        keep: the folder where trainings are kept.
        seeds: how many; they are 0, 1, …
        epochs: how often each network sees all examples.
        batch: how many examples a step takes.

    Raises:
        OutputError: a checkpoint can't be written.
    """
    import tensorflow as tf

    found: dict[str, list[Trial]] = {name: [] for name in networks}
    digest = task.sha256()
    # Graphics cards add in another order each time: the numbers would not come again.
    with tf.device("/CPU:0"), progress("training", seeds * sum(epochs.values())) as bar:
        for seed in range(seeds):
            for name, build in networks.items():
                model = build(seed)
                configuration = {
                    "layers": model.get_config()["layers"],
                    "seed": seed,
                    "epochs": epochs[name],
                    "batch": batch,
                    "examples": digest,
                    "versions": versions(),
                }
                checkpoint = Checkpoint.of(keep, f"{name}-{seed}", configuration)
                seconds = _train(model, task, checkpoint, bar, f"{name}, seed {seed}")
                shares = answers(model, _shaped(task.x_test, model))
                found[name].append(Trial(name, seed, model, shares, seconds))
    return Trials(task, {name: tuple(trials) for name, trials in found.items()})


def _train(model: Any, task: Task, checkpoint: Checkpoint, bar: Bar, label: str) -> float:
    """Train a network to its last epoch; return the seconds that all its epochs took."""
    seed = int(checkpoint.configuration["seed"])
    epochs = int(checkpoint.configuration["epochs"])
    batch = int(checkpoint.configuration["batch"])
    trainer = Trainer(model, _shaped(task.x_train, model), task.y_train, seed=seed, batch=batch)
    record = checkpoint.restore(trainer) or {"seconds": 0.0}
    bar.advance(trainer.epoch, description=label)
    while trainer.epoch < epochs:
        start = time.perf_counter()
        seen = trainer.run_epoch()
        record["seconds"] += time.perf_counter() - start
        checkpoint.save(trainer.state(), record)
        bar.advance(description=f"{label}: {seen.accuracy:.1%}")
    return float(record["seconds"])


def _shaped(examples: npt.NDArray[Any], model: Any) -> npt.NDArray[Any]:
    return examples.reshape((len(examples), *model.input_shape[1:]))


def right(trial: Trial, labels: Labels, count: int = 1) -> float:
    """Return the share of answers whose class is among the ``count`` largest.

    Classes with the same share count as larger: a network that can't tell them apart gains nothing.
    """
    own = trial.shares[np.arange(len(labels)), labels]
    larger = (trial.shares >= own[:, None]).sum(axis=1) - 1
    return float(np.mean(larger < count))


def better(gain: Spread) -> bool:
    """Whether a gain is one with every seed."""
    return min(gain.values) > 0
