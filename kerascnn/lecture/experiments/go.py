"""Go (L7): which network predicts the next move, and whether it matters where a pattern is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from kerascnn.lecture.datasets.go import SIDE, Positions
from kerascnn.lecture.experiments.runner import Builder
from kerascnn.lecture.experiments.task import Array, Floats, Labels, Task
from kerascnn.lecture.experiments.training import accuracy, answers
from kerascnn.lecture.networks import Model
from kerascnn.lecture.networks.go import go_cnn, go_fully_connected

#: The networks by name; all have the same kind of output, a share for each point.
NETWORKS: Mapping[str, Builder] = {
    "go-dnn": lambda seed: go_fully_connected(seed=seed),
    "go-cnn": lambda seed: go_cnn(seed=seed),
    "go-cnn-pooling": lambda seed: go_cnn(pooling=True, seed=seed),
}
#: Positions that a training sees, over all its epochs: few games are seen more often.
SEEN, QUICK_SEEN = 60_000, 4_000
#: Games that the quick version takes.
QUICK_GAMES = 20
# Positions that are shown turned and mirrored.
_TURNED = 600


def task(positions: Positions) -> Task:
    """Return positions as a task: N×19×19, and the point that was played."""
    return Task(
        positions.x_train.astype(np.float32),
        positions.y_train,
        positions.x_test.astype(np.float32),
        positions.y_test,
    )


def epochs(positions: int, quick: bool) -> int:
    """Return how often to see so many positions: at least twice, at most 40 times."""
    return min(40, max(2, round((QUICK_SEEN if quick else SEEN) / positions)))


def turned(boards: Array, points: Labels) -> Iterator[tuple[Array, Labels]]:
    """Yield positions in the board's eight symmetries, the first as they are.

    Args:
        boards: N×19×19.
        points: N, 19 · row + column.

    Yields:
        Boards and points of the same shapes.
    """
    marks = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    for mirrored in (False, True):
        for quarters in range(4):
            sides = (1, 2)
            changed = np.rot90(boards[..., ::-1] if mirrored else boards, quarters, sides)
            where = np.rot90(marks[:, ::-1] if mirrored else marks, quarters)
            # Where each point has gone to.
            gone = np.empty(SIDE * SIDE, np.int64)
            gone[where.reshape(-1)] = np.arange(SIDE * SIDE)
            yield changed, gone[points]


def straight_and_turned(model: Model, task: Task) -> tuple[float, float]:
    """Return a network's share of right moves on boards as they are, and on the seven others."""
    step = max(1, len(task.y_test) // _TURNED)
    shares = []
    for boards, points in turned(task.x_test[::step], task.y_test[::step]):
        values = np.ascontiguousarray(boards).reshape((len(boards), *model.input_shape[1:]))
        shares.append(accuracy(model, values, points))
    return shares[0], float(np.mean(shares[1:]))


def atari(stone: tuple[int, int], gap: int) -> tuple[Floats, int]:
    """Return a board on which one enemy stone is in atari, and the point that takes it.

    Args:
        stone: row and column of the enemy stone, none of them on the edge.
        gap: which of its four neighbours is empty.
    """
    board = np.zeros((SIDE, SIDE), np.float32)
    board[stone] = -1
    row, column = stone
    around = [(row - 1, column), (row, column + 1), (row + 1, column), (row, column - 1)]
    for number, place in enumerate(around):
        board[place] = number != gap
    return board, SIDE * around[gap][0] + around[gap][1]


def ataris_taken(model: Model, count: int = 5) -> float:
    """Return in how many of 17·17·4 ataris the taking move is among the ``count`` first."""
    made = [
        atari((row, column), gap)
        for row in range(1, SIDE - 1)
        for column in range(1, SIDE - 1)
        for gap in range(4)
    ]
    boards = np.stack([board for board, _ in made]).reshape((-1, *model.input_shape[1:]))
    points = np.array([point for _, point in made])
    shares = answers(model, boards)
    own = shares[np.arange(len(points)), points]
    return float(np.mean((shares > own[:, None]).sum(axis=1) < count))
