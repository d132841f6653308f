"""The book's chapters, a module each: what is computed, drawn and compared with the lecture.

A new chapter takes three files and a line:

1. ``chapters/<name>.py`` with a ``CHAPTER``::

       from kerascnn.lecture.book.builder import Chapter, ChapterBuilder

       def make(chapter: ChapterBuilder) -> None:
           chapter.text("intro")  # prose of the catalogues
           picture = …  # a Matplotlib figure, or H×W×C in [0, 1]
           chapter.figure("board", picture, {"board": values}, {"black": 12})
           chapter.claim("no-pooling", count == 0, said=0, count=count)

       CHAPTER = Chapter("go", 11, make, uses=("sgf",))

   TensorFlow, Keras, Matplotlib and SciPy are imported inside functions.
2. ``texts/<language>/<name>.toml`` in each language: ``title``, ``about``, ``text.KEY``,
   ``figure.KEY.caption`` and ``.alt``, ``claim.KEY.claim``, ``.says`` and ``.measured``,
   ``table.KEY.caption`` and ``.columns``, ``word.KEY``. Texts are Markdown; ``{count}`` is the
   value of that name and ``{said}`` the claim's, so that no number is written twice. A test sees
   that all languages have all keys.
3. The name in `NAMES`.

What a chapter's numbers depend on is named in ``uses``; it is made again when any of it changes:
``"networks"`` (the trained ones, `ChapterBuilder.network`), ``"seeds"``, or an option of
`kerascnn.lecture.book.settings.OPTIONS`. An option ``"sgf"`` declared there is the flag ``--sgf``
of ``kerascnn lecture``, and ``chapter.option("sgf")`` its path, or None where it was not given.
Networks of the chapter's own are trained by ``chapter.train``, which resumes after an interruption.
``chapter.quick`` says to make a small version.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from kerascnn.errors import UsageError, nearest, one_line
from kerascnn.lecture.book.builder import Chapter

#: All chapters in the order of the book.
NAMES: tuple[str, ...] = (
    "convolution",
    "sharing",
    "pooling",
    "shapes",
    "experiment",
    "learned",
    "why",
    "hierarchy",
    "dream",
    "style",
    "go",
    "speech",
    "text",
)


def load(name: str) -> Chapter:
    """Import a chapter.

    Args:
        name: one of `NAMES`.
    """
    chapter: Chapter = importlib.import_module(f"{__name__}.{name}").CHAPTER
    return chapter


def chosen(names: Sequence[str]) -> list[Chapter]:
    """Return the chapters of these names in the order of the book; all where none is named.

    Raises:
        UsageError: there is no such chapter.
    """
    for name in names:
        if name not in NAMES:
            raise UsageError(f"no chapter {one_line(name, 40)!r}{nearest(name, NAMES)}")
    return [load(name) for name in NAMES if not names or name in names]
