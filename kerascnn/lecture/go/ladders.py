"""Ladders: chases in which every move puts a chain into atari, read to their end."""

from __future__ import annotations

from sgfmill.boards import Board

from kerascnn.lecture.go.chains import Chain, Point, after, chain_at, chains, neighbours, other

#: Moves that are tried at most for one answer; a longer chase counts as an escape. A ladder across
#: the whole board takes about a hundred.
_BUDGET = 300


def captures(board: Board, point: Point, colour: str) -> bool:
    """Whether a move starts a ladder that some enemy chain of two liberties can't escape.

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


def saves(board: Board, point: Point, colour: str) -> bool:
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
        _Search().is_free(played, _any(chain))
        for chain in chains(board)
        if chain.colour == colour and len(chain.liberties) == 1 and point in _ways_out(board, chain)
    )


def escapes(board: Board, prey: Point) -> bool:
    """Whether the chain on a point, which has one liberty, gets out of atari when it moves now."""
    return _Search().escapes(board, prey)


class _Search:
    """Reads one ladder, with a bound on the moves that it tries."""

    def __init__(self) -> None:
        self._left = _BUDGET

    def escapes(self, board: Board, prey: Point) -> bool:
        chain = chain_at(board, prey)
        for point in _ways_out(board, chain):
            played = self._after(board, point, chain.colour)
            if played is not None and self.is_free(played, prey):
                return True
        return False

    def is_free(self, board: Board, prey: Point) -> bool:
        """Whether a chain that has just moved can't be put into atari again for good."""
        liberties = chain_at(board, prey).liberties
        if len(liberties) != 2 or self._left <= 0:
            return len(liberties) > 1
        hunter = other(board.get(*prey))
        for point in sorted(liberties):
            # An attacker that is in atari itself afterwards may be captured: one of the ways out.
            played = self._after(board, point, hunter)
            if played is not None and not self.escapes(played, prey):
                return False
        return True

    def _after(self, board: Board, point: Point, colour: str) -> Board | None:
        self._left -= 1
        return after(board, point, colour)


def _ways_out(board: Board, chain: Chain) -> list[Point]:
    """Return the moves that may save a chain in atari: its liberty, or capturing an attacker."""
    taking = {
        next(iter(hunter.liberties))
        for hunter in neighbours(board, chain)
        if len(hunter.liberties) == 1
    }
    return sorted(chain.liberties | taking)


def _any(chain: Chain) -> Point:
    return min(chain.stones)
