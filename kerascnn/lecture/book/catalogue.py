"""The book's words, a catalogue for each language: ``texts/<language>/<chapter>.toml``.

A language is a folder, named as a page names it in ``lang``; ``language`` in its ``book.toml`` is
what it calls itself. Nothing else knows which languages there are.
"""

from __future__ import annotations

import functools
import re
import string
import sys
from collections.abc import Mapping
from importlib import resources
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from kerascnn.lecture.experiments.spread import Spread

#: A text in each language.
Words = dict[str, str]

_TEXTS = resources.files("kerascnn.lecture") / "texts"
#: The languages as a page names them in ``lang``, English first.
LANGUAGES: tuple[str, ...] = tuple(
    sorted((folder.name for folder in _TEXTS.iterdir()), key=lambda name: (name != "en", name))
)

_WIDE = "[\u3000-\u9fff\uff00-\uffef“”]"
_BROKEN = re.compile(f"(?<={_WIDE})\n(?={_WIDE})")


@functools.cache
def catalogue(language: str, name: str) -> Mapping[str, Any]:
    """Read a catalogue.

    Args:
        language: of `LANGUAGES`.
        name: a chapter's, or ``book`` for the page's own words.
    """
    file = _TEXTS / language / f"{name}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


class Texts:
    """The words of one chapter in all languages.

    Args:
        name: the chapter's, or ``book``.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *path: str, **values: object) -> Words:
        """Return a text in each language, its ``{name}`` filled in.

        Args:
            *path: where it stands in the catalogue, as ``"claim", "sizes", "says"``.
            **values: what goes into it: numbers, lists of them, texts that are the same in all
                languages, ``{"word": KEY}`` for a word of the catalogue, and
                ``{"spread": VALUES}`` for a `Spread`.

        Raises:
            KeyError: a catalogue has no such text, or a value is missing.
        """
        return {language: self.one(language, *path, **values) for language in LANGUAGES}

    def one(self, language: str, *path: str, **values: object) -> str:
        """Return a text in one language; as `__call__`."""
        own = {name: self._worded(language, value) for name, value in values.items()}
        return _Formatter().vformat(self.raw(language, *path), (), own)

    def many(self, *path: str) -> list[Words]:
        """Return the texts of a list, each in all languages."""
        lists = {language: self._find(language, path) for language in LANGUAGES}
        return [
            {language: str(texts[number]) for language, texts in lists.items()}
            for number in range(len(lists["en"]))
        ]

    def cell(self, value: object) -> object:
        """Return a cell of a table: a number, or a text in each language."""
        if isinstance(value, Mapping):
            return {language: str(self._worded(language, value)) for language in LANGUAGES}
        return value

    def raw(self, language: str, *path: str) -> str:
        """Return a text as it stands in the catalogue of one language."""
        # Chinese has no spaces: a line broken in the catalogue goes on as if it were not.
        return _BROKEN.sub("", str(self._find(language, path)).strip())

    def _worded(self, language: str, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        if "spread" in value:
            return Spread(tuple(value["spread"]))
        return self.one(language, "word", str(value["word"]))

    def _find(self, language: str, path: tuple[str, ...]) -> Any:
        found: Any = catalogue(language, self.name)
        for step in path:
            if step not in found:
                where = ".".join(path)
                raise KeyError(f"texts/{language}/{self.name}.toml has no {where}")
            found = found[step]
        return found


class _Formatter(string.Formatter):
    """As `str.format`, with lists joined by commas and a proper minus sign before numbers."""

    def format_field(self, value: object, format_spec: str) -> str:
        if isinstance(value, (list, tuple)):
            return ", ".join(self.format_field(item, format_spec) for item in value) or "–"
        text = str(super().format_field(value, format_spec))
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return text.replace("-", "−") if number else text
