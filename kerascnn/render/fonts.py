"""Texts out of files, written so that they can be read and keep within their width."""

from __future__ import annotations

import functools
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.ft2font import FT2Font

# Where names are not Latin; the first that are installed are taken.
_OTHERS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "SimHei",
    "Hiragino Sans",
    "Malgun Gothic",
    "Arial Unicode MS",
)


@functools.lru_cache(maxsize=1)
def _fonts() -> tuple[tuple[str, FT2Font], ...]:
    from matplotlib import font_manager

    installed = {entry.name for entry in font_manager.fontManager.ttflist}
    names = ["DejaVu Sans", *(name for name in _OTHERS if name in installed)]
    return tuple(
        (name, font_manager.get_font(font_manager.findfont(name, fallback_to_default=True)))
        for name in names
    )


def families() -> list[str]:
    """Return the font families to write in; the later ones have the characters the first lacks."""
    return [name for name, _ in _fonts()]


def writable(text: str) -> str:
    """Return a text with every character that no installed font has replaced by □."""
    return "".join(c if _has(c) else "□" for c in text)


@functools.lru_cache(maxsize=4096)
def _has(character: str) -> bool:
    return any(font.get_char_index(ord(character)) for _, font in _fonts())


def shortened(text: str, width: float, size: float) -> str:
    """Cut a text in its middle so that it is at most so many inches wide.

    The end of a name matters as much as its beginning: a file's number is there.

    Args:
        text: one line.
        width: inches.
        size: of the letters, in points.
    """
    space = width * 72 / size
    if sum(map(_width, text)) <= space:
        return text
    head, tail, used = "", "", _width("…")
    left, right = 0, len(text) - 1
    while left <= right:
        from_head = len(head) <= 2 * len(tail)
        character = text[left] if from_head else text[right]
        used += _width(character)
        if used > space:
            break
        if from_head:
            head, left = head + character, left + 1
        else:
            tail, right = character + tail, right - 1
    return head + "…" + tail


def wrapped(text: str, width: float, size: float, most: int = 3) -> list[str]:
    """Break one line between words into lines of so many inches.

    Args:
        text: one line.
        width: inches.
        size: of the letters, in points.
        most: how many lines at most; the last one holds the rest, however long.
    """
    space = width * 72 / size
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and (len(lines) == most or sum(map(_width, longer)) <= space):
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _width(character: str) -> float:
    """Return about how wide a character is, in units of the letters' size; rather too wide."""
    if unicodedata.east_asian_width(character) in "WF":
        return 1.02
    if character in "iljtfrI.,:;'|!()[] ":
        return 0.42
    if character in "mwMWGOQ@%—…□":
        return 1.02
    return 0.72 if character.isupper() else 0.64
