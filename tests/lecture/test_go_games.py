"""Games of Go: the packaged ones, one's own, hostile ones; boards turned; the networks' shapes."""

from __future__ import annotations

import numpy as np
import pytest
from sgfmill import boards

from kerascnn.errors import DataError, UsageError
from kerascnn.lecture.datasets import go as games
from kerascnn.lecture.datasets.go import load_go
from kerascnn.lecture.experiments.go import atari, turned
from kerascnn.lecture.experiments.shapes import trace
from kerascnn.lecture.go.chains import chain_at
from kerascnn.lecture.networks import go as networks

HEAD = b"(;GM[1]FF[4]SZ[19]"


def write(folder, **files):
    for name, data in files.items():
        (folder / f"{name}.sgf").write_bytes(data)
    return folder


def same(one, other):
    names = ("x_train", "y_train", "x_test", "y_test")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


@pytest.fixture
def good(tmp_path):
    """Two short games: the least that there must be."""
    return write(tmp_path, a=HEAD + b";B[aa];W[ba];B[ss])", b=HEAD + b";B[qd];W[dd];B[pp])")


# --- the packaged games -----------------------------------------------------------------------


def test_the_packaged_games_are_whole():
    found = list(games.read_games(games.PACKAGED))
    assert len(found) >= 15
    for game in found:
        assert 20 <= sum(point is not None for _, point in game.moves) <= 120, game.where()
        assert [colour for colour, _ in game.moves[:2]] == ["b", "w"]
    assert len({game.moves for game in found}) == len(found)


def test_moves_are_on_empty_points_and_games_are_in_one_part_only():
    found = load_go(games=10)
    assert found.games == (8, 2)
    assert len(found.x_train) == len(found.y_train) and len(found.x_test) == len(found.y_test)
    for boards_, points in ((found.x_train, found.y_train), (found.x_test, found.y_test)):
        assert set(np.unique(boards_)) <= {-1, 0, 1}
        flat = boards_.reshape(len(boards_), -1)
        assert (flat[np.arange(len(points)), points] == 0).all()
    assert same(load_go(games=10), found) and not same(load_go(games=9), found)


def test_too_few_games_asked_for():
    with pytest.raises(UsageError, match=r"at least 2\. Received: 1"):
        load_go(games=1)


# --- one's own --------------------------------------------------------------------------------


def test_rows_are_from_the_top_and_colours_of_who_moves(tmp_path):
    # White plays on a2, black's corner stone is then without liberties and leaves the board.
    text = HEAD + b";B[aa];W[ba];B[ss];W[ab];B[aa])"
    write(tmp_path, a=text, b=text)
    found = load_go(tmp_path)
    assert found.y_train.tolist() == [0, 1, 360, 19, 0]
    assert found.x_train[0].sum() == 0
    assert found.x_train[1][0, 0] == -1  # white moves: black is the enemy
    assert found.x_train[3][0, 0] == -1 and found.x_train[3][0, 1] == 1
    assert found.x_train[4][0, 0] == 0  # taken
    assert found.x_train[4][18, 18] == 1 and found.x_train[4][1, 0] == -1


def test_setup_stones_and_passes(tmp_path):
    text = HEAD + b"AB[dd][pp]AW[dp];W[qd];B[];W[cc])"
    write(tmp_path, a=text, b=text)
    found = load_go(tmp_path)
    assert found.y_train.tolist() == [19 * 3 + 16, 19 * 2 + 2]
    assert found.x_train[0][3, 3] == -1 and found.x_train[0][15, 3] == 1


