"""Words and sentences: tables of one's own, damaged ones, the networks, saliency over words."""

from __future__ import annotations

import lzma

import numpy as np
import pytest

from kerascnn.errors import DataError
from kerascnn.lecture.datasets import text as data
from kerascnn.lecture.datasets.text import NOTHING, UNKNOWN, Vocabulary, load_reviews, split
from kerascnn.lecture.experiments.text import word_saliency
from kerascnn.lecture.networks import text as networks


def table(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def many(count=40):
    return [f"{1 if n % 2 else -1.5}\tfilm number {n} is {'good' if n % 2 else 'bad'}"
            for n in range(count)]  # fmt: skip


def test_words():
    assert split("It's NOT so-so: *fun*!") == ["it's", "not", "so", "so", "fun", "!"]
    assert split("très  bien, 很好?") == ["très", "bien", "很好", "?"]
    assert split("... -- _ ,") == []


def test_a_vocabulary_knows_what_stands_in_two_sentences():
    known = Vocabulary.of(["a good film", "a bad film", "good good"])
    assert known.words == ("a", "film", "good")
    assert known.size == 5
    (numbers,) = known.encode(["a Good fiasco"])
    assert numbers[:4].tolist() == [2, 4, UNKNOWN, NOTHING] and numbers.shape == (40,)
    assert known.encode(["a " * 100]).tolist() == [[2] * 40]


def test_the_packaged_reviews():
    found = load_reviews()
    assert 10_000 < len(found.train) + len(found.test) <= 10_605
    assert not {r.sentence for r in found.train} & {r.sentence for r in found.test}
    assert all(0 < abs(review.rating) <= 4 for review in found.train)
    share = np.mean([review.rating > 0 for review in found.test])
    assert 0.4 < share < 0.6
    assert data._EMBEDDED.stat().st_size <= 1 << 20


@pytest.mark.parametrize("suffix", [".tsv", ".tsv.xz"])
def test_a_table_of_ones_own(tmp_path, suffix):
    lines = [*many(), "0\tneither kind nor unkind", "1\t...", many()[0]]
    text = "".join(f"{line}\r\n" for line in lines).encode("utf-8-sig")
    path = tmp_path / f"own{suffix}"
    path.write_bytes(lzma.compress(text) if suffix.endswith("xz") else text)
    found = load_reviews(path)
    assert len(found.train) + len(found.test) == 40
    assert "good" in found.vocabulary.words and "neither" not in found.vocabulary.words


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_only_ends_of_lines_end_lines(tmp_path, end):
    path = tmp_path / "own.tsv"
    path.write_bytes(f"1\tgood\u2028film\x0cindeed{end}no tab".encode())
    with pytest.raises(DataError, match=r"own\.tsv:2: "):
        load_reviews(path)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("no tab here", "must be a rating, a tab and a sentence"),
        ("good\tfilm", "must be a rating"),
        ("nan\tfilm", "must be a rating"),
        ("1\t   ", "must be a rating"),
        ("", "must be a rating"),
        ("1\t" + "x" * 10_001, "10,001 characters"),
    ],
)
def test_a_damaged_line_is_named(tmp_path, line, says):
    path = table(tmp_path / "own.tsv", [*many(4), line, *many(4)])
    with pytest.raises(DataError, match=r"own\.tsv:5: ") as caught:
        load_reviews(path)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_tables_that_are_none(tmp_path, monkeypatch):
    def refused(path):
        with pytest.raises(DataError) as caught:
            load_reviews(path)
        assert path.name in str(caught.value) and "\n" not in str(caught.value)
        return str(caught.value)

    assert "can't be read" in refused(tmp_path / "none.tsv")
    assert "can't be read" in refused(tmp_path)
    assert "no lines" in refused(table(tmp_path / "empty.tsv", []))
    assert "is rated below 0" in refused(table(tmp_path / "kind.tsv", [
        f"1\tsentence {n}" for n in range(40)
    ]))  # fmt: skip
    binary = tmp_path / "binary.tsv"
    binary.write_bytes(b"1\tfine\n1\t\xff\xfe\n")
    assert "binary.tsv:2: is not in UTF-8" in refused(binary)
    broken = tmp_path / "broken.tsv.xz"
    broken.write_bytes(lzma.compress(b"1\tfine\n" * 99)[:-20])
    assert "can't be read" in refused(broken)
    # A small file that unpacks to a large one.
    monkeypatch.setattr(data, "_MOST_BYTES", 1000)
    bomb = tmp_path / "bomb.tsv.xz"
    bomb.write_bytes(lzma.compress(b"1\tfine\n" * 10_000))
    assert "more than" in refused(bomb)


# --- the networks -----------------------------------------------------------------------------


def test_filters_span_the_other_axis():
    along = {axis: networks.text_cnn(100, 40, axis, seed=0) for axis in ("sentence", "embedding")}
    kernels = {
        axis: next(layer.kernel.shape for layer in model.layers if "conv" in layer.name)
        for axis, model in along.items()
    }
    assert tuple(kernels["sentence"]) == (3, 32, 32)  # 3 words, the whole embedding
    assert tuple(kernels["embedding"]) == (3, 40, 32)  # 3 numbers, the whole sentence
    for model in (*along.values(), networks.text_fully_connected(100, 40, seed=0)):
        assert model.output_shape == (None, 2)


def test_the_maximum_forgets_where_words_stand():
    model = networks.text_cnn(50, 40, seed=1)
    first, later = np.zeros((2, 1, 40), np.int32)
    first[0, 5:8] = later[0, 20:23] = (7, 8, 9)
    assert np.allclose(model(first), model(later), atol=1e-6)
    connected = networks.text_fully_connected(50, 40, seed=1)
    assert not np.allclose(connected(first), connected(later), atol=1e-6)


def test_word_saliency_of_a_linear_network_is_the_change_of_its_score():
    import tf_keras

    known = Vocabulary(("fine", "dull", "film"))
    layers = tf_keras.layers
    model = tf_keras.Sequential(
        [
            layers.Embedding(known.size, 4, input_length=40),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    ((words, values),) = word_saliency(model, known, ["Fine, dull film!"])
    assert words == ["fine", "dull", "film", "!"]

    def score(numbers):
        shares = model(numbers).numpy()[0]
        return np.log(shares[1]) - np.log(shares[0])

    whole = known.encode(["fine dull film !"])
    for place in range(4):
        without = whole.copy()
        without[0, place] = NOTHING
        assert values[place] == pytest.approx(score(whole) - score(without), abs=1e-4)
