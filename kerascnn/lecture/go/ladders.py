"""Ladders: chains that run and are put into atari at every step, read to their end."""

from __future__ import annotations

from typing import Any

from kerascnn.lecture.go.chains import Chain, Point, after, chain_at, chains, neighbours, other

#: Moves that are tried at most for one answer; what runs on counts as free. A ladder across the
#: whole board takes about a hundred.
_BUDGET = 300


def captures(board: Any, point: Point, colour: str) -> bool:
    """Whether a move drives some enemy chain of two liberties into a ladder that it can't leave.

    Args:
        board: of sgfmill's.
        point: where ``colour`` plays.
        colour: who plays.
    """
    played = after(board, point, colour)
    if played is None:
        return False
    # A chain that the move puts into atari touches it, and had two liberties.
    hunted = [
        chain
        for chain in neighbours(played, chain_at(played, point))
        if len(chain.liberties) == 1 and len(chain_at(board, _any(chain)).liberties) == 2
    ]
    return any(not escapes(played, _any(chain)) for chain in hunted)


def saves(board: Any, point: Point, colour: str) -> bool:
    """Whether a move brings a chain of ``colour`` out of atari such that no ladder catches it.

    Args:
        board: of sgfmill's.
        point: where ``colour`` plays.
        colour: who plays.
    """
    played = after(board, point, colour)
    if played is None:
        return False
    return any(
        _Reader().is_free(played, _any(chain))
        for chain in chains(board)
        if chain.colour == colour and len(chain.liberties) == 1 and point in _ways_out(board, chain)
    )


def escapes(board: Any, prey: Point) -> bool:
    """Whether the chain on a point, which has one liberty, gets out of atari when it moves now."""
    return _Reader().escapes(board, prey)


class _Reader:
    """Reads one ladder, with a bound on the moves that it tries."""

    def __init__(self) -> None:
        self._left = _BUDGET

    def escapes(self, board: Any, prey: Point) -> bool:
        chain = chain_at(board, prey)
        for point in _ways_out(board, chain):
            played = self._after(board, point, chain.colour)
            if played is not None and self.is_free(played, prey):
                return True
        return False

    def is_free(self, board: Any, prey: Point) -> bool:
        """Whether a chain that has just moved can't be driven on."""
        liberties = chain_at(board, prey).liberties
        if len(liberties) != 2 or self._left <= 0:
            return len(liberties) > 1
        hunter = other(board.get(*prey))
        for point in sorted(liberties):
            # A hunter that is in atari himself afterwards may be taken: one of the ways out.
            played = self._after(board, point, hunter)
            if played is not None and not self.escapes(played, prey):
                return False
        return True

    def _after(self, board: Any, point: Point, colour: str) -> Any:
        self._left -= 1
        return after(board, point, colour)


def _ways_out(board: Any, chain: Chain) -> list[Point]:
    """Return the moves that may help a chain in atari: its liberty, or taking a hunter."""
    taking = {
        next(iter(hunter.liberties))
        for hunter in neighbours(board, chain)
        if len(hunter.liberties) == 1
    }
    return sorted(chain.liberties | taking)


def _any(chain: Chain) -> Point:
    return min(chain.stones)