HOSTILE = {
    "text": b"Dear Sir, this is no game.",
    "empty": b"",
    "cut": HEAD + b";B[aa];W[b",
    "small": b"(;GM[1]SZ[9];B[aa])",
    "huge-board": b"(;GM[1]SZ[99999999];B[aa])",
    "no-number": b"(;GM[1]SZ[x];B[aa])",
    "outside": HEAD + b";B[zz])",
    "long-value": HEAD + b";B[" + b"a" * 5000 + b"])",
    "another-game": b"(;GM[2]SZ[19];B[aa])",
    "on-a-stone": HEAD + b";B[aa];W[aa])",
    "amid": HEAD + b";B[aa];AB[bb])",
    "nested": b"(;" * 50_000,
    "many": HEAD + b";B[]" * 1200 + b")",
    "large": HEAD + b"C[" + b"x" * (1 << 20) + b"])",
    "zeros": bytes(3000),
    "dead-setup": HEAD + b"AB[aa]AW[ba][ab];B[dd])",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_damaged_games_are_named_and_left_out(good, capsys, name):
    whole = load_go(good)
    write(good, **{f"aa-{name}": HOSTILE[name]})
    found = load_go(good)
    said = capsys.readouterr().err
    assert same(found, whole)
    assert said.count("\n") == 1 and f"aa-{name}.sgf" in said and "skipped" in said


def test_a_file_of_a_game_a_line_names_the_line(tmp_path, capsys):
    lines = [HEAD + b";B[aa])", HEAD + b";B[aa];W[aa])", HEAD + b";B[bb])"]
    write(tmp_path, several=b"\n".join(lines) + b"\n")
    assert load_go(tmp_path).games == (1, 1)
    assert "several.sgf:2: move 2 is on a stone" in capsys.readouterr().err


def test_several_games_in_a_file_and_the_line_of_a_move(tmp_path, capsys):
    one = b"\n (;SZ[19]\nC[a bracket \\] and (;B[aa\\])\n]AB[dd]\n;B[aa](;W[ba]\n;B[ca])(;W[ss]))\n"
    bad = b"(;SZ[19];B[aa]\n;W[bb]C[no\nmove]\n;B[aa](;W[cc])(;W[dd]))"
    write(tmp_path, a=b"(a letter to B)" + one + bad + one + b"the end\n")
    found = load_go(tmp_path)
    assert found.games == (1, 1) and found.y_train.tolist() == [0, 1, 2]
    assert capsys.readouterr().err.endswith("a.sgf:10: move 3 is on a stone\n")
    write(tmp_path, a=one + one + HEAD + b"\n;B[aa]\n;W[zz])")
    load_go(tmp_path)
    assert capsys.readouterr().err.endswith("a.sgf:15: move 2 is on no point\n")
    write(tmp_path, a=one + one + b"(;SZ[19];B[aa](;B[bb]" + one)
    load_go(tmp_path)
    assert "a.sgf:13: not a whole SGF game" in capsys.readouterr().err


def test_handicap_stones_may_stand_after_the_first_node(tmp_path):
    write(tmp_path, a=HEAD + b";AB[dd][pp];W[aa])", b=HEAD + b"AB[dd][pp];W[aa])")
    found = load_go(tmp_path)
    assert np.array_equal(found.x_train, found.x_test) and found.x_train[0][3, 3] == -1


def test_no_folder_no_games(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        load_go(tmp_path / "none")
    with pytest.raises(DataError, match=r"holds no \.sgf file"):
        load_go(tmp_path)
    write(tmp_path, one=HEAD + b";B[aa])")
    with pytest.raises(DataError, match="holds 1 whole games"):
        load_go(tmp_path)


# --- turned boards, ataris --------------------------------------------------------------------


def test_the_eight_symmetries_take_the_point_along():
    points = np.arange(361)
    boards_ = np.eye(361).reshape(361, 19, 19)
    seen = set()
    for changed, gone in turned(boards_, points):
        assert (changed.reshape(361, 361).argmax(axis=1) == gone).all()
        seen.add(tuple(gone))
    assert len(seen) == 8
    assert next(iter(turned(boards_, points)))[1].tolist() == points.tolist()


@pytest.mark.parametrize("gap", range(4))
@pytest.mark.parametrize("stone", [(1, 1), (9, 4), (17, 17)])
def test_an_atari_is_one(stone, gap):
    picture, point = atari(stone, gap)
    board = boards.Board(19)
    for row, column in zip(*np.nonzero(picture), strict=True):
        board.board[row][column] = "b" if picture[row, column] > 0 else "w"
    assert chain_at(board, stone).liberties == {divmod(point, 19)}


# --- the networks -----------------------------------------------------------------------------


def test_alphagos_network_layer_by_layer():
    model = networks.alphago_policy(filters=8, seed=0)
    rows = trace(model)
    paddings = [row.shape for row in rows if row.kind == "ZeroPadding2D"]
    assert paddings == [(23, 23, 48)] + [(21, 21, 8)] * 11
    convolutions = [layer for layer in model.layers if "conv" in layer.name]
    assert [layer.kernel_size for layer in convolutions] == [(5, 5)] + [(3, 3)] * 11
    assert all(layer.strides == (1, 1) for layer in convolutions)
    assert all(layer.output_shape[1:] == (19, 19, 8) for layer in convolutions)
    assert not [row.kind for row in rows if "Pool" in row.kind]
    assert [row.taken for row in rows] == [(19, 19, 48), *(row.shape for row in rows[:-1])]
    last = model.layers[-3]
    assert [tuple(w.shape) for w in last.weights] == [(8, 1), (19, 19, 1)]  # a bias for each point
    assert model.output_shape == (None, 361)
    by_hand = (25 * 48 + 1) * 8 + 11 * (9 * 8 + 1) * 8 + 8 + 361
    assert model.count_params() == by_hand


def test_alphagos_filters_are_192_by_default():
    import inspect

    assert inspect.signature(networks.alphago_policy).parameters["filters"].default == 192


def test_pooling_changes_no_weight():
    plain, pooled = (networks.go_cnn(pooling=pooling, seed=3) for pooling in (False, True))
    assert plain.count_params() == pooled.count_params()
    for ours, theirs in zip(plain.get_weights(), pooled.get_weights(), strict=True):
        assert (ours == theirs).all()
    kinds = [type(layer).__name__ for layer in pooled.layers]
    assert kinds.count("MaxPooling2D") == 1 and pooled.output_shape == (None, 361)
    assert sum(networks.go_fully_connected(seed=0)(np.zeros((1, 361), "f")).numpy()[0]) == (
        pytest.approx(1, abs=1e-5)
    )
