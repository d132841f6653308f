"""The book's page: contents and catalogues brought together, pictures put inside."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from kerascnn.lecture.book import Book, Made
from kerascnn.lecture.catalogue import LANGUAGES, Texts, catalogue
from kerascnn.lecture.content import Block
from kerascnn.pages import embedded, prose, render_page

_MARKS = {True: "yes", False: "no", None: "dash"}


def page(book: Book) -> str:
    """Return the book as one page of HTML.

    Args:
        book: what is in it. The page links to the raw values in ``chapters/``, beside it.
    """
    texts = Texts("book")
    held, of = book.held()
    return render_page(
        "book.html",
        scripts=("stepper.js",),
        styles=("book.css",),
        title=texts("title"),
        languages={code: name for code, (_, name) in LANGUAGES.items()},
        words={key: texts("word", key) for key in catalogue("en", "book")["word"]},
        cover=texts("cover"),
        held=texts("held", held=held, of=of, failed=of - held),
        chapters=[_chapter(made) for made in book.chapters],
        colophon=texts("colophon", **_colophon(book)),
        made=[
            [_title(made), round(made.seconds, 1), made.created.replace("T", " ")[:16]]
            for made in book.chapters
        ],
    )


def claims_of(made: Made, language: str) -> list[dict[str, Any]]:
    """Return a chapter's claims in one language: claim, says, measured, holds.

    Args:
        made: the chapter.
        language: of `kerascnn.lecture.catalogue.LANGUAGES`.
    """
    return [
        {
            "claim": plain_text(row["claim"][language]),
            "says": plain_text(row["says"][language]),
            "measured": plain_text(row["measured"][language]),
            "holds": row["holds"],
        }
        for row in _claims(made)
    ]


def plain_text(markdown: str) -> str:
    """Return inline Markdown without its marks."""
    return html.unescape(re.sub(r"<[^>]+>", "", str(prose(markdown, inline=True))))


def _title(made: Made) -> dict[str, str]:
    return Texts(made.chapter.name)("title")


def _chapter(made: Made) -> dict[str, Any]:
    texts = Texts(made.chapter.name)
    return {
        "name": made.chapter.name,
        "number": made.chapter.number,
        "title": texts("title"),
        "about": texts("about"),
        "blocks": [_block(block, texts, made) for block in made.content.blocks],
        "claims": _claims(made),
    }


def _claims(made: Made) -> list[dict[str, Any]]:
    texts = Texts(made.chapter.name)
    found = []
    for row in made.content.findings:
        values = _worded(row.values, texts)
        found.append(
            {
                **{
                    part: _filled(texts, ("claim", row.key, part), values)
                    for part in ("claim", "says", "measured")
                },
                "holds": row.holds,
                "mark": _MARKS[row.holds],
            }
        )
    return found


def _worded(values: Mapping[str, Any], texts: Texts) -> dict[str, Any]:
    """Return values with each ``{"word": KEY}`` in place of it in every language."""
    return {name: _cell(value, texts) for name, value in values.items()}


def _cell(value: Any, texts: Texts) -> Any:
    if isinstance(value, Mapping) and "word" in value:
        rest = {name: item for name, item in value.items() if name != "word"}
        return texts("word", value["word"], **rest)
    return value


def _filled(texts: Texts, path: tuple[str, ...], values: Mapping[str, Any]) -> dict[str, str]:
    made = {}
    for language in LANGUAGES:
        own = {n: v[language] if isinstance(v, Mapping) else v for n, v in values.items()}
        made[language] = texts(*path, **own)[language]
    return made


def _block(block: Block, texts: Texts, made: Made) -> dict[str, Any]:
    if block.kind == "text":
        return _text(block, texts)
    if block.kind == "table":
        return _table(block, texts)
    return _figure(block, texts, made) if block.kind == "figure" else _play(block, texts, made)


def _text(block: Block, texts: Texts) -> dict[str, Any]:
    values = _worded(block.values, texts)
    return {"kind": "text", "text": _filled(texts, ("text", block.key), values)}


def _figure(block: Block, texts: Texts, made: Made) -> dict[str, Any]:
    values = _worded(block.values, texts)
    data = block.data
    return {
        "kind": "figure",
        "id": f"{made.chapter.name}-{block.key}",
        "uri": embedded((made.folder / data["png"]).read_bytes()),
        "width": data["width"],
        "height": data["height"],
        "alt": _filled(texts, ("figure", block.key, "alt"), values),
        "caption": _filled(texts, ("figure", block.key, "caption"), values),
        "command": data["command"],
        "npz": f"chapters/{made.chapter.name}/{data['npz']}",
    }


def _table(block: Block, texts: Texts) -> dict[str, Any]:
    caption = _filled(texts, ("table", block.key, "caption"), _worded(block.values, texts))
    columns = texts.many("table", block.key, "columns")
    return {
        "kind": "table",
        "caption": caption,
        "plain": {language: plain_text(text) for language, text in caption.items()},
        "columns": [
            {language: columns[language][number] for language in LANGUAGES}
            for number in range(len(columns["en"]))
        ],
        "rows": [[_cell(cell, texts) for cell in row] for row in block.data["rows"]],
    }


def _play(block: Block, texts: Texts, made: Made) -> dict[str, Any]:
    values = _worded(block.values, texts)
    keys = catalogue("en", made.chapter.name)["play"][block.key]
    return {
        "kind": "play",
        "key": block.key,
        "id": f"{made.chapter.name}-{block.key}",
        # The script fills in what is known only when the reader has clicked.
        "texts": {key: _loose(texts, ("play", block.key, key), values) for key in keys},
        "data": block.data,
    }


def _loose(texts: Texts, path: tuple[str, ...], values: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for language in LANGUAGES:
        text = texts.raw(language, path)
        for name, value in values.items():
            own = value[language] if isinstance(value, Mapping) else value
            text = text.replace(f"{{{name}}}", str(own))
        found[language] = text
    return found


def _colophon(book: Book) -> dict[str, Any]:
    settings = book.settings
    return {
        "seeds": ", ".join(str(seed) for seed in range(settings.seeds)),
        "epochs": settings.epochs,
        "examples": settings.examples,
        "versions": ", ".join(f"{name} {version}" for name, version in book.versions.items()),
        "processor": book.machine["processor"],
        "cores": book.machine["cores"],
        "memory": book.machine["memory_gib"],
        "system": book.machine["system"],
        "training": sum(book.training.values()),
        "seconds": sum(made.seconds for made in book.chapters),
        "command": settings.command(("networks", "seeds", *settings.options)),
    }
