"""`Chapter`: one chapter of the book, its place and what makes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kerascnn.lecture.book.builder import ChapterBuilder


@dataclass(frozen=True)
class Chapter:
    """One chapter: its place in the book, and what makes it.

    Attributes:
        name: of its module, its catalogues, its folder, and its anchor on the page.
        number: in the book, from 1.
        make: computes everything, and hands it to the `ChapterBuilder`.
        uses: what its numbers depend on: ``"networks"``, ``"seeds"``, names of options.
    """

    name: str
    number: int
    make: Callable[[ChapterBuilder], None]
    uses: tuple[str, ...] = ()
