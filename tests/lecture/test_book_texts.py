"""The catalogues: every text in both languages, and none that nobody uses."""

from __future__ import annotations

import ast
import inspect
import re
import string
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import kerascnn
from kerascnn.lecture.book.catalogue import LANGUAGES, Texts, catalogue
from kerascnn.lecture.chapters import NAMES, load
from kerascnn.pages import render_page

PACKAGE = Path(kerascnn.__file__).parent
ALL = ("book", *NAMES)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Four English words on end are a sentence that was left. Code and quoted titles do not count.
ENGLISH = re.compile(r"(?:\b[a-z]{2,}\b[ ,]+){3}\b[a-z]{2,}\b")
# What stands for itself in any language: shapes, numbers, names of layers and networks.
SAME = re.compile(r"[^A-Za-z]*(?:(?:DNN|CNN|depth|as|N|F|Keras|ReLU|VGG16|w|k)[^A-Za-z]*)*")


def leaves(tree, path=()):
    """Every text of a catalogue with its place, as ``claim.sizes.says``."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from leaves(value, (*path, key))
    elif isinstance(tree, list):
        for number, item in enumerate(tree):
            yield from leaves(item, (*path, str(number)))
    else:
        yield ".".join(path), str(tree)


def placeholders(text):
    """The names of a text's ``{name}``."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def texts(language, name):
    return dict(leaves(catalogue(language, name)))


def test_a_language_is_its_folder_of_texts():
    folders = {path.name for path in (PACKAGE / "lecture" / "texts").iterdir()}
    assert LANGUAGES[0] == "en" and set(LANGUAGES) == folders
    # What each calls itself is in its own catalogue.
    assert Texts("book")("language") == {"en": "English", "zh-Hans": "简体中文"}


def test_a_page_hides_every_language_but_its_own():
    words = {
        key: dict.fromkeys("abc", "x") | {"en": "x"} for key in catalogue("en", "book")["word"]
    }
    title = dict.fromkeys(("en", *"abc"), "x")
    page = render_page("base.html", title=title, words=words, languages=title)
    for code in title:
        assert (
            f'html[lang="{code}"] [lang]:not([lang="{code}"], option) {{ display: none; }}' in page
        )


def test_a_list_and_a_spread_are_worded(monkeypatch):
    texts = Texts("shapes")
    monkeypatch.setitem(catalogue("en", "shapes")["word"], "nothing", "{a}; {b}; {c:+}; {d}")
    shown = texts.one("en", "word", "nothing", a=[1, -2], b={"spread": [0.5, 0.6]},
                      c={"spread": [-0.01]}, d={"word": "coincidence"})  # fmt: skip
    assert shown == "1, −2; 55.00 ± 7.07 %; −1.00; , by coincidence"


@pytest.mark.parametrize("name", ALL)
def test_both_languages_have_the_same_texts(name):
    english, chinese = (texts(language, name) for language in LANGUAGES)
    assert set(english) == set(chinese)
    assert list(english)[:2] == list(chinese)[:2]


@pytest.mark.parametrize("name", ALL)
def test_both_languages_tell_the_same_numbers(name):
    english, chinese = (texts(language, name) for language in LANGUAGES)
    for place, text in english.items():
        assert placeholders(text) == placeholders(chinese[place]), place


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_left_untranslated(name):
    english, chinese = (texts(language, name) for language in LANGUAGES)
    for place, text in chinese.items():
        plain = re.sub(r"`[^`]*`|\{[^}]*\}", "", text)
        assert not ENGLISH.search(plain), (place, text)
        source = re.sub(r"`[^`]*`|\{[^}]*\}", "", english[place])
        if not SAME.fullmatch(source):
            assert CHINESE.search(plain), (place, text)
    for place, text in english.items():
        assert not CHINESE.search(text) or "简体中文" in text, place


KINDS = {
    "text": "text",
    "figure": "figure",
    "ask": "figure",
    "table": "table",
    "play": "play",
    "claim": "claim",
}


class Keys(ast.NodeVisitor):
    """What a chapter's module asks the catalogues for, as patterns."""

    def __init__(self):
        self.found = set()

    def visit_Call(self, node):
        name = getattr(node.func, "attr", "")
        owner = getattr(getattr(node.func, "value", None), "id", "")
        if owner == "chapter" and name in KINDS and node.args:
            self.found.add((KINDS[name], pattern(node.args[0])))
        self.generic_visit(node)


def pattern(node):
    if isinstance(node, ast.Constant):
        return re.escape(str(node.value))
    if isinstance(node, ast.JoinedStr):
        return "".join(
            re.escape(part.value) if isinstance(part, ast.Constant) else ".+"
            for part in node.values
        )
    if isinstance(node, ast.IfExp):
        return f"(?:{pattern(node.body)}|{pattern(node.orelse)})"
    return ".+"


@pytest.mark.parametrize("name", NAMES)
def test_what_a_chapter_asks_for_is_there_and_nothing_else(name):
    module = sys.modules[load(name).make.__module__]
    keys = Keys()
    keys.visit(ast.parse(inspect.getsource(module)))
    found = catalogue("en", name)
    for kind, wanted in keys.found:
        there = found.get(kind, {})
        assert any(re.fullmatch(wanted, key) for key in there), (kind, wanted)
    for kind in ("text", "figure", "table", "play", "claim"):
        wanted = [text for other, text in keys.found if other == kind]
        for key in found.get(kind, {}):
            assert any(re.fullmatch(text, key) for text in wanted), (kind, key)


@pytest.mark.parametrize("name", NAMES)
def test_entries_are_whole(name):
    parts = {
        "figure": {"caption", "alt"},
        "claim": {"claim", "says", "measured"},
        "table": {"caption", "columns"},
    }
    for language in LANGUAGES:
        found = catalogue(language, name)
        assert found["title"]
        assert found["about"]
        for kind, wanted in parts.items():
            for key, entry in found.get(kind, {}).items():
                assert set(entry) == wanted, (kind, key)


def test_chapters_are_numbered_in_their_order():
    numbers = [load(name).number for name in NAMES]
    assert numbers == sorted(set(numbers))
    assert [load(name).name for name in NAMES] == list(NAMES)


def test_lines_broken_in_a_chinese_catalogue_leave_no_spaces():
    shown = Texts("convolution")("text", "picture")["zh-Hans"]
    assert "\n" not in shown
    assert Texts("convolution")("text", "stride")["zh-Hans"].startswith("## 步幅\n\n")
    assert "\n" in Texts("convolution")("text", "picture")["en"]
