"""The lecture reproduced as a book: its networks trained, its claims measured and shown.

`make_book` makes the book, `reproduce` trains the networks of its MNIST experiment alone.

Below each other, each importing from those under it alone: ``make``, ``chapters``, ``book``,
``drawing``, ``experiments``, ``networks`` beside ``datasets`` and ``go``.
"""

from typing import TYPE_CHECKING

from kerascnn.lazy import attach

if TYPE_CHECKING:
    from kerascnn.lecture.make import make_book, reproduce

__all__ = ["make_book", "reproduce"]

__getattr__, __dir__ = attach(
    __name__, dict.fromkeys(("make_book", "reproduce"), "kerascnn.lecture.make")
)
