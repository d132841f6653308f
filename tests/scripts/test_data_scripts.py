"""The scripts that make the packaged games, words and sentences."""

from __future__ import annotations

import importlib.util
import io
import lzma
import shutil
import sys
import tarfile

import numpy as np
import pytest

from helpers.paths import SCRIPTS
from kerascnn.lecture.datasets import go as games
from kerascnn.lecture.datasets.text import load_reviews

GNUGO = shutil.which("gnugo", path="/usr/games:/usr/local/games:/usr/bin:/usr/local/bin")


def script(name):
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def packed(files):
    """A .tar.gz of names and bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


# --- Go ---------------------------------------------------------------------------------------


def test_openings_are_drawn_by_the_games_number():
    play_go = script("play_go")
    drawn = [play_go.opening(number) for number in range(1, 60)]
    assert drawn == [play_go.opening(number) for number in range(1, 60)]
    assert {len(stones) for stones in drawn} == {0, 2, 4, 6, 8}
    for stones in drawn:
        for index, (row, column) in enumerate(stones):
            assert 0 < row < 18 and 0 < column < 18
            for other in stones[:index]:
                assert max(abs(row - other[0]), abs(column - other[1])) > 2


def test_points_in_gtp():
    play_go = script("play_go")
    assert play_go.name((0, 0)) == "A1"
    assert play_go.name((18, 8)) == "J19"  # there is no I


def test_the_packaged_games_begin_as_the_script_has_them():
    play_go = script("play_go")
    for number, game in enumerate(list(games.read_games(games.PACKAGED))[:20], start=1):
        stones = play_go.opening(number)
        assert set(game.setup[0]) == set(stones[::2])
        assert set(game.setup[1]) == set(stones[1::2])


@pytest.mark.skipif(GNUGO is None, reason="GNU Go is not installed")
def test_gnu_go_plays_and_a_finished_run_plays_no_more(monkeypatch, tmp_path):
    play_go = script("play_go")
    monkeypatch.setattr(play_go, "MOVES", 4)
    monkeypatch.setattr(play_go, "FILE", tmp_path / "games.sgf")
    arguments = ["play_go", "--games", "2", "--gnugo", GNUGO, "--file", str(tmp_path / "g.sgf")]
    monkeypatch.setattr(sys, "argv", arguments)
    play_go.main()
    first = (tmp_path / "g.sgf").read_bytes()
    found = list(games.read_games(tmp_path / "g.sgf"))
    assert [len(game.moves) for game in found] == [4, 4]
    play_go.main()  # nothing is left to do
    assert (tmp_path / "g.sgf").read_bytes() == first


# --- speech -----------------------------------------------------------------------------------


def test_relatives_are_kept_together():
    speak = script("speak_digits")
    assert len({speak.is_tested(name) for name in ("iven", "iven2", "iven3", "iven4")}) == 1
    # f1 to f5 and m1 to m8 are different people.
    assert {speak.is_tested(f"{sex}{n}") for sex in "fm" for n in range(1, 9)} == {True, False}


def test_noise_is_as_loud_as_it_should_be():
    speak = script("speak_digits")
    for seed in range(5):
        made = speak.noise(16_000, 0.1, np.random.default_rng(seed))
        below = -20 * np.log10(made.std() / 0.1)
        assert 5 <= below <= 25


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="eSpeak NG is not installed")
def test_a_word_is_spoken_the_same_each_time(tmp_path):
    speak = script("speak_digits")
    voice = next(name for name in speak.speakers() if " " not in name)
    first, again = (
        speak.speak("seven", voice, np.random.default_rng(1), tmp_path / "a.wav") for _ in range(2)
    )
    assert first.shape == (40, 40) and (first == again).all()
    assert first.max() == 255


# --- text -------------------------------------------------------------------------------------


def test_reviews_are_taken_out_of_the_archive(tmp_path, monkeypatch, capsys):
    embed = script("embed_reviews")
    rated = "".join(
        f"{n}\t{(-1) ** n * 1.2666666}\tsentence   number {n}\r\n" for n in range(40)
    ).encode()
    inner = packed({"hutto_ICWSM_2014/._x": b"", embed.RATED: rated})
    outer = tmp_path / "source.tar.gz"
    outer.write_bytes(packed({f"vader-1/{embed.INNER}": inner, "vader-1/setup.py": b""}))
    monkeypatch.setattr(embed, "FILE", tmp_path / "reviews.tsv.xz")
    monkeypatch.setattr(sys, "argv", ["embed_reviews", str(outer)])
    embed.main()
    lines = lzma.decompress((tmp_path / "reviews.tsv.xz").read_bytes()).decode().splitlines()
    assert lines[:2] == ["1.27\tsentence number 0", "-1.27\tsentence number 1"]
    found = load_reviews(tmp_path / "reviews.tsv.xz")
    assert len(found.train) + len(found.test) == 40
    assert "40 sentences" in capsys.readouterr().out
