"""DNN against CNN on MNIST (L5): the lecture's experiment, trained with seeds."""

from __future__ import annotations

from kerascnn.lecture.book.builder import Chapter, ChapterBuilder
from kerascnn.lecture.drawing import accuracy
from kerascnn.lecture.experiments.mnist import NETWORKS, filters_that_learn
from kerascnn.lecture.experiments.runner import TrainingRun, Trials, on_test, on_training

#: What the lecture says of the convolutional network's accuracy, in percent.
SAID_ACCURACY = 98


def make(chapter: ChapterBuilder) -> None:
    """Show the trainings that the book begins with."""
    trials = chapter.results.trials
    chapter.text("setting", **chapter.results.settings)
    tests = {name: trials.spread(name, on_test) for name in NETWORKS}
    chapter.figure(
        "accuracy",
        accuracy.accuracy(trials, SAID_ACCURACY),
        {name: spread.values for name, spread in tests.items()},
        {name.replace("-", "_"): spread for name, spread in tests.items()},
    )
    curves = {
        f"{run.network}_{run.seed}_{name}": getattr(run.history, name)
        for run in trials.runs
        for name in ("loss", "accuracy")
    }
    chapter.figure("curves", accuracy.curves(trials), curves)
    chapter.table("runs", [_row(run) for run in trials.runs])
    chapter.text("meaning")
    for name, test in tests.items():
        chapter.claim(f"{name}-training", None, accuracy=trials.spread(name, on_training))
        # The lecture rounds to whole percents, and so must we. Of the DNN it says nothing here.
        reached = round(100 * test.mean) >= SAID_ACCURACY
        verdict, said = (None, None) if name == "dnn" else (reached, SAID_ACCURACY)
        chapter.claim(f"{name}-test", verdict, said=said, accuracy=test)
    _against(chapter, trials)
    name = "cnn-as-written"
    learned, filters = filters_that_learn(name, trials.first(name).model)
    chapter.claim("learned", learned == filters, learned=learned, of=filters)


def _row(run: TrainingRun) -> tuple[object, ...]:
    return (
        {"word": run.network},
        run.seed,
        f"{run.parameters:,}",
        f"{on_training(run):.2%}",
        f"{on_test(run):.2%}",
        round(run.history.seconds, 1),
    )


def _against(chapter: ChapterBuilder, trials: Trials) -> None:
    gained = trials.gain("cnn", "dnn", on_test)
    better = sum(value > 0 for value in gained.values)
    pairs = len(gained.values)
    chapter.claim("better", gained.mean > 0, points=gained, better=better, pairs=pairs)
    cnn, dnn = (trials.first(name).parameters for name in ("cnn", "dnn"))
    chapter.claim("fewer", cnn < dnn, cnn=cnn, dnn=dnn)


CHAPTER = Chapter("experiment", 5, make, uses=("networks", "seeds"))
