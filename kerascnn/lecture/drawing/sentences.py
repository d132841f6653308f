"""Sentences drawn word by word, each word on the colour of what it says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kerascnn.lecture.experiments.task import Array
from kerascnn.render import Sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH = 10.0  # inches
_MARK = 1.35
_LINE, _GAP = 0.29, 0.16
_SIZE = 10.0
_LETTER = _SIZE * 0.6 / 72  # inches: letters of one width


def draw(sentences: Sequence[tuple[Sequence[str], Array]], marks: Sequence[str]) -> Figure:
    """Draw sentences below each other.

    Args:
        sentences: their words, and a number for each: above 0 green, below 0 purple.
        marks: what stands to the left of each.
    """
    lines = [_broken(words) for words, _ in sentences]
    height = sum(len(rows) * _LINE + _GAP for rows in lines)
    sheet = Sheet(_WIDTH + 0.4, height + 0.1)
    y = sheet.y
    for (words, values), rows, mark in zip(sentences, lines, marks, strict=True):
        sheet.text(0.2, y + 0.05, mark, size=_SIZE)
        largest = max(float(np.abs(values).max()), 1e-12) if len(values) else 1.0
        for row in rows:
            x = 0.2 + _MARK
            for index in row:
                wide = _wide(words[index])
                shade = np.full((1, 1, 3), _shade(float(values[index]) / largest))
                sheet.picture(shade, x, y, wide, _LINE - 0.04, frame=False)
                sheet.text(x + wide / 2, y + 0.045, words[index], size=_SIZE, align="center")
                x += wide + 0.03
            y += _LINE
        y += _GAP
    return sheet.figure


def _wide(word: str) -> float:
    return len(word) * _LETTER + 0.1


def _broken(words: Sequence[str]) -> list[list[int]]:
    """Return the words' indices, line by line."""
    rows: list[list[int]] = [[]]
    x = 0.0
    for index, word in enumerate(words):
        if x + _wide(word) > _WIDTH - _MARK and rows[-1]:
            rows.append([])
            x = 0.0
        rows[-1].append(index)
        x += _wide(word) + 0.03
    return rows


def _shade(share: float) -> Array:
    """Return a colour for −1 to 1: purple, white, green; black letters can be read on each."""
    end = np.array([0.45, 0.78, 0.50]) if share > 0 else np.array([0.76, 0.60, 0.86])
    return np.asarray(1 - min(abs(share), 1.0) * (1 - end))
