"""Go (L7): moves predicted by networks with and without filters, and AlphaGo's without pooling."""

from __future__ import annotations

import numpy as np

from kerascnn.lecture.book.builder import Chapter, ChapterBuilder
from kerascnn.lecture.datasets.go import PACKAGED, Positions, load_go, read_games
from kerascnn.lecture.drawing.goban import draw, draw_planes
from kerascnn.lecture.experiments import go
from kerascnn.lecture.experiments.runner import Trials
from kerascnn.lecture.experiments.shapes import trace
from kerascnn.lecture.experiments.spread import Spread
from kerascnn.lecture.go import PLANES, Position, planes
from kerascnn.lecture.networks.go import alphago_policy
from kerascnn.sizes import size_text

_DNN, _CNN, _POOLING = "go-dnn", "go-cnn", "go-cnn-pooling"
#: What the paper's supplement says of the policy network.
SAID_PADDED, SAID_LATER, SAID_FILTERS = 23, 21, 192


def make(chapter: ChapterBuilder) -> None:
    """Train the three networks, show what they predict, and walk through AlphaGo's."""
    folder = chapter.option("sgf")
    positions = load_go(folder, go.QUICK_GAMES if chapter.quick else None)
    epochs = go.epochs(len(positions.y_train), chapter.quick)
    trials = chapter.train(go.NETWORKS, go.task(positions), epochs=epochs, batch=50)
    source = {"word": "packaged"} if folder is None else positions.source
    chapter.text(
        "data",
        train_games=positions.games[0],
        test_games=positions.games[1],
        train=len(positions.y_train),
        test=len(positions.y_test),
        source=source,
    )
    chapter.table("networks", [_row(trials, name) for name in trials.of], seeds=chapter.seeds)
    _boards(chapter, positions, trials)
    _accuracies(chapter, trials)
    chapter.text("pooling")
    _anywhere(chapter, trials)
    chapter.text("filters")
    chapter.ask("filters", "filters", _CNN)
    chapter.text("alphago")
    _planes(chapter)
    _alphago(chapter)


def _row(trials: Trials, name: str) -> tuple[object, ...]:
    first, five = (trials.spread(name, trials.right(count)) for count in (1, 5))
    seconds = trials.spread(name, lambda run: run.history.seconds).mean
    parameters = f"{trials.first(name).parameters:,}"
    return ({"word": name}, parameters, str(first), str(five), round(seconds))


def _accuracies(chapter: ChapterBuilder, trials: Trials) -> None:
    for key, ours, theirs in (("cnn", _CNN, _DNN), ("pooled", _CNN, _POOLING)):
        for count in (1, 5):
            measure = trials.right(count)
            chapter.claim(
                f"{key}-top{count}",
                trials.gain(ours, theirs, measure).is_gain,
                ours=trials.spread(ours, measure),
                theirs=trials.spread(theirs, measure),
            )


def _boards(chapter: ChapterBuilder, positions: Positions, trials: Trials) -> None:
    """Show one position with the moves that each network expects."""
    answers = {name: trials.first(name).answers for name in (_CNN, _POOLING, _DNN)}
    moves = positions.y_test.astype(int)
    # The position of the middle game where the network gives the move the largest share.
    own = answers[_CNN][np.arange(len(moves)), moves]
    stones = np.abs(positions.x_test).sum(axis=(1, 2))
    middle = (stones > 40) & (stones < 90)
    chosen = int(np.argmax(np.where(middle, own, -1) if middle.any() else own))
    board, move = positions.x_test[chosen], int(moves[chosen])
    found = {name: shares[chosen] for name, shares in answers.items()}
    places = [int((shares > shares[move]).sum()) + 1 for shares in found.values()]
    chapter.figure(
        "board",
        draw(board, found, move),
        {"board": board, "move": move, **found},
        dict(zip(("cnn", "pooled", "dnn"), places, strict=True)),
    )


def _anywhere(chapter: ChapterBuilder, trials: Trials) -> None:
    """Measure whether patterns are found wherever they are: on turned boards, and ataris."""
    task = trials.task
    by_cnn, by_dnn = (
        [go.straight_and_turned(run.model, task) for run in trials.of[name]]
        for name in (_CNN, _DNN)
    )
    straight, turned = map(Spread, zip(*by_cnn, strict=True))
    dnn_straight, dnn_turned = map(Spread, zip(*by_dnn, strict=True))
    chapter.text("anywhere")
    better = turned.mean > dnn_straight.mean
    chapter.claim("turned", better, straight=straight, turned=turned, dnn=dnn_turned)
    cnn, dnn = (
        trials.spread(name, lambda run: go.ataris_taken(run.model)) for name in (_CNN, _DNN)
    )
    chapter.claim("atari", cnn.mean > dnn.mean, cnn=cnn, dnn=dnn)


def _planes(chapter: ChapterBuilder) -> None:
    """Show the planes of a position of the packaged games."""
    game = next(read_games(PACKAGED))
    position = Position()
    position.board.apply_setup(*game.setup, ())
    for _, point in game.moves[:80]:
        position.play(point)
    found = planes(position)
    chapter.figure(
        "planes", draw_planes(found, PLANES), {"planes": found}, {"count": found.shape[-1]}
    )


def _alphago(chapter: ChapterBuilder) -> None:
    model = alphago_policy()
    layers = trace(model)
    rows = [
        (row.kind, size_text(row.taken), size_text(row.shape), f"{row.parameters:,}")
        for row in layers
    ]
    shown = [*rows[:4], ("…",) * 4, *rows[-5:]]
    chapter.table("alphago", shown, parameters=model.count_params())
    first, *later = (row.shape[0] for row in layers if row.kind == "ZeroPadding2D")
    convolutions = [row.shape for row in layers if row.kind == "Conv2D"]
    pooling = sum("Pooling" in row.kind for row in layers)
    chapter.claim("alphago-first", first == SAID_PADDED, said=SAID_PADDED, size=first)
    chapter.claim(
        "alphago-later",
        later == [SAID_LATER] * 11,
        said=SAID_LATER,
        size=later[0],
        layers=len(later),
    )
    filters = sorted({shape[2] for shape in convolutions})
    chapter.claim("alphago-filters", filters == [SAID_FILTERS], said=SAID_FILTERS, filters=filters)
    sizes = sorted({shape[:2] for shape in convolutions})
    chapter.claim(
        "alphago-pooling",
        pooling == 0 and sizes == [(19, 19)],
        count=pooling,
        sizes=[size_text(size) for size in sizes],
    )


CHAPTER = Chapter("go", 11, make, uses=("seeds", "sgf"))
