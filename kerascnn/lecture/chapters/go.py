"""Go (L7): moves predicted by networks with and without filters, and AlphaGo's without pooling."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerascnn.lecture.book.chapter import Chapter
from kerascnn.sizes import size_text

if TYPE_CHECKING:
    from kerascnn.lecture.book.builder import ChapterBuilder
    from kerascnn.lecture.datasets import Positions
    from kerascnn.lecture.experiments.runner import Trial, Trials

_DNN, _CNN, _POOLING = "go-dnn", "go-cnn", "go-cnn-pooling"
#: What the paper's supplement says of the policy network.
SAID_PADDED, SAID_LATER, SAID_FILTERS = 23, 21, 192
# Seeds without --quick, if fewer are asked for.
SEEDS = 3


def make(work: ChapterBuilder) -> None:
    """Train the three networks, show what they predict, and walk through AlphaGo's."""
    from kerascnn.lecture.datasets import load_go
    from kerascnn.lecture.experiments import go

    folder = work.option("sgf")
    positions = load_go(
        None if folder is None else Path(folder), go.QUICK_GAMES if work.quick else None
    )
    seeds = work.settings.seeds if work.quick else max(SEEDS, work.settings.seeds)
    trials = go.trials(positions, work.keep, seeds=seeds, quick=work.quick)
    for name in go.NETWORKS:
        trials.save(name, work.out / f"{name}.h5")
    source = {"word": "packaged"} if folder is None else positions.source
    work.text("data", **_counts(positions), source=source)
    _table(work, trials, seeds)
    _boards(work, positions, trials)
    _accuracies(work, trials)
    work.text("pooling")
    _anywhere(work, trials)
    work.text("filters")
    work.ask("filters", "filters", _CNN)
    work.text("alphago")
    _planes(work)
    _alphago(work)


def _counts(positions: Positions) -> dict[str, int]:
    return {
        "train_games": positions.games[0],
        "test_games": positions.games[1],
        "train": len(positions.y_train),
        "test": len(positions.y_test),
    }


def _table(work: ChapterBuilder, trials: Trials, seeds: int) -> None:
    rows = []
    for name in trials.of:
        first, five = (trials.spread(name, _among(trials, count)) for count in (1, 5))
        seconds = trials.spread(name, lambda trial: trial.seconds).mean
        parameters = f"{trials.model(name).count_params():,}"
        rows.append(({"word": name}, parameters, first.percent(), five.percent(), round(seconds)))
    work.table("networks", rows, seeds=seeds)


def _among(trials: Trials, count: int) -> Any:
    """Return a measure: the share of moves among the ``count`` first."""
    from kerascnn.lecture.experiments.runner import right

    def measure(trial: Trial) -> float:
        return right(trial, trials.task.y_test, count)

    return measure


def _accuracies(work: ChapterBuilder, trials: Trials) -> None:
    from kerascnn.lecture.experiments.runner import better

    for key, ours, theirs in (("cnn", _CNN, _DNN), ("pooled", _CNN, _POOLING)):
        for count in (1, 5):
            measure = _among(trials, count)
            work.claim(
                f"{key}-top{count}",
                better(trials.gain(ours, theirs, measure)),
                ours=trials.spread(ours, measure).percent(),
                theirs=trials.spread(theirs, measure).percent(),
            )


def _boards(work: ChapterBuilder, positions: Positions, trials: Trials) -> None:
    """Show one position with what each network expects."""
    import numpy as np

    from kerascnn.lecture.drawing.goban import draw

    shares = {name: trials.of[name][0].shares for name in trials.of}
    moves = positions.y_test.astype(int)
    # A position of the middle game where the network is as sure of the move as it gets.
    own = shares[_CNN][np.arange(len(moves)), moves]
    stones = np.abs(positions.x_test).sum(axis=(1, 2))
    middle = (stones > 40) & (stones < 90)
    chosen = int(np.argmax(np.where(middle, own, -1) if middle.any() else own))
    found = {name: shares[name][chosen] for name in (_CNN, _POOLING, _DNN)}
    places = {
        name: int((values > values[moves[chosen]]).sum()) + 1 for name, values in found.items()
    }
    work.figure(
        "board",
        draw(positions.x_test[chosen], found, int(moves[chosen])),
        {"board": positions.x_test[chosen], "move": moves[chosen], **found},
        {
            "cnn": places[_CNN],
            "pooled": places[_POOLING],
            "dnn": places[_DNN],
        },
    )


def _anywhere(work: ChapterBuilder, trials: Trials) -> None:
    from kerascnn.lecture.experiments import go
    from kerascnn.lecture.experiments.claims import Spread

    measured = {
        name: [go.straight_and_turned(trial.model, trials.task) for trial in trials.of[name]]
        for name in (_CNN, _DNN)
    }
    spreads = {
        name: [Spread(values) for values in zip(*pairs, strict=True)]
        for name, pairs in measured.items()
    }
    straight, turned = spreads[_CNN]
    work.text("anywhere")
    work.claim(
        "turned",
        turned.mean > spreads[_DNN][0].mean,
        straight=straight.percent(),
        turned=turned.percent(),
        dnn=spreads[_DNN][1].percent(),
    )
    taken = {
        name: trials.spread(name, lambda trial: go.ataris_taken(trial.model))
        for name in (_CNN, _DNN)
    }
    work.claim(
        "atari",
        taken[_CNN].mean > taken[_DNN].mean,
        cnn=taken[_CNN].percent(),
        dnn=taken[_DNN].percent(),
    )


def _planes(work: ChapterBuilder) -> None:
    """Show the planes of a position out of the packaged games."""
    from kerascnn.lecture.datasets.go import read_packaged
    from kerascnn.lecture.drawing.goban import draw_planes
    from kerascnn.lecture.go import PLANES, Position, planes

    game = read_packaged()[0]
    position = Position()
    position.board.apply_setup(*game.setup, ())
    for _, point in game.moves[:80]:
        position.play(point)
    found = planes(position)
    work.figure("planes", draw_planes(found, PLANES), {"planes": found}, {"count": found.shape[-1]})


def _alphago(work: ChapterBuilder) -> None:
    from kerascnn.lecture import networks
    from kerascnn.lecture.experiments import go

    model = networks.alphago_policy()
    steps = go.walk(model)
    rows = [
        (kind, size_text(taken), size_text(made), f"{learned:,}")
        for kind, taken, made, learned in steps
    ]
    shown = [*rows[:4], ("…",) * 4, *rows[-5:]]
    work.table("alphago", shown, parameters=model.count_params())
    paddings = [made[0] for kind, _, made, _ in steps if kind == "ZeroPadding2D"]
    convolutions = [(taken, made) for kind, taken, made, _ in steps if kind == "Conv2D"]
    pooling = sum("Pooling" in kind for kind, *_ in steps)
    work.claim("alphago-first", paddings[0] == SAID_PADDED, size=paddings[0])
    work.claim(
        "alphago-later",
        set(paddings[1:]) == {SAID_LATER} and len(paddings) == 12,
        size=paddings[1],
        layers=len(paddings) - 1,
    )
    filters = {made[2] for _, made in convolutions}
    work.claim(
        "alphago-filters", filters == {SAID_FILTERS}, filters=", ".join(map(str, sorted(filters)))
    )
    sizes = {made[:2] for _, made in convolutions}
    work.claim(
        "alphago-pooling",
        pooling == 0 and sizes == {(19, 19)},
        count=pooling,
        sizes=", ".join(size_text(size) for size in sorted(sizes)),
    )


CHAPTER = Chapter("go", 11, make, uses=("seeds", "sgf"))
