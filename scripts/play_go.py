"""Make the packaged Go games: GNU Go against itself, kept as one SGF game a line.

Run as ``python scripts/play_go.py``; needs GNU Go (Debian's package ``gnugo``) and sgfmill. Game n
is the same on every run, since GNU Go's random seed and the opening are drawn from n. Games are
added to the file as they end: an interrupted run resumes with the next game.

A few stones are placed at random before the first move, as setup, so that the games differ. They
are no training data.
"""

from __future__ import annotations

import argparse
import functools
import os
import random
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from sgfmill import sgf

from kerascnn.storage.files import write_bytes

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "kerascnn" / "lecture" / "datasets" / "data" / "go-games.sgf"
GAMES = 160
SIZE = 19
KOMI = 7.5
LEVEL = 1
MOVES = 120  # the opening and most of the middle game
COLUMNS = "ABCDEFGHJKLMNOPQRST"  # GTP leaves the I out
Point = tuple[int, int]


class GnuGo:
    """GNU Go behind the Go Text Protocol.

    Args:
        program: its path.
        seed: of its random numbers; 0 would mean the clock.
    """

    def __init__(self, program: str, seed: int) -> None:
        options = ["--level", str(LEVEL), "--chinese-rules", "--seed", str(seed)]
        self._process = subprocess.Popen(
            [program, "--mode", "gtp", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> GnuGo:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, command: str) -> str:
        """Return the answer to one command.

        Raises:
            RuntimeError: GNU Go refused the command, or ended.
        """
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        lines = []
        while (line := self._process.stdout.readline()).strip():
            lines.append(line.strip())
        if not lines or not lines[0].startswith("="):
            raise RuntimeError(f"gnugo answers {command!r} with {lines}")
        return lines[0][1:].strip()


def opening(number: int) -> list[Point]:
    """Draw 0–4 stones of each colour, on the third to fifth lines, none beside another."""
    draw = random.Random(number)
    stones: list[Point] = []
    lines = [2, 3, 4, 14, 15, 16]
    wanted = 2 * draw.randrange(5)
    while len(stones) < wanted:
        point = (draw.choice(lines), draw.randrange(2, 17))
        if draw.random() < 0.5:
            point = (point[1], point[0])
        if all(max(abs(point[0] - row), abs(point[1] - col)) > 2 for row, col in stones):
            stones.append(point)
    return stones


def name(point: Point) -> str:
    """Return a (row from below, column) in GTP's letters."""
    return f"{COLUMNS[point[1]]}{point[0] + 1}"


def play(program: str, number: int) -> bytes:
    """Play game ``number``, and return it as one line of SGF."""
    game = sgf.Sgf_game(size=SIZE, encoding="UTF-8")
    root = game.get_root()
    root.set("PB", "GNU Go")
    root.set("PW", "GNU Go")
    root.set("RU", "Chinese")
    root.set("KM", KOMI)
    root.set("GN", f"Game {number}")
    with GnuGo(program, number) as engine:
        for command in (f"boardsize {SIZE}", "clear_board", f"komi {KOMI}"):
            engine.ask(command)
        stones = opening(number)
        if stones:
            for index, point in enumerate(stones):
                engine.ask(f"play {('black', 'white')[index % 2]} {name(point)}")
            root.set_setup_stones(stones[::2], stones[1::2])
            root.set("PL", "b")
        _moves(engine, game)
    return bytes(game.serialise(wrap=None)).replace(b"\n", b"") + b"\n"


def _moves(engine: GnuGo, game: sgf.Sgf_game) -> None:
    """Add moves to a game until someone resigns, both pass, or the cap."""
    passes = 0
    for index in range(MOVES):
        colour = "bw"[index % 2]
        answer = engine.ask(f"genmove {colour}").upper()
        if answer == "RESIGN":
            game.get_root().set("RE", f"{'WB'[index % 2]}+R")
            return
        move = None
        if answer != "PASS":
            move = (int(answer[1:]) - 1, COLUMNS.index(answer[0]))
        game.extend_main_sequence().set_move(colour, move)
        passes = passes + 1 if move is None else 0
        if passes == 2:
            return


def main() -> None:
    """Play the games that the file lacks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--games", type=int, default=GAMES)
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--gnugo", default=shutil.which("gnugo") or "/usr/games/gnugo")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="games at once")
    options = parser.parse_args()
    lines = options.file.read_bytes().splitlines(keepends=True) if options.file.exists() else []
    # A thread a game: the work is GNU Go's, in processes of its own.
    with ThreadPoolExecutor(options.jobs) as pool:
        numbers = range(len(lines) + 1, options.games + 1)
        for number, line in zip(
            numbers, pool.map(functools.partial(play, options.gnugo), numbers), strict=True
        ):
            lines.append(line)
            write_bytes(options.file, b"".join(lines))
            print(f"game {number}: {line.count(b';') - 1} moves", flush=True)


if __name__ == "__main__":
    main()
