"""DNN against CNN on MNIST (L5): the lecture's experiment, trained with seeds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kerascnn.lecture.book.chapter import Chapter

if TYPE_CHECKING:
    from kerascnn.lecture.book.builder import ChapterBuilder
    from kerascnn.lecture.experiments.claims import Spread
    from kerascnn.lecture.experiments.mnist import Run

_NAMES = ("dnn", "cnn", "cnn-as-written")


def make(work: ChapterBuilder) -> None:
    """Show the trainings that the book begins with."""
    from kerascnn.lecture.drawing import accuracy
    from kerascnn.lecture.experiments.claims import on_test, on_training, spread

    stored = json.loads((work.out / "results.json").read_text(encoding="utf-8"))
    runs = runs_of(stored)
    settings = stored["settings"]
    work.text("setting", **{name: f"{value:,}" for name, value in settings.items()})
    tests = {name: spread(runs, name, on_test) for name in _NAMES}
    trainings = {name: spread(runs, name, on_training) for name in _NAMES}
    work.figure(
        "accuracy",
        accuracy.accuracy(runs),
        {name: values.values for name, values in tests.items()},
        {name.replace("-", "_"): values.percent() for name, values in tests.items()},
    )
    work.figure("curves", accuracy.curves(runs), _curves(runs))
    work.table("runs", [_row(run) for run in runs])
    work.text("meaning")
    _accuracies(work, tests, trainings)
    _against(work, runs)
    learned = next(c for c in stored["claims"] if "that learn" in c["claim"])
    count, _, of = learned["measured"].partition(",")[0].partition(" of ")
    work.claim("learned", learned["holds"], learned=count, of=of)


def runs_of(stored: dict[str, Any]) -> list[Run]:
    """Return the trainings that ``results.json`` holds."""
    from kerascnn.lecture.experiments.mnist import Run

    curves = {(c["network"], c["seed"]): c for c in stored["curves"]}
    names = ("loss", "accuracy", "test_accuracy")
    return [
        Run(**run, curves={n: curves[run["network"], run["seed"]][n] for n in names})
        for run in stored["runs"]
    ]


def _row(run: Run) -> tuple[Any, ...]:
    return (
        {"word": run.network},
        run.seed,
        f"{run.parameters:,}",
        f"{run.train_accuracy:.2%}",
        f"{run.test_accuracy:.2%}",
        round(run.seconds, 1),
    )


def _curves(runs: list[Run]) -> dict[str, Any]:
    return {
        f"{run.network}_{run.seed}_{name}": run.curves[name]
        for run in runs
        for name in ("loss", "accuracy")
    }


def _accuracies(
    work: ChapterBuilder, tests: dict[str, Spread], trainings: dict[str, Spread]
) -> None:
    from kerascnn.lecture.experiments.claims import SAID_ACCURACY

    for name in _NAMES:
        work.claim(f"{name}-training", None, accuracy=trainings[name].percent())
        # The lecture rounds to whole percents, and so must we. Of the DNN it says nothing here.
        reached = round(100 * tests[name].mean) >= round(100 * SAID_ACCURACY)
        holds = None if name == "dnn" else reached
        work.claim(f"{name}-test", holds, accuracy=tests[name].percent())


def _against(work: ChapterBuilder, runs: list[Run]) -> None:
    from kerascnn.lecture.experiments.claims import difference

    gained = difference(runs)
    better = sum(value > 0 for value in gained.values)
    work.claim(
        "better",
        gained.mean > 0,
        points=gained.percent("+", ""),
        better=better,
        pairs=len(gained.values),
    )
    sizes = {run.network: run.parameters for run in runs}
    work.claim(
        "fewer",
        sizes["cnn"] < sizes["dnn"],
        cnn=f"{sizes['cnn']:,}",
        dnn=f"{sizes['dnn']:,}",
    )


CHAPTER = Chapter("experiment", 5, make, uses=("networks", "seeds"))
