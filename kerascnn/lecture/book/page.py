"""The book's page: contents and catalogues brought together, pictures put inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerascnn.lecture.book.catalogue import LANGUAGES, Texts, catalogue
from kerascnn.lecture.book.claim_rows import claim_rows, filled, plain_text, worded
from kerascnn.lecture.book.content import Block
from kerascnn.lecture.book.model import Book, Made
from kerascnn.pages import embedded, render_page


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
        "claims": claim_rows(made.chapter.name, made.content),
    }


def _block(block: Block, texts: Texts, made: Made) -> dict[str, Any]:
    if block.kind == "text":
        return _text(block, texts)
    if block.kind == "table":
        return _table(block, texts)
    return _figure(block, texts, made) if block.kind == "figure" else _play(block, texts, made)


def _text(block: Block, texts: Texts) -> dict[str, Any]:
    values = worded(block.values, texts)
    return {"kind": "text", "text": filled(texts, ("text", block.key), values)}


def _figure(block: Block, texts: Texts, made: Made) -> dict[str, Any]:
    values = worded(block.values, texts)
    data = block.data
    return {
        "kind": "figure",
        "id": f"{made.chapter.name}-{block.key}",
        "uri": embedded((made.folder / data["png"]).read_bytes()),
        "width": data["width"],
        "height": data["height"],
        "alt": filled(texts, ("figure", block.key, "alt"), values),
        "caption": filled(texts, ("figure", block.key, "caption"), values),
        "command": data["command"],
        "npz": f"chapters/{made.chapter.name}/{data['npz']}",
    }


def _table(block: Block, texts: Texts) -> dict[str, Any]:
    caption = filled(texts, ("table", block.key, "caption"), worded(block.values, texts))
    columns = texts.many("table", block.key, "columns")
    return {
        "kind": "table",
        "caption": caption,
        "plain": {language: plain_text(text) for language, text in caption.items()},
        "columns": [
            {language: columns[language][number] for language in LANGUAGES}
            for number in range(len(columns["en"]))
        ],
        "rows": [[cell(cell, texts) for cell in row] for row in block.data["rows"]],
    }


def _play(block: Block, texts: Texts, made: Made) -> dict[str, Any]:
    values = worded(block.values, texts)
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
