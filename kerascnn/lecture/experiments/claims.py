"""What the lecture says of its experiment, and what was measured of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerascnn.lecture.experiments.mnist import Run, Trained
from kerascnn.sizes import size_text

#: What the lecture says of the convolutional network's accuracy.
SAID_ACCURACY = 0.98


@dataclass(frozen=True)
class Claim:
    """One thing that the lecture says, held against the numbers.

    Attributes:
        claim: what it is about.
        says: what the lecture says; a dash where it names no value.
        measured: what came out here.
        holds: whether the two agree; None where the lecture names no value.
    """

    claim: str
    says: str
    measured: str
    holds: bool | None


@dataclass(frozen=True)
class Step:
    """What one layer makes of a picture.

    Attributes:
        layer: its name.
        kind: its class.
        data_format: which axis it takes for the channels; empty where it takes none for it.
        shape: of what comes out, in the order of its axes, without the batch's.
        parameters: how many numbers it learns.
    """

    layer: str
    kind: str
    data_format: str
    shape: tuple[int, ...]
    parameters: int


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation of one value for each seed."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean."""
        return sum(self.values) / len(self.values)

    @property
    def deviation(self) -> float:
        """The sample standard deviation; 0 for a single value."""
        if len(self.values) < 2:
            return 0.0
        squares = sum((value - self.mean) ** 2 for value in self.values)
        return math.sqrt(squares / (len(self.values) - 1))

    def percent(self, sign: str = "", unit: str = " %") -> str:
        """Return shares in percent: ``98.17 %``, or ``98.17 ± 0.05 %`` of several."""
        about = f" ± {100 * self.deviation:.2f}" if len(self.values) > 1 else ""
        return f"{100 * self.mean:{sign}.2f}{about}{unit}".replace("-", "−")


def spread(runs: Sequence[Run], network: str, value: Callable[[Run], float]) -> Spread:
    """Return one value of a network's runs, in the order of their seeds."""
    return Spread(tuple(value(run) for run in runs if run.network == network))


def difference(runs: Sequence[Run]) -> Spread:
    """Return the test accuracies' differences CNN − DNN, seed by seed."""
    cnn = spread(runs, "cnn", on_test).values
    dnn = spread(runs, "dnn", on_test).values
    return Spread(tuple(ours - theirs for ours, theirs in zip(cnn, dnn, strict=True)))


def trace(model: Any) -> list[Step]:
    """Send a blank picture through a Keras 2 `Sequential` and note what each layer makes of it."""
    import tensorflow as tf

    # Compiled, since convolutions over channels_first maps need not have an eager form.
    @tf.function
    def outputs(values: Any) -> list[Any]:
        made = []
        for layer in model.layers:
            values = layer(values)
            made.append(values)
        return made

    shapes = [tuple(made.shape[1:]) for made in outputs(tf.zeros((1, *model.input_shape[1:])))]
    return [
        Step(
            layer=layer.name,
            kind=type(layer).__name__,
            data_format=getattr(layer, "data_format", "") if len(layer.input_shape) == 4 else "",
            shape=shape,
            parameters=int(layer.count_params()),
        )
        for layer, shape in zip(model.layers, shapes, strict=True)
    ]


def claims(trained: Trained) -> list[Claim]:
    """Hold what the lecture says against what was trained."""
    taught, written = (trace(trained.models[name]) for name in ("cnn", "cnn-as-written"))
    return [
        *_shapes(taught),
        _dropped(trained.models["cnn"]),
        *_filters(trained.models["cnn"]),
        *_accuracies(trained.runs),
        *_as_written(written, trained),
    ]


# The stages that the lecture names, and the maps it says they leave: channels, rows, columns.
_STAGES = (
    ("25 filters of 3×3", (25, 26, 26)),
    ("first max pooling 2×2", (25, 13, 13)),
    ("50 filters of 3×3", (50, 11, 11)),
    ("second max pooling 2×2", (50, 5, 5)),
    ("flatten", (1250,)),
)


def channels_first(step: Step) -> tuple[int, ...]:
    """Return what a layer leaves in the lecture's order: channels, rows, columns."""
    if len(step.shape) == 3 and step.data_format == "channels_last":
        return (step.shape[2], *step.shape[:2])
    return step.shape


def _shapes(taught: Sequence[Step]) -> list[Claim]:
    found = []
    for (stage, says), step in zip(_STAGES, taught, strict=False):
        made = channels_first(step)
        found.append(Claim(f"CNN: {stage}", size_text(says), size_text(made), made == says))
    return found


def _dropped(cnn: Any) -> Claim:
    rows, columns = unseen(cnn)
    return Claim(
        "CNN: odd row and column in the second pooling",
        "dropped",
        f"the last {rows} rows and {columns} columns of the picture have no influence"
        if rows and columns
        else "each row and column of the picture has an influence",
        bool(rows and columns),
    )


