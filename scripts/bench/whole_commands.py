"""Rows of whole commands, and of the lecture's training: what a user waits for."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measured import Bar, Measured, in_turns, row

if TYPE_CHECKING:
    from kerascnn.datasets import Digits


@row("lecture-training", most=2)
def lecture_training(repeat: int) -> Measured:
    """The lecture's two trainings, against its listing: 10,000 digits, 20 epochs, batches of 100.

    Ours as `kerascnn lecture` does them, with checkpoints and test accuracies on the way; the
    listing's with the network as taught, and silent, which is faster than the printed one.
    """
    from kerascnn.datasets import load_mnist
    from kerascnn.lecture.experiments import mnist
    from kerascnn.lecture.experiments.runner import run

    digits = load_mnist()

    def ours() -> None:
        with tempfile.TemporaryDirectory() as folder:
            networks = {name: mnist.NETWORKS[name] for name in ("dnn", "cnn")}
            found = run(networks, mnist.task(digits), Path(folder), seeds=1, epochs=20)
        print("  ours   ", _accuracies({one.network: one.test_accuracy for one in found.runs}))

    def theirs() -> None:
        print("  listing", _accuracies(_listing(digits)))

    return in_turns(Bar(ratio=0.6), ours, theirs, repeat)


def _accuracies(found: dict[str, float]) -> str:
    return ", ".join(f"{name} {accuracy:.2%}" for name, accuracy in found.items())


def _listing(digits: Digits) -> dict[str, float]:
    """Train and evaluate both networks in the way of the lecture's listing."""
    from tf_keras.layers import Conv2D, Dense, Flatten, MaxPooling2D
    from tf_keras.models import Sequential
    from tf_keras.utils import to_categorical

    y_train, y_test = to_categorical(digits.y_train, 10), to_categorical(digits.y_test, 10)
    found = {}
    for name, shape in (("dnn", (784,)), ("cnn", (28, 28, 1))):
        x_train = digits.x_train.reshape(-1, *shape).astype("float32") / 255
        x_test = digits.x_test.reshape(-1, *shape).astype("float32") / 255
        model = Sequential()
        if name == "dnn":
            model.add(Dense(input_dim=784, units=500, activation="relu"))
            model.add(Dense(units=500, activation="relu"))
            model.add(Dense(units=500, activation="relu"))
        else:
            model.add(Conv2D(25, (3, 3), input_shape=shape))
            model.add(MaxPooling2D((2, 2)))
            model.add(Conv2D(50, (3, 3)))
            model.add(MaxPooling2D((2, 2)))
            model.add(Flatten())
            model.add(Dense(units=100, activation="relu"))
        model.add(Dense(units=10, activation="softmax"))
        model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
        model.fit(x_train, y_train, batch_size=100, epochs=20, verbose=0)
        model.evaluate(x_train, y_train, verbose=0)
        found[name] = float(model.evaluate(x_test, y_test, verbose=0)[1])
    return found


@row("start-up")
def start_up(repeat: int) -> Measured:
    """`kerascnn plugins`, a whole process, against an empty Python."""
    return in_turns(Bar(seconds=0.5), _process("-m", "kerascnn", "plugins"), _process(), repeat)


@row("visualize")
def visualize(repeat: int) -> Measured:
    """Saliency of the lecture's CNN, a whole process, against the import of TensorFlow and Keras.

    What ours takes more than theirs is ours alone: loading, scanning, computing, drawing, writing.
    """
    from kerascnn.models import cnn

    with tempfile.TemporaryDirectory() as folder:
        cnn(seed=0).save(f"{folder}/cnn.h5")
        command = ("visualize", "--plugin", "saliency", f"{folder}/cnn.h5", "--out", folder)
        ours = _process("-m", "kerascnn", *command)
        return in_turns(Bar(extra=1.5), ours, _process("-c", "import tf_keras"), repeat)


def _process(*arguments: str) -> Callable[[], object]:
    command = [sys.executable, *(arguments or ("-c", "pass"))]
    null = subprocess.DEVNULL
    return lambda: subprocess.run(command, check=True, stdout=null, stderr=null)


@row("preparation")
def preparation(repeat: int) -> Measured:
    """From the bytes of VGG16 with its head (553 MB) to a `Network`, against Keras' load."""
    import tf_keras

    from kerascnn import Network

    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/vgg16.h5"
        tf_keras.applications.VGG16(weights=None).save(path)

        def theirs() -> object:
            return tf_keras.models.load_model(path, compile=False)

        return in_turns(Bar(ratio=1.15), lambda: Network.load(path), theirs, repeat)
