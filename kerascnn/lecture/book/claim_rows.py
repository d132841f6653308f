"""A chapter's claims and values in words: findings and catalogues brought together."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from kerascnn.lecture.book.catalogue import LANGUAGES, Texts
from kerascnn.lecture.book.content import Content
from kerascnn.pages import prose

_MARKS = {True: "yes", False: "no", None: "dash"}


def claims_of(chapter: str, content: Content, language: str) -> list[dict[str, Any]]:
    """Return a chapter's claims in one language: claim, says, measured, holds.

    Args:
        chapter: its name.
        content: what it has come to.
        language: of `kerascnn.lecture.book.catalogue.LANGUAGES`.
    """
    return [
        {
            "claim": plain_text(row["claim"][language]),
            "says": plain_text(row["says"][language]),
            "measured": plain_text(row["measured"][language]),
            "holds": row["holds"],
        }
        for row in claim_rows(chapter, content)
    ]


def plain_text(markdown: str) -> str:
    """Return inline Markdown without its marks."""
    return html.unescape(re.sub(r"<[^>]+>", "", str(prose(markdown, inline=True))))


def claim_rows(chapter: str, content: Content) -> list[dict[str, Any]]:
    """Return a chapter's claims in all languages."""
    texts = Texts(chapter)
    found = []
    for row in content.findings:
        values = worded(row.values, texts)
        found.append(
            {
                **{
                    part: filled(texts, ("claim", row.key, part), values)
                    for part in ("claim", "says", "measured")
                },
                "holds": row.holds,
                "mark": _MARKS[row.holds],
            }
        )
    return found


def worded(values: Mapping[str, Any], texts: Texts) -> dict[str, Any]:
    """Return values with each ``{"word": KEY}`` in place of it in every language."""
    return {name: cell(value, texts) for name, value in values.items()}


def cell(value: Any, texts: Texts) -> Any:
    """Return a value, or the words of ``{"word": KEY}`` in every language."""
    if isinstance(value, Mapping) and "word" in value:
        rest = {name: item for name, item in value.items() if name != "word"}
        return texts("word", value["word"], **rest)
    return value


def filled(texts: Texts, path: tuple[str, ...], values: Mapping[str, Any]) -> dict[str, str]:
    """Return a text of the catalogues in every language, with values for its ``{name}``."""
    made = {}
    for language in LANGUAGES:
        own = {n: v[language] if isinstance(v, Mapping) else v for n, v in values.items()}
        made[language] = texts(*path, **own)[language]
    return made
