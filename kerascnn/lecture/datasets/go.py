"""Games of Go: GNU Go's against itself in the package, or a folder of one's own SGF files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sgfmill import boards, sgf, sgf_grammar

from kerascnn.errors import DataError, UsageError, one_line
from kerascnn.terminal.progress import say

SIDE = 19

#: The file that the package brings.
PACKAGED = Path(__file__).parent / "data" / "go-games.sgf"
# Untrusted files are bounded: no game of people is as long.
_MOST_BYTES = 1 << 20
_MOST_MOVES = 1000
_MOST_FILES = 5000
_MOST_GAMES = 20_000
#: Of this many games one is kept for the test.
HELD_OUT = 5

Point = tuple[int, int]


@dataclass(frozen=True)
class Game:
    """A record of a game.

    Attributes:
        file: its file, as it is shown.
        line: where it starts.
        text: the SGF.
        setup: points of black and of white stones before the first move. Points are (row, column)
            from below left, as sgfmill has them.
        moves: colour (``b`` or ``w``) and point; None for a pass.
    """

    file: str
    line: int
    text: bytes = field(repr=False)
    setup: tuple[tuple[Point, ...], tuple[Point, ...]]
    moves: tuple[tuple[str, Point | None], ...]

    def where(self, move: int = 0) -> str:
        """Return file and line of a move, counted from 1; 0 is the game's start."""
        return f"{self.file}:{self.line + _lines_before(self.text, move)}"


@dataclass(frozen=True, eq=False)
class Positions:
    """Positions, and the move that was played in each.

    Attributes:
        x_train: N×19×19, int8, rows from the top: 1 the stones of who moves, −1 the others', 0
            empty. Where white moves, the colours are swapped.
        y_train: N points, int16: 19 · row + column.
        x_test: M×19×19, of other games.
        y_test: M points.
        games: how many games they are from, of the training and of the test.
        source: where they come from, in words.
    """

    x_train: npt.NDArray[np.int8]
    y_train: npt.NDArray[np.int16]
    x_test: npt.NDArray[np.int8]
    y_test: npt.NDArray[np.int16]
    games: tuple[int, int]
    source: str


def load_go(folder: Path | None = None, games: int | None = None) -> Positions:
    """Load the positions of the packaged games, or of a folder of SGF files.

    Every fifth game is kept for the test. Files and games that are damaged, illegal or not 19×19
    are named on stderr, a line each, and skipped.

    Args:
        folder: one's own ``.sgf`` files, at any depth; None for the packaged games.
        games: how many at most; None for all.

    Raises:
        UsageError: ``games`` is too small.
        DataError: there is no such folder, or fewer than two whole games in it.
    """
    if games is not None and games < 2:
        raise UsageError(f"games must be at least 2. Received: {games}")
    source = "GNU Go against itself, in the package" if folder is None else one_line(folder)
    bounded = min(games or _MOST_GAMES, _MOST_GAMES)
    found: list[list[tuple[npt.NDArray[np.int8], int]]] = []
    for game in read_games(PACKAGED if folder is None else folder):
        try:
            made = list(positions(game))
        except DataError as error:
            say(f"skipped: {error}")
            continue
        found.append(made)
        if len(found) == bounded:
            break
    if len(found) < 2:
        raise DataError(f"{source}: holds {len(found)} whole games of 19×19; two are the least")
    held_out = found[1::HELD_OUT]
    learned = [made for index, made in enumerate(found) if index % HELD_OUT != 1]
    x_train, y_train = _stacked(learned, source)
    x_test, y_test = _stacked(held_out, source)
    return Positions(x_train, y_train, x_test, y_test, (len(learned), len(held_out)), source)


def _stacked(
    games: Sequence[list[tuple[npt.NDArray[np.int8], int]]], source: str
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int16]]:
    every = [pair for made in games for pair in made]
    if not every:
        raise DataError(f"{source}: its games hold no moves")
    boards_, moves = zip(*every, strict=True)
    return np.stack(boards_), np.array(moves, np.int16)


def read_games(path: Path) -> Iterator[Game]:
    """Read the games of an SGF file, or of all in a folder, in the order of their names.

    Yields:
        Games of 19×19. Others are named on stderr and skipped.

    Raises:
        DataError: there is no such file or folder, or no ``.sgf`` in it.
    """
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() == ".sgf")
        if not files:
            raise DataError(f"{one_line(path)}: holds no .sgf file")
        if len(files) > _MOST_FILES:
            raise DataError(
                f"{one_line(path)}: holds {len(files):,} .sgf files; {_MOST_FILES:,} are the most"
            )
    elif path.is_file():
        files = [path]
    else:
        raise DataError(f"{one_line(path)}: no such folder; --sgf takes one with .sgf files")
    for file in files:
        try:
            yield from _read_file(file)
        except DataError as error:
            say(f"skipped: {error}")


