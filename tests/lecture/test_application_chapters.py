"""The chapters on Go, speech and text, made of small data of one's own."""

from __future__ import annotations

import json
import wave

import numpy as np
import pytest

from kerascnn.errors import DataError
from kerascnn.lecture import make_book
from kerascnn.lecture.book.settings import Settings
from kerascnn.lecture.datasets.go import PACKAGED, read_games
from kerascnn.lecture.experiments import go, speech, text

OPENING = "(;GM[1]FF[4]SZ[19]" + "".join(
    f";{'BW'[n % 2]}[{chr(100 + n % 12)}{chr(99 + n * 5 % 13)}]" for n in range(24)
)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Small data of each kind: option → path."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "games").mkdir()
    for number in range(3):
        (folder / "games" / f"{number}.sgf").write_text(OPENING + f";B[s{'abc'[number]}])")
    for word, frequency in (("high", 3000), ("low", 300)):
        (folder / "words" / word).mkdir(parents=True)
        for speaker in range(12):
            with wave.open(str(folder / "words" / word / f"s{speaker}_0.wav"), "wb") as stream:
                stream.setparams((1, 2, 16_000, 0, "NONE", ""))
                wavy = np.sin(2 * np.pi * frequency * np.arange(8000) / 16_000)
                stream.writeframes((wavy * 9000).astype("<i2").tobytes())
    lines = [
        f"{1 if n % 2 else -1}\ta {'good' if n % 2 else 'bad'} film, number {n}, of all the films "
        "that there were this year" for n in range(60)
    ]  # fmt: skip
    (folder / "reviews.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {"sgf": folder / "games", "wav": folder / "words", "tsv": folder / "reviews.tsv"}


@pytest.fixture(scope="module")
def book(own, tmp_path_factory):
    out = tmp_path_factory.mktemp("book") / "out"
    settings = Settings(quick=True, options={name: str(path) for name, path in own.items()})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(go, "QUICK_SEEN", 100)
        patch.setattr(speech, "QUICK_EPOCHS", 1)
        patch.setattr(text, "QUICK_EPOCHS", 1)
        return out, make_book(out, settings, ["go", "speech", "text"])


def test_all_three_are_in_the_book(book):
    out, made = book
    assert [chapter.chapter.number for chapter in made.chapters] == [11, 12, 13]
    page = (out / "index.html").read_text(encoding="utf-8")
    for figure in ("go-board", "go-filters", "go-planes", "speech-saliency", "text-sentences"):
        assert f'id="{figure}"' in page, figure
    for name in ("go-cnn", "go-dnn", "speech-both", "text-sentence"):
        assert (out / f"{name}.h5").is_file()


def test_claims_are_held_against_what_was_measured(book):
    _, made = book
    claims = {claim.key: claim for chapter in made.chapters for claim in chapter.content.claims}
    assert claims["alphago-pooling"].verdict and claims["alphago-filters"].verdict
    assert set(claims) >= {"cnn-top1", "pooled-top5", "turned", "atari", "frequency", "little",
                           "sentence", "axes", "embedding"}  # fmt: skip


def test_what_was_measured_is_in_the_raw_values(book, own):
    out, _ = book
    with np.load(out / "chapters" / "go" / "board.npz") as stored:
        assert stored["board"].shape == (19, 19)
        for name in ("go-cnn", "go-dnn", "go-cnn-pooling"):
            assert stored[name].sum() == pytest.approx(1, abs=1e-4)
    with np.load(out / "chapters" / "go" / "planes.npz") as stored:
        assert stored["planes"].shape == (19, 19, 48)
    with np.load(out / "chapters" / "speech" / "saliency.npz") as stored:
        assert stored["speech-both"].max() > 0 and (stored["speech-both"] >= 0).all()
    manifest = json.loads((out / "chapters" / "text" / "chapter.json").read_text(encoding="utf-8"))
    assert str(own["tsv"]) in json.dumps(manifest["content"], ensure_ascii=False)


def test_the_saved_networks_load_and_can_be_asked(book):
    from kerascnn.network.network import Network

    out, _ = book
    board = np.zeros((1, 19, 19, 1), np.float32)
    network = Network.load(str(out / "go-cnn.h5"))
    assert network.classes == 361
    assert network.gradients(board, 180).shape == board.shape


def test_a_wrong_path_is_one_line(tmp_path):
    for chapter, option in (("go", "sgf"), ("speech", "wav"), ("text", "tsv")):
        settings = Settings(quick=True, options={option: str(tmp_path / "none")})
        with pytest.raises(DataError, match="none") as caught:
            make_book(tmp_path / "out", settings, [chapter])
        assert "\n" not in str(caught.value)


def test_the_planes_chapter_needs_eighty_moves():
    assert len(next(read_games(PACKAGED)).moves) >= 80
