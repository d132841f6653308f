"""The experiment's figures: training curves, and the accuracies they end at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kerascnn.lecture.experiments.runner import Trials, on_test, on_training
from kerascnn.lecture.experiments.spread import Spread
from kerascnn.render import new_figure, palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SLIDE = (12.0, 6.0)  # inches

# Colours that the colour-blind tell apart.
_COLOURS = dict(zip(("cnn", "dnn", "cnn-as-written"), palette.SERIES, strict=False))
_LABELS = {
    "dnn": "DNN",
    "cnn": "CNN as taught",
    "cnn-as-written": "CNN as the listing has it",
}
_GREY = palette.LIGHT.muted
_LEGEND = {"fontsize": 13, "facecolor": "white", "edgecolor": "none", "framealpha": 0.85}


def curves(trials: Trials) -> Figure:
    """Draw loss and accuracy over the epochs; with several seeds, a line for each."""
    from matplotlib.ticker import MaxNLocator

    figure, (left, right) = _panels("How the networks learn", _subtitle(trials), 2)
    runs = trials.runs
    thin = 1.0 if len(runs) == len(trials.of) else 0.6
    for run in runs:
        colour, history = _COLOURS[run.network], run.history
        epochs = range(1, len(history.loss) + 1)
        label = _LABELS[run.network] if run.seed == 0 else None
        dot = "o" if len(epochs) == 1 else None  # a line of one point is not seen
        left.plot(epochs, history.loss, color=colour, label=label, lw=2 * thin, marker=dot)
        right.plot(epochs, _percent(history.accuracy), color=colour, lw=1.2 * thin, ls="--")
        at, values = zip(*history.test_accuracy, strict=True)
        right.plot(at, _percent(values), color=colour, lw=2.2 * thin, marker="o", ms=5 * thin)
    left.set(xlabel="epoch", ylabel="cross-entropy (nats)", yscale="log")
    left.set_title("Loss on the training set, while learning")
    left.legend(**_LEGEND)
    right.set(xlabel="epoch", ylabel="accuracy (%)")
    right.set_title("Accuracy")
    right.plot([], [], color=_GREY, linewidth=1.2, ls="--", label="training set, while learning")
    right.plot([], [], color=_GREY, linewidth=2.2, marker="o", markersize=5, label="test set")
    right.legend(**_LEGEND, loc="lower right")
    low = min(min(_percent(run.history.accuracy[1:] or [0.9])) for run in runs)
    right.set_ylim(min(math.floor(low) - 1, 95), 100.3)
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    return figure


def accuracy(trials: Trials, said: float) -> Figure:
    """Draw the accuracy of each network on training and test digits, and the lecture's.

    Args:
        trials: of the three networks.
        said: the lecture's accuracy on test digits, in percent.
    """
    several = len(trials.runs) > len(trials.of)
    about = ": mean ± standard deviation" if several else ""
    figure, (axes,) = _panels("DNN against CNN", _subtitle(trials) + about, 1)
    names = list(trials.of)
    lowest = 100.0
    for place, name in enumerate(reversed(names)):
        ends = []
        for measure, filled in ((on_test, True), (on_training, False)):
            values = trials.spread(name, measure)
            ends.append(100 * values.mean)
            _dot(axes, values, place, _COLOURS[name], filled)
            lowest = min(lowest, 100 * (values.mean - values.deviation))
        axes.plot(ends, [place, place], color=_COLOURS[name], linewidth=1.2, alpha=0.5, zorder=1)
    axes.axvline(said, color=_GREY, linewidth=1.2, ls=":")
    axes.annotate(
        f"the lecture: {said:.0f} %",
        (said, len(names) - 0.42),
        xytext=(-6, 0),
        textcoords="offset points",
        ha="right",
        color=_GREY,
        fontsize=13,
    )
    sizes = {name: trials.first(name).parameters for name in names}
    axes.set_yticks(
        range(len(names)),
        [f"{_LABELS[name]}\n{sizes[name]:,} parameters" for name in reversed(names)],
    )
    axes.set_ylim(-0.6, len(names) - 0.25)
    axes.set_xlim(math.floor(min(lowest, said)) - 0.5, 100.3)
    axes.set_xlabel("accuracy (%)")
    axes.plot([], [], "o", color=_GREY, markersize=9, label="test set")
    axes.plot([], [], "o", color=_GREY, mfc="white", markersize=9, label="training set")
    axes.legend(**_LEGEND, loc="lower left", ncols=2)
    return figure


def _dot(axes: Axes, values: Spread, place: int, colour: str, filled: bool) -> None:
    mean = 100 * values.mean
    reach = 100 * values.deviation if len(values.values) > 1 else None
    inside = colour if filled else "white"
    axes.errorbar(
        mean, place, xerr=reach, fmt="o", color=colour, mfc=inside, markersize=11, capsize=4
    )
    axes.annotate(
        str(values).removesuffix(" %"),
        (mean, place),
        xytext=(0, 11),
        textcoords="offset points",
        ha="center",
        color=colour,
        fontsize=14,
        fontweight="bold" if filled else "normal",
        bbox={"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.8},
    )


def _percent(shares: Sequence[float]) -> list[float]:
    return [100 * share for share in shares]


def _subtitle(trials: Trials) -> str:
    runs = trials.runs
    seeds = len(runs) // len(trials.of)
    epochs = len(runs[0].history.loss)
    several = f", {seeds} seeds" if seeds > 1 else ""
    return f"{epochs} epoch{'s' if epochs > 1 else ''} of Adam in batches of 100{several}"


def _panels(title: str, subtitle: str, count: int) -> tuple[Figure, list[Axes]]:
    figure = new_figure(*_SLIDE)
    figure.suptitle(f"{title}  ·  {subtitle}", fontsize=17)
    panels = list(figure.subplots(1, count, squeeze=False)[0])
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        axes.tick_params(labelsize=13)
        axes.xaxis.label.set_size(14)
        axes.yaxis.label.set_size(14)
        axes.title.set_size(14)
    return figure, panels
