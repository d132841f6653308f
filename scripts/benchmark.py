"""How long things take, as ratios to something else that is timed in the same process.

    python scripts/benchmark.py                       every row
    python scripts/benchmark.py lecture-training      one of them
    python scripts/benchmark.py --repeat 5 ROW …

A row is a function that returns what was measured; ``@row`` puts it into the list. Both sides take
turns, so that a machine that is busy with something else slows both: each ratio is that of a pair.
Nothing is asserted: what is fast enough is for the reader to say, the goal stands beside.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@dataclass(frozen=True)
class Measured:
    """Seconds of one row: ours, and of what they are compared with (or nothing)."""

    goal: str
    ours: list[float]
    theirs: list[float]


ROWS: dict[str, Callable[[int], Measured]] = {}


def row(name: str) -> Callable[[Callable[[int], Measured]], Callable[[int], Measured]]:
    """Put a function of the number of repetitions into the list of rows."""

    def register(function: Callable[[int], Measured]) -> Callable[[int], Measured]:
        ROWS[name] = function
        return function

    return register


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds ``work`` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turns(
    goal: str, ours: Callable[[], object], theirs: Callable[[], object], repeat: int
) -> Measured:
    """Time two things in turns, the other one first."""
    pairs = [(timed(theirs), timed(ours)) for _ in range(repeat)]
    return Measured(goal, [pair[1] for pair in pairs], [pair[0] for pair in pairs])


# --- rows ---------------------------------------------------------------------------------------


@row("lecture-training")
def lecture_training(repeat: int) -> Measured:
    """The lecture's two trainings, against its listing: 10,000 digits, 20 epochs, batches of 100.

    Ours as `kerascnn lecture` does them, with checkpoints and test accuracies on the way; the
    listing's with the network as taught, and silent, which is faster than the printed one.
    """
    from kerascnn.datasets import load_mnist
    from kerascnn.lecture import experiment

    digits = load_mnist()

    def ours() -> None:
        with tempfile.TemporaryDirectory() as folder:
            found = experiment.run(
                digits, Path(folder), seeds=1, epochs=20, networks=("dnn", "cnn")
            )
        print("  ours   ", _accuracies({run.network: run.test_accuracy for run in found.runs}))

    def theirs() -> None:
        print("  listing", _accuracies(_listing(digits)))

    return in_turns("≤ 0.6×", ours, theirs, repeat)


def _accuracies(found: dict[str, float]) -> str:
    return ", ".join(f"{name} {accuracy:.2%}" for name, accuracy in found.items())


def _listing(digits: Any) -> dict[str, float]:
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
    return in_turns("ours < 0.5 s", _process("-m", "kerascnn", "plugins"), _process(), repeat)


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
        return in_turns("ours − theirs < 1.5 s", ours, _process("-c", "import tf_keras"), repeat)


def _process(*arguments: str) -> Callable[[], object]:
    command = [sys.executable, *(arguments or ("-c", "pass"))]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return lambda: subprocess.run(command, check=True, **quiet)  # type: ignore[call-overload]


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

        return in_turns("≤ 1.15×", lambda: Network.load(path), theirs, repeat)


@row("saliency")
def saliency(repeat: int) -> Measured:
    """Gradient saliency of VGG16, 224 × 224, a batch of 8, against TensorFlow's bare gradient."""
    import numpy as np
    import tensorflow as tf

    from kerascnn_plugins.saliency import Saliency

    network, images = _vgg16(8)
    target, plugin = np.arange(8), Saliency()

    @tf.function
    def bare(pictures: Any, classes: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            scores = tf.gather(network.model(pictures), classes, batch_dims=1)
        return tape.gradient(scores, pictures)

    def theirs() -> object:
        return bare(tf.constant(images), tf.constant(target)).numpy()

    def ours() -> object:
        return plugin.visualize(network, images, target)

    theirs(), ours()  # both are compiled before the clock runs
    return in_turns("≤ 1.05×", ours, theirs, repeat)


@row("occlusion-32-16")
def occlusion_coarse(repeat: int) -> Measured:
    """Occlusion of VGG16, 224 × 224: patch 32, stride 16, 169 positions, against all whole."""
    return _occlusion(32, 16, repeat)


@row("occlusion-16-8")
def occlusion_fine(repeat: int) -> Measured:
    """Occlusion of VGG16, 224 × 224: patch 16, stride 8, 729 positions, against all whole."""
    return _occlusion(16, 8, repeat)


def _occlusion(patch: int, stride: int, repeat: int) -> Measured:
    """Time a whole map, against the same positions in compiled TensorFlow, 16 at once.

    Theirs is timed on 48 positions and taken for all of them.
    """
    import numpy as np
    import tensorflow as tf

    from kerascnn_plugins.occlusion import Occlusion

    network, images = _vgg16(1)
    positions = (-(-(224 - patch) // stride) + 1) ** 2
    plugin = Occlusion(patch=patch, stride=stride)
    some = np.repeat(images, 48, axis=0)
    for index, picture in enumerate(some):
        picture[:patch, index : index + patch] = 0

    @tf.function
    def bare(pictures: Any) -> Any:
        return network.model(pictures)

    def brute() -> object:
        return [bare(tf.constant(some[i : i + 16])).numpy() for i in range(0, 48, 16)]

    def ours() -> object:
        return plugin.visualize(network, images, np.array([0]))

    brute(), ours()
    found = in_turns("≤ 0.25×", ours, brute, repeat)
    theirs = [seconds * positions / 48 for seconds in found.theirs]
    return Measured(found.goal, found.ours, theirs)


@row("top-images")
def top_images(repeat: int) -> Measured:
    """The sweep of the lecture's CNN over 10,000 digits, against bare ``predict`` of all of them.

    Ours reads the digits out of the package and ranks every filter of the last convolution; theirs
    has them in memory, at the batch size that proves best here.
    """
    import numpy as np

    from kerascnn import Network
    from kerascnn import visualize as run
    from kerascnn.datasets import load_mnist
    from kerascnn.models import cnn
    from kerascnn_plugins.top_images import TopImagesOfUnits

    network = Network(cnn(seed=0))
    digits = load_mnist(1).x_test[..., np.newaxis].astype("float32") / 255
    shape = network.model.input_shape[1:]
    digits = digits.reshape(-1, *shape)

    def predict(size: int) -> Callable[[], object]:
        return lambda: network.model.predict(digits, batch_size=size, verbose=0)

    def ours() -> object:
        return run(TopImagesOfUnits(), network)

    predict(100)(), ours()
    best = min((100, 200, 500, 1000), key=lambda size: min(timed(predict(size)) for _ in "12"))
    print(f"  predict is best at {best} a batch")
    return in_turns("≤ 1.11× (0.9 × the images a second)", ours, predict(best), repeat)


@row("max-activation")
def max_activation(repeat: int) -> Measured:
    """The lecture's CNN, 12 filters × 200 steps, tracing included, against bare TensorFlow.

    Bare: a compiled step (the network up to the layer, forward and back to the picture) called 200
    times on the 12 pictures; no optimiser, no penalties, compiled before. The usual peer takes
    17.5 ms a step on a machine of two cores (3.5 s).
    """
    from kerascnn.ascent import maximise, start, units

    network, layer, bare = _ascent(12)

    def ours() -> None:
        maximise(network, units(layer, range(12)), start(network), steps=200)

    return in_turns("ours ≤ 0.35 s", ours, lambda: [bare() for _ in range(200)], repeat)


@row("max-activation-all")
def max_activation_all(repeat: int) -> Measured:
    """All 50 filters × 200 steps, against 12 of them."""
    from kerascnn.ascent import maximise, start, units

    network, layer, _ = _ascent(12)

    def run(count: int) -> None:
        maximise(network, units(layer, range(count)), start(network), steps=200)

    run(1)
    return in_turns("≤ 2×", lambda: run(50), lambda: run(12), repeat)


def _ascent(count: int) -> tuple[Any, str, Callable[[], object]]:
    """Return the lecture's CNN, its second convolution, and a bare step for ``count`` filters."""
    import numpy as np
    import tensorflow as tf
    import tf_keras

    from kerascnn import Network, models

    model = models.cnn(seed=0)
    network = Network(model)
    layer = network.convolutions()[1].name
    part = tf_keras.Model(model.input, model.get_layer(layer).output)
    pictures = tf.constant(np.random.default_rng(0).random((count, 28, 28, 1)), tf.float32)
    chosen = tf.one_hot(tf.range(count), 50)

    @tf.function
    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(tf.reduce_sum(part(x), (1, 2)) * chosen)
        return tape.gradient(value, x)

    step(pictures)
    return network, layer, lambda: step(pictures)


@row("deep-dream")
def deep_dream(repeat: int) -> Measured:
    """A step of Deep Dream, VGG16 to block4_conv3, 512×512, against bare forward and backward."""
    import numpy as np
    import tensorflow as tf
    import tf_keras

    from kerascnn import Network
    from kerascnn.ascent import Dreamer, strength

    whole = tf_keras.applications.VGG16(
        weights=None, include_top=False, input_shape=(None, None, 3)
    )
    layer = "block4_conv3"
    part = tf_keras.Model(whole.input, whole.get_layer(layer).output)
    dreamer = Dreamer(Network(whole, preprocessing="caffe"), strength(layer))
    picture = np.random.default_rng(0).uniform(-100, 100, (1, 512, 512, 3)).astype(np.float32)

    @tf.function
    def bare(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = 0.5 * tf.reduce_sum(part(x) ** 2)
        return tape.gradient(value, x)

    def ours(steps: int = 2) -> None:
        dreamer.dream(picture, octaves=1, steps=steps)

    fixed = tf.constant(picture)
    ours(1)
    bare(fixed)
    return in_turns("≤ 1.1×", ours, lambda: [np.asarray(bare(fixed)) for _ in range(2)], repeat)


def _vgg16(count: int) -> tuple[Any, Any]:
    """Return VGG16 with random weights and a linear head, and random pictures."""
    import numpy as np
    import tf_keras

    from kerascnn import Network

    model = tf_keras.applications.VGG16(weights=None, classifier_activation=None)
    images = np.random.default_rng(0).standard_normal((count, 224, 224, 3)) * 60
    return Network(model), images.astype(np.float32)


# --- the table ----------------------------------------------------------------------------------


def _shown(values: Sequence[float], unit: str) -> str:
    middle = statistics.median(values)
    return f"{middle:.2f}{unit} ({min(values):.2f}–{max(values):.2f})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rows that are asked for, and print them."""
    parser = argparse.ArgumentParser(description="Time the rows, or those that are named.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="pairs a row (3)")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.rows) - set(ROWS))
    if unknown or given.repeat < 1:
        parser.error(f"no row {', '.join(unknown)}" if unknown else "--repeat must be at least 1")
    for name in given.rows or ROWS:
        found = ROWS[name](given.repeat)
        line = f"{name}: ours {_shown(found.ours, ' s')}"
        if found.theirs:
            ratios = [a / b for a, b in zip(found.ours, found.theirs, strict=True)]
            line = f"{line}, theirs {_shown(found.theirs, ' s')}, ratio {_shown(ratios, '×')}"
        print(f"{line}; goal {found.goal}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