def unseen(model: Any) -> tuple[int, int]:
    """Return how many of the picture's last rows and columns have no influence on the dense layers.

    Args:
        model: a Keras 2 `Sequential` that takes N×H×W×C.
    """
    import tensorflow as tf

    noise = np.random.default_rng(0).random((8, *model.input_shape[1:]), np.float32)

    @tf.function
    def slopes(pictures: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            values = pictures
            for layer in model.layers:
                values = layer(values)
                if len(values.shape) == 2:
                    break
        return tape.gradient(values, pictures)

    counts = np.any(slopes(tf.constant(noise)).numpy() != 0, axis=(0, 3))
    return _trailing(counts.any(axis=1)), _trailing(counts.any(axis=0))


def _trailing(counts: Any) -> int:
    """Return how many of the last values are False."""
    return len(counts) - 1 - int(np.max(np.flatnonzero(counts)))


def _filters(cnn: Any) -> list[Claim]:
    kernels = [layer.kernel.shape for layer in cnn.layers if type(layer).__name__ == "Conv2D"]
    found = []
    for place, says, shape in zip(("first", "second"), (9, 225), kernels, strict=True):
        weights = math.prod(shape[:3])
        found.append(
            Claim(
                f"CNN: weights of a filter in the {place} convolution",
                str(says),
                f"{weights} = {size_text(shape[:3])}",
                weights == says,
            )
        )
    return found


def on_test(run: Run) -> float:
    """Return a run's accuracy on test digits."""
    return run.test_accuracy


def on_training(run: Run) -> float:
    """Return a run's accuracy on training digits."""
    return run.train_accuracy


def _accuracies(runs: Sequence[Run]) -> list[Claim]:
    dnn, cnn = (spread(runs, name, on_test) for name in ("dnn", "cnn"))
    found = []
    for name in ("dnn", "cnn"):
        title = name.upper()
        train = spread(runs, name, on_training).percent()
        found.append(Claim(f"{title}: accuracy on training digits", "–", train, None))
        if name == "dnn":
            found.append(Claim(f"{title}: accuracy on test digits", "–", dnn.percent(), None))
    found.append(_reaches("CNN: accuracy on test digits", cnn))
    gained = difference(runs)
    pairs = len(gained.values)
    better = sum(value > 0 for value in gained.values)
    of_pairs = f", better in {better} of {pairs} pairs" if pairs > 1 else ""
    found.append(
        Claim(
            "CNN against DNN on test digits",
            "better",
            f"{gained.percent('+', ' points')} ({cnn.percent()} and {dnn.percent()}){of_pairs}",
            gained.mean > 0,
        )
    )
    sizes = {run.network: run.parameters for run in runs}
    found.append(
        Claim(
            "CNN against DNN: parameters",
            "fewer",
            f"{sizes['cnn']:,} and {sizes['dnn']:,}",
            sizes["cnn"] < sizes["dnn"],
        )
    )
    return found


def _reaches(claim: str, measured: Spread) -> Claim:
    # The lecture rounds to whole percents, and so must we.
    holds = round(100 * measured.mean) >= round(100 * SAID_ACCURACY)
    return Claim(claim, f"{100 * SAID_ACCURACY:.0f} %", measured.percent(), holds)


def _as_written(written: Sequence[Step], trained: Trained) -> list[Claim]:
    found: list[Claim] = []
    for (stage, says), step in zip(_STAGES, written, strict=False):
        # Keras' own order of axes: behind the first layer, channels are no longer channels.
        listed = ", ".join(str(size) for size in step.shape)
        measured = f"({listed})" if len(step.shape) > 1 else listed
        holds = channels_first(step) == says
        if holds and not all(claim.holds for claim in found):
            measured += ", by coincidence"
        found.append(Claim(f"listing: {stage}", size_text(says), measured, holds))
    first = trained.models["cnn-as-written"].layers[0]
    before, after = trained.initial["cnn-as-written"][0], first.get_weights()[0]
    learned = int(np.sum(np.any(before != after, axis=(0, 1, 2))))
    filters = before.shape[-1]
    found.append(
        Claim(
            "listing: filters of the first convolution that learn",
            "all",
            f"{learned} of {filters}" + (", pooling drops the others" if learned < filters else ""),
            learned == filters,
        )
    )
    runs = trained.runs
    name = "cnn-as-written"
    train = spread(runs, name, on_training)
    found.append(Claim("listing: accuracy on training digits", "–", train.percent(), None))
    test = spread(runs, name, on_test)
    found.append(_reaches("listing: accuracy on test digits", test))
    return found
