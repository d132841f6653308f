"""AlphaGo's 48 planes of a position (Silver et al. 2016, extended data table 2).

The table names each feature and how many planes it has. It does not say where the counts begin:
here the planes of a count are 1, 2, …, 7, and 8 or more.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sgfmill import boards

from kerascnn.lecture.go import ladders
from kerascnn.lecture.go.chains import Chain, Point, after, chain_at, chains, is_eye, other

#: The features in their order, and how many planes each has.
PLANES: dict[str, int] = {
    "stone colour": 3,
    "ones": 1,
    "turns since": 8,
    "liberties": 8,
    "capture size": 8,
    "self-atari size": 8,
    "liberties after move": 8,
    "ladder capture": 1,
    "ladder escape": 1,
    "sensibleness": 1,
    "zeros": 1,
}
_COUNTED = 8


@dataclass
class Position:
    """A board, who moves, and what of the past matters.

    Points are (row, column) from below left, as sgfmill has them.

    Attributes:
        board: of sgfmill's.
        colour: who moves, ``b`` or ``w``.
        ko: a point that may not be played on, since it would retake a ko.
        ages: for each stone that was played, how many moves ago: 1 for the last one.
    """

    board: boards.Board = field(default_factory=lambda: boards.Board(19))
    colour: str = "b"
    ko: Point | None = None
    ages: dict[Point, int] = field(default_factory=dict)

    def play(self, point: Point | None) -> None:
        """Move, or pass with None.

        Raises:
            ValueError: the move is against the rules.
        """
        if point is not None and not self.is_legal(point):
            raise ValueError(f"{self.colour} can't play on {point}")
        self.ages = {place: age + 1 for place, age in self.ages.items()}
        self.ko = None
        if point is not None:
            self.ko = self.board.play(*point, self.colour)
            self.ages[point] = 1
            self.ages = {p: age for p, age in self.ages.items() if self.board.get(*p) is not None}
        self.colour = other(self.colour)

    def is_legal(self, point: Point) -> bool:
        """Whether who moves may play on a point: it is empty, no ko, no suicide."""
        return point != self.ko and after(self.board, point, self.colour) is not None


def planes(position: Position) -> npt.NDArray[np.float32]:
    """Return AlphaGo's planes of a position.

    Returns:
        19×19×48 of zeros and ones, rows from the top, in the order of `PLANES`.
    """
    found = {
        name: np.zeros((position.board.side, position.board.side, count), np.float32)
        for name, count in PLANES.items()
    }
    found["ones"][:] = 1
    _stones(position, found)
    for row, column in np.ndindex(position.board.side, position.board.side):
        point = (row, column)
        if position.board.get(*point) is None and point != position.ko:
            _move(position, point, found)
    _ladders(position, found)
    # sgfmill counts rows from below, pictures from the top.
    return np.concatenate(list(found.values()), axis=-1)[::-1]


def _stones(position: Position, found: dict[str, npt.NDArray[np.float32]]) -> None:
    found["stone colour"][..., 2] = 1
    for chain in chains(position.board):
        for stone in chain.stones:
            own = chain.colour == position.colour
            found["stone colour"][stone] = (1, 0, 0) if own else (0, 1, 0)
            _count(found["liberties"], stone, len(chain.liberties))
            # Stones that lay there from the start are older than any.
            _count(found["turns since"], stone, position.ages.get(stone, _COUNTED))


def _move(position: Position, point: Point, found: dict[str, npt.NDArray[np.float32]]) -> None:
    board, colour = position.board, position.colour
    played = after(board, point, colour)
    if played is None:
        return
    chain = chain_at(played, point)
    before, now = (_stones_of(some, other(colour)) for some in (board, played))
    _count(found["capture size"], point, before - now)
    _count(found["liberties after move"], point, len(chain.liberties))
    if len(chain.liberties) == 1:
        _count(found["self-atari size"], point, len(chain.stones))
    if not is_eye(board, point, colour):
        found["sensibleness"][point] = 1


def _ladders(position: Position, found: dict[str, npt.NDArray[np.float32]]) -> None:
    board, colour = position.board, position.colour
    every = chains(board)
    for point in _points(every, other(colour), 2):
        if position.is_legal(point) and ladders.captures(board, point, colour):
            found["ladder capture"][point] = 1
    # A chain in atari runs to its liberty, or takes an enemy that is in atari too.
    running = _points(every, colour, 1)
    for point in running | (_points(every, other(colour), 1) if running else set()):
        if position.is_legal(point) and ladders.saves(board, point, colour):
            found["ladder escape"][point] = 1


def _points(every: list[Chain], colour: str, liberties: int) -> set[Point]:
    """Return the liberties of all chains of a colour with so many of them."""
    chosen = [c for c in every if c.colour == colour and len(c.liberties) == liberties]
    return {point for chain in chosen for point in chain.liberties}


def _stones_of(board: boards.Board, colour: str) -> int:
    return sum(stone == colour for row in board.board for stone in row)


def _count(plane: npt.NDArray[np.float32], point: Point, number: int) -> None:
    if number > 0:
        plane[point][min(number, _COUNTED) - 1] = 1