def _read_file(path: Path) -> Iterator[Game]:
    shown = one_line(path)
    try:
        if not path.is_file():
            raise DataError(f"{shown}: not an ordinary file")
        if path.stat().st_size > _MOST_BYTES:
            raise DataError(f"{shown}: larger than {_MOST_BYTES >> 20} MB; no game is")
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{shown}: {one_line(error.strerror or error)}") from error
    for line, text in _split(data):
        try:
            yield _read_game(shown, line, text)
        except DataError as error:
            say(f"skipped: {error}")


def _split(data: bytes) -> list[tuple[int, bytes]]:
    """Return the games of a file, each with the number of its first line.

    Where each line is a game, a damaged one is skipped alone; else what follows it can't be
    separated from it, and is skipped too.
    """
    lines = data.splitlines()
    if len(lines) > 1 and all(line.startswith(b"(;") and line.endswith(b")") for line in lines):
        return list(enumerate(lines, start=1))
    found, position = [], 0
    while start := _START.search(data, position):
        tokens, position = sgf_grammar.tokenise(data, start.start())
        brackets = [token for kind, token in tokens if kind == "D"]
        if brackets.count(b"(") != brackets.count(b")"):
            position = len(data)
        line = 1 + data.count(b"\n", 0, start.start())
        found.append((line, data[start.start() : position]))
    return found or [(1, data)]


_START = re.compile(rb"\(\s*;")
_TOKEN = re.compile(rb"\[(?:[^\\\]]|\\.)*\]|[A-Za-z]+|[;()]", re.DOTALL)


def _lines_before(text: bytes, move: int) -> int:
    """Return how many lines end before a move of the main line, which the first ``)`` ends."""
    count = 0
    for token in _TOKEN.finditer(text) if move else ():
        name = bytes(letter for letter in token[0] if letter < ord("a"))
        count += name in (b"B", b"W")
        if count == move:
            return text.count(b"\n", 0, token.start())
        if name == b")":
            break
    return 0


def _read_game(file: str, line: int, text: bytes) -> Game:
    where = f"{file}:{line}"
    try:
        game = sgf.Sgf_game.from_bytes(text)
        root = game.get_root()
        if root.has_property("GM") and root.get("GM") != 1:
            raise DataError(f"{where}: is a record of another game than Go")
        size = game.get_size()
        if size != SIDE:
            raise DataError(f"{where}: is a game on {size}×{size}, not {SIDE}×{SIDE}")
        black: set[Point] = set()
        white: set[Point] = set()
        moves: list[tuple[str, Point | None]] = []
        for node in game.main_sequence_iter():
            if node.has_setup_stones():
                put = node.get_setup_stones()
                if moves or put[2]:
                    raise DataError(f"{where}: stones are put down or taken away amid the game")
                black, white = black | put[0], white | put[1]
            try:
                colour, point = node.get_move()
            except ValueError as error:
                place = f"{file}:{line + _lines_before(text, len(moves) + 1)}"
                raise DataError(f"{place}: move {len(moves) + 1} is on no point") from error
            if colour is not None:
                moves.append((colour, point))
            if len(moves) > _MOST_MOVES:
                raise DataError(f"{where}: has more than {_MOST_MOVES:,} moves")
    # sgfmill raises ValueError for what is no SGF; damaged values bring others with them.
    except (ValueError, KeyError, IndexError, TypeError, LookupError, RecursionError) as error:
        raise DataError(f"{where}: not a whole SGF game ({one_line(error, 100)})") from error
    stones = (tuple(sorted(black)), tuple(sorted(white)))
    return Game(file, line, text, stones, tuple(moves))


def positions(game: Game) -> Iterator[tuple[npt.NDArray[np.int8], int]]:
    """Play a game through.

    Yields:
        For each move but passes: the board before it, 19×19 as in `Positions`, and its point.

    Raises:
        DataError: a move is not possible.
    """
    board = boards.Board(SIDE)
    if not board.apply_setup(*game.setup, ()):
        raise DataError(f"{game.where()}: its first stones have no liberties")
    for number, (colour, point) in enumerate(game.moves, start=1):
        if point is None:
            continue
        if board.get(*point) is not None:
            raise DataError(f"{game.where(number)}: move {number} is on a stone")
        row, column = SIDE - 1 - point[0], point[1]
        yield as_array(board, colour), SIDE * row + column
        board.play(*point, colour)


def as_array(board: boards.Board, colour: str) -> npt.NDArray[np.int8]:
    """Return a board of sgfmill's as 19×19 from the top: 1 for stones of ``colour``, −1, 0."""
    values = {None: 0, colour: 1, "w" if colour == "b" else "b": -1}
    rows = [[values[stone] for stone in row] for row in reversed(board.board)]
    return np.array(rows, np.int8)
