"""Chains: connected stones of one colour, and their liberties.

Boards are sgfmill's; points are (row, column) from below left, colours ``b`` and ``w``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sgfmill.boards import Board

Point = tuple[int, int]


@dataclass(frozen=True)
class Chain:
    """Connected stones of one colour, which are captured together.

    Attributes:
        colour: of the stones.
        stones: their points.
        liberties: empty points beside them.
    """

    colour: str
    stones: frozenset[Point]
    liberties: frozenset[Point]


def other(colour: str) -> str:
    """Return the other colour."""
    return "w" if colour == "b" else "b"


def beside(board: Board, point: Point) -> Iterator[Point]:
    """Yield the two to four points beside one."""
    row, column = point
    for place in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
        if 0 <= place[0] < board.side and 0 <= place[1] < board.side:
            yield place


def chain_at(board: Board, point: Point) -> Chain:
    """Return the chain of the stone on a point.

    Raises:
        ValueError: there is none.
    """
    colour = board.get(*point)
    if colour is None:
        raise ValueError(f"there is no stone on {point}")
    stones, liberties, open_ = {point}, set(), [point]
    while open_:
        for place in beside(board, open_.pop()):
            stone = board.get(*place)
            if stone is None:
                liberties.add(place)
            elif stone == colour and place not in stones:
                stones.add(place)
                open_.append(place)
    return Chain(colour, frozenset(stones), frozenset(liberties))


def chains(board: Board) -> list[Chain]:
    """Return all chains of a board."""
    found: list[Chain] = []
    seen: set[Point] = set()
    for _, point in board.list_occupied_points():
        if point not in seen:
            found.append(chain_at(board, point))
            seen |= found[-1].stones
    return found


def neighbours(board: Board, chain: Chain) -> list[Chain]:
    """Return the chains of the other colour that a chain touches."""
    found: list[Chain] = []
    seen: set[Point] = set()
    for stone in chain.stones:
        for place in beside(board, stone):
            if board.get(*place) == other(chain.colour) and place not in seen:
                found.append(chain_at(board, place))
                seen |= found[-1].stones
    return found


def after(board: Board, point: Point, colour: str) -> Board | None:
    """Return the board after a move, or None where it would be suicide or is on a stone.

    The ban on retaking a ko is up to the caller.
    """
    if board.get(*point) is not None:
        return None
    played = board.copy()
    played.play(*point, colour)
    return played if played.get(*point) == colour else None


def is_eye(board: Board, point: Point, colour: str) -> bool:
    """Whether an empty point is a true eye of a colour.

    All points beside it are of the colour, and of those at its corners the enemy holds at most one;
    on the edge none.
    """
    if board.get(*point) is not None:
        return False
    if any(board.get(*place) != colour for place in beside(board, point)):
        return False
    row, column = point
    corners = [
        (r, c)
        for r in (row - 1, row + 1)
        for c in (column - 1, column + 1)
        if 0 <= r < board.side and 0 <= c < board.side
    ]
    hostile = sum(board.get(*corner) == other(colour) for corner in corners)
    return bool(hostile <= (1 if len(corners) == 4 else 0))
