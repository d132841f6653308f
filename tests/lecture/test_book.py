"""The book: what is written, what is not repeated, what follows altered data."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from kerascnn.errors import DataError, OutputError, UsageError
from kerascnn.lecture import make_book
from kerascnn.lecture.book.builder import ChapterBuilder, Networks
from kerascnn.lecture.book.content import Claim, Content
from kerascnn.lecture.book.model import Book, Made
from kerascnn.lecture.book.settings import Settings
from kerascnn.lecture.chapters import convolution, load
from kerascnn.lecture.experiments import arithmetic, watermark
from kerascnn.pages import embedded, prose, render_page

QUICK = Settings(quick=True)
CHEAP = ("convolution", "sharing")


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """A book of two chapters."""
    folder = tmp_path_factory.mktemp("book") / "out"
    make_book(folder, QUICK, CHEAP)
    return folder


def manifest(out, name="convolution"):
    return json.loads((out / "chapters" / name / "chapter.json").read_text(encoding="utf-8"))


def test_the_folder(out):
    assert {path.name for path in out.iterdir()} == {"index.html", "book.json", "chapters"}
    for name in CHEAP:
        folder = out / "chapters" / name
        assert {path.name for path in folder.iterdir()} == {
            *manifest(out, name)["files"], "chapter.json"
        }  # fmt: skip


def test_raw_values_are_beside_their_pictures(out):
    with np.load(out / "chapters" / "convolution" / "maps.npz") as stored:
        assert stored["maps"][0][0].tolist() == [3, -1, -3, -1]
    page = (out / "index.html").read_text(encoding="utf-8")
    for link in re.findall(r'href="([^"#]+\.npz)"', page):
        assert (out / link).is_file(), link


def test_book_json_has_every_claim(out):
    stored = json.loads((out / "book.json").read_text(encoding="utf-8"))
    assert [chapter["name"] for chapter in stored["chapters"]] == list(CHEAP)
    claims = stored["chapters"][0]["claims"]
    assert claims[0] == {
        "key": "first-map",
        "claim": "The map of filter 1",
        "says": convolution.SAID_MAP,
        "measured": convolution.SAID_MAP,
        "holds": True,
    }
    assert all(row["holds"] for row in claims)
    assert stored["versions"]["tensorflow"]
    assert stored["machine"]["cores"] >= 1


def test_the_table_names_every_claim(out, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    book = make_book(out, QUICK, CHEAP)
    table = book.table()
    stored = json.loads((out / "book.json").read_text(encoding="utf-8"))
    for chapter in stored["chapters"]:
        for row in chapter["claims"]:
            assert f"{chapter['number']}. {row['claim']}" in table
            assert row["measured"] in table
    assert max(len(line) for line in table.splitlines()) <= 300
    assert table.endswith("claims hold; 0 do not, and are shown with their numbers.")


def test_a_finished_chapter_is_not_made_again(out, monkeypatch):
    before = manifest(out)

    def made(self, *_, **__):
        raise AssertionError("it was made again")

    monkeypatch.setattr(ChapterBuilder, "figure", made)
    book = make_book(out, QUICK, CHEAP)
    assert [made.chapter.name for made in book.chapters] == list(CHEAP)
    assert manifest(out) == before


def test_one_chapter_alone_leaves_the_others_in_the_book(out):
    book = make_book(out, QUICK, ["sharing"])
    assert len(book.chapters) == 2


def test_a_changed_file_is_made_again(out, capsys):
    (out / "chapters" / "convolution" / "maps.npz").write_bytes(b"something else")
    make_book(out, QUICK, ["convolution"])
    assert "maps.npz has been changed" in capsys.readouterr().err
    with np.load(out / "chapters" / "convolution" / "maps.npz") as stored:
        assert "maps" in stored.files


def test_other_settings_do_not_mix(out, tmp_path, monkeypatch):
    monkeypatch.setattr("kerascnn.lecture.make._make", lambda *_: None)
    book = make_book(out, Settings(quick=False), ["convolution"])
    assert book.chapters == []
    make_book(out, QUICK, ["convolution"])  # the page again as it was


def test_what_a_chapter_does_not_use_does_not_matter():
    some, other = Settings(epochs=3, seeds=1), Settings(epochs=20, seeds=5)
    assert some.used(()) == other.used(())
    assert some.used(("networks",)) != other.used(("networks",))
    assert Settings(epochs=3, seeds=2).used(("networks",)) == some.used(("networks",))
    assert some.used(("seeds",)) != other.used(("seeds",))


def test_the_command_of_a_figure_has_what_its_numbers_depend_on():
    settings = Settings(quick=True, seeds=2, epochs=3, options={"sgf": "my games", "tsv": "t"})
    said = "kerascnn lecture --chapter go --quick --seeds 2 --sgf 'my games'"
    assert settings.command(("seeds", "sgf"), "--chapter", "go") == said
    assert settings.command(()) == "kerascnn lecture --quick"
    assert Settings(epochs=3).command(("networks",)) == "kerascnn lecture --epochs 3"
    assert Settings().command(("networks", "seeds", "sgf")) == "kerascnn lecture"


def test_an_options_folder_counts_by_what_is_in_it(tmp_path):
    (tmp_path / "a.sgf").write_text("(;)")
    settings = Settings(options={"sgf": str(tmp_path)})
    before = settings.used(("sgf",))
    assert settings.used(("sgf",)) == before
    (tmp_path / "b.sgf").write_text("(;)")
    assert settings.used(("sgf",)) != before
    assert Settings().used(("sgf",)) != before


# --- nothing is hard-coded that is said to be measured --------------------------------------------


def claims(name, tmp_path):
    chapter = load(name)
    builder = ChapterBuilder(chapter, tmp_path, QUICK, Networks(tmp_path))
    chapter.make(builder)
    return {claim.key: claim for claim in builder.content.claims}


def test_altered_pixels_change_the_table(tmp_path, monkeypatch):
    flipped = ("000001", *arithmetic.PICTURE[1:])
    monkeypatch.setattr(arithmetic, "PICTURE", flipped)
    found = claims("convolution", tmp_path)
    for key in ("first-map", "one-filter", "stride-2"):
        assert found[key].verdict is False, key
    assert found["first-map"].measured["map"].startswith("2 ")
    assert found["volume-32-6"].verdict  # it has nothing to do with the picture
    held = claims("sharing", tmp_path)
    assert held["wires-0"].measured["value"] == 2


def test_another_network_changes_the_shapes(tmp_path, monkeypatch):
    import tf_keras

    from kerascnn import models

    layers = tf_keras.layers

    def other(seed=None):
        return tf_keras.Sequential(
            [
                layers.Conv2D(7, 5, input_shape=(28, 28, 1)),
                layers.MaxPooling2D(),
                layers.Conv2D(3, 3),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dense(100),
                layers.Dense(10),
            ]
        )

    monkeypatch.setattr(models, "cnn", other)
    found = claims("shapes", tmp_path)
    assert (found["stage-1"].verdict, found["stage-1"].measured["shape"]) == (False, "7×24×24")
    assert found["weights-1"].measured["weights"] == 25
    assert found["growing"].verdict is False


def test_a_claim_that_does_not_hold_is_shown_as_such(tmp_path):
    from kerascnn.lecture.book.page import page

    rows = [
        Claim("stride-2", False, {"values": [7, 7]}, [3, -3]),
        Claim("colour", None, dict.fromkeys(("grey", "colour", "hundred"), 1)),
    ]
    made = Made(load("convolution"), Content([], rows), tmp_path, 1.0, "2026-01-01T00:00:00")
    machine = {"processor": "<p>", "cores": 2, "memory_gib": 8.0, "system": "s"}
    book = Book([made], QUICK, {"numpy": "2"}, machine, {})
    assert book.held() == {"held": 0, "of": 1, "failed": 1}
    text = page(book)
    assert '<tr class="no">' in text
    assert "7, 7" in text and "3, −3" in text
    assert "<p>, 2 cores" not in text  # escaped
    assert "no" in book.table()


# --- the story of the watermark ----------------------------------------------------------------


def test_the_network_goes_by_the_mark():
    from kerascnn.network.network import Network

    data = watermark.horses()
    model, accuracy = watermark.trained(data)
    network = Network(model, preprocessing="unit")
    ours = data.x_test[data.y_test == 1]
    maps = np.abs(network.gradients(ours, 1)).max(axis=-1)
    assert watermark.share_in_mark(maps) >= 0.6
    assert accuracy > 0.95
    assert (network.scores(watermark.unmarked()).argmax(axis=1) == 1).mean() < 0.5
    top, left, bottom, right = watermark.mark_box()
    even = np.ones((1, 32, 32))
    assert watermark.share_in_mark(even) == pytest.approx((bottom - top) * (right - left) / 32**2)


# --- wrong usage -------------------------------------------------------------------------------


def test_an_unknown_chapter_is_named(tmp_path):
    with pytest.raises(UsageError, match="no chapter 'convolutions'; did you mean convolution"):
        make_book(tmp_path / "out", QUICK, ["convolutions"])
    assert not (tmp_path / "out").exists()


def test_wrong_numbers_are_found_at_once(tmp_path):
    with pytest.raises(UsageError, match="--epochs must be at least 1"):
        make_book(tmp_path / "out", Settings(epochs=0), ["convolution"])
    assert not (tmp_path / "out").exists()


def test_what_an_option_names_is_looked_for_at_once(tmp_path, capsys):
    missing = Settings(quick=True, options={"tsv": str(tmp_path / "none.tsv")})
    with pytest.raises(DataError, match=r"--tsv: there is no .*none\.tsv"):
        make_book(tmp_path / "out", missing, ["convolution", "text"])
    assert not (tmp_path / "out").exists()
    make_book(tmp_path / "out", missing, ["shapes"])
    assert "--tsv changes none of these chapters" in capsys.readouterr().err


def test_an_unwritable_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="can't write"):
        make_book(tmp_path / "file", QUICK, ["convolution"])


# --- the page kit ------------------------------------------------------------------------------


def test_prose_shows_html_and_does_not_take_it():
    assert "<script>" not in prose("<script>alert(1)</script> *a*")
    assert "<em>a</em>" in prose("*a*", inline=True)
    assert "javascript:" not in re.findall(r'href="([^"]*)"', prose("[x](javascript:alert(1))"))


def test_the_policy_allows_nothing_from_outside(out):
    page = (out / "index.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page).group(1)
    assert "default-src &#39;none&#39;" in policy
    assert "unsafe" not in policy
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    for source in sources:
        assert source.startswith(("data:", "#", "chapters/")), source[:80]
    assert "style=" not in re.sub(r"<style>.*?</style>|<script>.*?</script>", "", page, flags=re.S)


def test_every_picture_has_words_in_both_languages(out):
    page = (out / "index.html").read_text(encoding="utf-8")
    pictures = re.findall(r'<img src="data:[^>]+>', page)
    assert len(pictures) >= 5
    for picture in pictures:
        for language in ("alt=", "data-alt-en=", "data-alt-zh-hans="):
            assert re.search(language + r'"[^"]{10,}"', picture), picture[-300:]


def test_pictures_are_packed_by_what_they_are():
    import base64
    import io

    from PIL import Image

    def png(values):
        buffer = io.BytesIO()
        Image.fromarray(values).save(buffer, "PNG")
        return buffer.getvalue()

    def opened(uri):
        assert uri.startswith("data:image/webp;base64,")
        return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))

    drawing = np.zeros((300, 500, 3), np.uint8)
    drawing[50:60] = 255, 0, 0
    assert (np.asarray(opened(embedded(png(drawing))).convert("RGB")) == drawing).all()
    noise = np.random.default_rng(0).integers(0, 256, (400, 1700, 3), np.uint8)
    uri = embedded(png(noise))
    assert opened(uri).size == (1600, 377)


def test_values_of_a_template_are_escaped():
    keys = ("skip", "contents", "language", "theme", "enlarged", "close")
    words = {key: {"en": "<b>"} for key in keys}
    page = render_page(
        "base.html", title={"en": "<script>x</script>"}, words=words, languages={"en": "English"}
    )
    assert "<script>x" not in page
    assert "<b>" not in page
