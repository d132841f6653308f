"""The book's words, a catalogue for each language: ``texts/<language>/<chapter>.toml``."""

from __future__ import annotations

import functools
import re
import string
import sys
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: The languages as a page names them in ``lang``; folder, and what each calls itself.
LANGUAGES: dict[str, tuple[str, str]] = {"en": ("en", "English"), "zh-Hans": ("zh", "简体中文")}

_WIDE = "[\u3000-\u9fff\uff00-\uffef“”]"
_BROKEN = re.compile(f"(?<={_WIDE})\n(?={_WIDE})")


@functools.cache
def catalogue(language: str, name: str) -> Mapping[str, Any]:
    """Read a catalogue.

    Args:
        language: of `LANGUAGES`.
        name: a chapter's, or ``book`` for the page's own words.
    """
    folder, _ = LANGUAGES[language]
    file = resources.files("kerascnn.lecture") / "texts" / folder / f"{name}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


class Texts:
    """The words of one chapter in all languages.

    Args:
        name: the chapter's, or ``book``.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *path: str, **values: Any) -> dict[str, str]:
        """Return a text in each language, its ``{name}`` filled in.

        Args:
            *path: where it stands in the catalogue, as ``"claim", "sizes", "says"``.
            **values: what goes into it.

        Raises:
            KeyError: a catalogue has no such text, or a value is missing.
        """
        return {language: self._one(language, path, values) for language in LANGUAGES}

    def many(self, *path: str) -> dict[str, list[str]]:
        """Return a list of texts in each language."""
        return {language: list(self._find(language, path)) for language in LANGUAGES}

    def raw(self, language: str, path: tuple[str, ...]) -> str:
        """Return a text as it stands in the catalogue of one language."""
        text = str(self._find(language, path)).strip()
        # Chinese has no spaces: a line broken in the catalogue goes on as if it were not.
        return _BROKEN.sub("", text) if language.startswith("zh") else text

    def _one(self, language: str, path: tuple[str, ...], values: Mapping[str, Any]) -> str:
        return _Formatter().vformat(self.raw(language, path), (), values)

    def _find(self, language: str, path: tuple[str, ...]) -> Any:
        found: Any = catalogue(language, self.name)
        for step in path:
            if step not in found:
                where = ".".join(path)
                raise KeyError(f"texts/{LANGUAGES[language][0]}/{self.name}.toml has no {where}")
            found = found[step]
        return found


class _Formatter(string.Formatter):
    """As `str.format`, with a proper minus sign before negative numbers."""

    def format_field(self, value: Any, format_spec: str) -> str:
        text = super().format_field(value, format_spec)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return text.replace("-", "−") if number else text


def leaves(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield every text of a catalogue with its place, as ``claim.sizes.says``."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*path, key))
        elif isinstance(value, list):
            for number, item in enumerate(value):
                yield ".".join((*path, key, str(number))), str(item)
        else:
            yield ".".join((*path, key)), str(value)


def placeholders(text: str) -> set[str]:
    """Return the names of a text's ``{name}``."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
