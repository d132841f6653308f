"""AlphaGo's planes on known positions: liberties, ladders, self-atari, ko, eyes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sgfmill import boards

from kerascnn.lecture.go import PLANES, Position, planes
from kerascnn.lecture.go.chains import after, chain_at, chains, is_eye
from kerascnn.lecture.go.ladders import captures, escapes, saves

STARTS = dict(zip(PLANES, np.cumsum([0, *PLANES.values()])[:-1], strict=True))


def diagram(text, side=19):
    """A board from a picture of its lower left corner: X black, O white, last line is row 0."""
    board = boards.Board(side)
    lines = [line.split() for line in text.strip().splitlines()]
    for row, line in enumerate(reversed(lines)):
        for column, sign in enumerate(line):
            if sign in "XO":
                board.board[row][column] = {"X": "b", "O": "w"}[sign]
    return board


def plane(found, name, number=0):
    """One plane, with row 0 below as in the diagrams."""
    return found[::-1, :, STARTS[name] + number]


def counts(found, name):
    """For each point the number that its planes stand for; 0 where none is set."""
    start = STARTS[name]
    part = found[::-1, :, start : start + PLANES[name]]
    return (part * np.arange(1, PLANES[name] + 1)).sum(axis=-1)


def test_there_are_48_planes_in_the_papers_order():
    assert sum(PLANES.values()) == 48
    assert list(PLANES.values()) == [3, 1, 8, 8, 8, 8, 8, 1, 1, 1, 1]
    assert planes(Position()).shape == (19, 19, 48)


def test_the_empty_board():
    found = planes(Position())
    assert (plane(found, "stone colour", 2) == 1).all()
    assert (plane(found, "ones") == 1).all()
    assert (plane(found, "sensibleness") == 1).all()
    assert (plane(found, "zeros") == 0).all()
    after_move = counts(found, "liberties after move")
    assert after_move[0, 0] == 2 and after_move[0, 5] == 3 and after_move[5, 5] == 4
    for name in ("turns since", "liberties", "capture size", "self-atari size"):
        assert not counts(found, name).any()


def test_rows_are_from_the_top():
    position = Position()
    position.play((18, 0))
    assert planes(position)[0, 0, 1] == 1  # the enemy's stone, top left


def test_turns_since_count_up_to_eight_and_colours_are_of_who_moves():
    position = Position()
    places = [(3, column) for column in range(10)]
    for place in places:
        position.play(place)
    found = planes(position)
    ages = [counts(found, "turns since")[place] for place in places]
    assert ages == [8, 8, 8, 7, 6, 5, 4, 3, 2, 1]
    assert plane(found, "stone colour", 0)[3, 0] == 1  # black moves next, and the first was black
    assert plane(found, "stone colour", 1)[3, 1] == 1


def test_liberties_captures_and_self_atari():
    board = diagram(
        """
        . . . . .
        . X . . .
        X O X . .
        X O . X .
        """
    )
    found = planes(Position(board, "b"))
    assert counts(found, "liberties")[1, 1] == 1  # two white stones in atari
    assert counts(found, "liberties")[0, 1] == 1
    assert counts(found, "capture size")[0, 2] == 2
    assert np.count_nonzero(counts(found, "capture size")) == 1
    # Three black stones hang together then; two of their five liberties are where white was.
    liberties = {(0, 1), (1, 1), (2, 2), (1, 3), (0, 4)}
    assert chain_at(after(board, (0, 2), "b"), (0, 2)).liberties == liberties
    assert counts(found, "liberties after move")[0, 2] == 5
    # White on (0, 2) has no liberty: suicide, so not legal and not sensible.
    as_white = planes(Position(board, "w"))
    assert plane(as_white, "sensibleness")[0, 2] == 0


def test_self_atari_counts_the_own_stones():
    board = diagram(
        """
        X . . . .
        O X . . .
        . O X . .
        """
    )
    found = planes(Position(board, "w"))
    sizes = counts(found, "self-atari size")
    # White on (0, 0) joins three stones whose last liberty … is none: it would be suicide.
    assert sizes[0, 0] == 0 and plane(found, "sensibleness")[0, 0] == 0
    board = diagram(
        """
        . . . . .
        O X . . .
        . O X . .
        """
    )
    assert counts(planes(Position(board, "w")), "self-atari size")[0, 0] == 3


def test_a_ko_may_not_be_retaken_at_once():
    board = diagram(
        """
        . X O . .
        X O . O .
        . X O . .
        """
    )
    position = Position(board, "b")
    position.play((1, 2))
    assert position.ko == (1, 1)
    assert not position.is_legal((1, 1))
    found = planes(position)
    assert plane(found, "sensibleness")[1, 1] == 0
    assert counts(found, "capture size")[1, 1] == 0
    with pytest.raises(ValueError, match="can't play"):
        position.play((1, 1))
    position.play((10, 10))
    position.play((11, 11))
    assert position.is_legal((1, 1))


def test_own_eyes_are_not_sensible():
    board = diagram(
        """
        X X X . .
        X . X . .
        X X X . .
        """
    )
    assert is_eye(board, (1, 1), "b") and not is_eye(board, (1, 1), "w")
    found = planes(Position(board, "b"))
    assert plane(found, "sensibleness")[1, 1] == 0
    assert plane(found, "sensibleness")[1, 3] == 1


def test_an_eye_in_the_corner_needs_its_diagonal():
    assert is_eye(diagram("X X\n. X"), (0, 0), "b")
    assert not is_eye(diagram("X O\n. X"), (0, 0), "b")


def ladder(*breakers):
    """Black has a white stone on (9, 9) between his; it runs to the lower right."""
    board = boards.Board(19)
    for row, column in ((10, 9), (9, 8), (8, 8)):
        board.board[row][column] = "b"
    for row, column in ((9, 9), *breakers):
        board.board[row][column] = "w"
    return board


@pytest.mark.parametrize(
    ("breaker", "caught"),
    [(None, True), ((4, 13), False), ((6, 11), False), ((13, 4), True), ((15, 15), True)],
)
def test_a_ladder_runs_to_the_edge_unless_a_stone_is_in_its_way(breaker, caught):
    board = ladder(*([breaker] if breaker else []))
    assert captures(board, (9, 10), "b") is caught
    assert not captures(board, (8, 9), "b")  # from that side it gets three liberties
    found = plane(planes(Position(board, "b")), "ladder capture")
    assert found[9, 10] == caught and found.sum() == caught


@pytest.mark.parametrize(("breaker", "saved"), [(None, False), ((4, 13), True)])
def test_running_out_of_atari_helps_where_the_ladder_is_broken(breaker, saved):
    board = ladder(*([breaker] if breaker else []))
    board.play(9, 10, "b")
    assert saves(board, (8, 9), "w") is saved
    assert escapes(board, (9, 9)) is saved
    found = plane(planes(Position(board, "w")), "ladder escape")
    assert found[8, 9] == saved and found.sum() == saved


def test_taking_a_hunter_is_an_escape():
    board = ladder()
    board.play(9, 10, "b")
    # The black stone above has one liberty left: white takes it, and is out.
    for row, column in ((11, 9), (10, 8)):
        board.board[row][column] = "w"
    assert saves(board, (10, 10), "w")
    assert escapes(board, (9, 9))


def brute_chains(board):
    """Union by repeated sweeps, as slow as it is plain."""
    label = {point: point for _, point in board.list_occupied_points()}
    changed = True
    while changed:
        changed = False
        for (row, column), mark in list(label.items()):
            for place in ((row + 1, column), (row, column + 1)):
                if place in label and board.get(*place) == board.get(row, column):
                    low = min(label[place], mark, label[(row, column)])
                    for member in (place, (row, column)):
                        if label[member] != low:
                            label[member] = low
                            changed = True
    groups = {}
    for point, mark in label.items():
        groups.setdefault(mark, set()).add(point)
    return {frozenset(group) for group in groups.values()}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=40))
def test_chains_and_counts_against_brute_force(moves):
    position = Position(boards.Board(5))
    for move in moves:
        if position.is_legal(move):
            position.play(move)
    assert {chain.stones for chain in chains(position.board)} == brute_chains(position.board)
    found = planes(position)
    colours = found[..., :3]
    assert (colours.sum(axis=-1) == 1).all()
    for name in ("turns since", "liberties"):
        assert ((counts(found, name) > 0) == (colours[::-1, :, 2] == 0)).all()
    legal = np.array([[position.is_legal((r, c)) for c in range(5)] for r in range(5)])
    assert ((counts(found, "liberties after move") > 0) == legal).all()
