"""The book's page: contents and catalogues brought together, pictures put inside."""

from __future__ import annotations

from pathlib import Path

from kerascnn.lecture.book.catalogue import LANGUAGES, Texts, Words, catalogue
from kerascnn.lecture.book.claim_row import plain_text
from kerascnn.lecture.book.content import Block, Json
from kerascnn.lecture.book.model import Book, Made
from kerascnn.pages import embedded, render_page


def page(book: Book) -> str:
    """Return the book as one page of HTML.

    Args:
        book: what is in it. The page links to the raw values in ``chapters/``, beside it.
    """
    texts = Texts("book")
    return render_page(
        "book.html",
        scripts=("stepper.js",),
        styles=("book.css",),
        title=texts("title"),
        languages=texts("language"),
        words={key: texts("word", key) for key in catalogue("en", "book")["word"]},
        cover=texts("cover"),
        held=texts("held", **book.held()),
        chapters=[_chapter(made) for made in book.chapters],
        colophon=texts("colophon", **_colophon(book)),
        made=[
            [
                Texts(made.chapter.name)("title"),
                round(made.seconds, 1),
                made.created.replace("T", " ")[:16],
            ]
            for made in book.chapters
        ],
    )


def _chapter(made: Made) -> dict[str, object]:
    texts = Texts(made.chapter.name)
    return {
        "name": made.chapter.name,
        "number": made.chapter.number,
        "title": texts("title"),
        "about": texts("about"),
        "blocks": [_block(block, texts, made.folder) for block in made.content.blocks],
        "claims": made.rows(),
    }


def _block(block: Block, texts: Texts, folder: Path) -> dict[str, Json]:
    if block.kind == "figure":
        return _figure(block, texts, folder)
    return {"text": _text, "table": _table, "play": _play}[block.kind](block, texts)


def _text(block: Block, texts: Texts) -> dict[str, Json]:
    return {"kind": "text", "text": texts("text", block.key, **block.values)}


def _figure(block: Block, texts: Texts, folder: Path) -> dict[str, Json]:
    data = block.data
    return {
        "kind": "figure",
        "id": f"{texts.name}-{block.key}",
        "uri": embedded((folder / data["png"]).read_bytes()),
        "width": data["width"],
        "height": data["height"],
        "alt": texts("figure", block.key, "alt", **block.values),
        "caption": texts("figure", block.key, "caption", **block.values),
        "command": data["command"],
        "npz": f"chapters/{texts.name}/{data['npz']}",
    }


def _table(block: Block, texts: Texts) -> dict[str, Json]:
    caption = texts("table", block.key, "caption", **block.values)
    return {
        "kind": "table",
        "caption": caption,
        "plain": {language: plain_text(text) for language, text in caption.items()},
        "columns": texts.many("table", block.key, "columns"),
        "rows": [[texts.cell(value) for value in row] for row in block.data["rows"]],
    }


def _play(block: Block, texts: Texts) -> dict[str, Json]:
    def each(key: str) -> Words:
        # The page's script fills in the {name}, when someone clicks.
        return {language: texts.raw(language, "play", block.key, key) for language in LANGUAGES}

    return {
        "kind": "play",
        "key": block.key,
        "id": f"{texts.name}-{block.key}",
        "texts": {key: each(key) for key in catalogue("en", texts.name)["play"][block.key]},
        "data": block.data,
    }


def _colophon(book: Book) -> dict[str, object]:
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
