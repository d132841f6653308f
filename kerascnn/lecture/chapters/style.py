"""Deep Style (L7; Gatys et al. 2016): the content of one picture in the manner of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kerascnn.lecture.book.builder import Chapter, ChapterBuilder
from kerascnn.lecture.experiments.task import Array
from kerascnn.style import deep_style
from kerascnn.style.pictures import read_original, resized

if TYPE_CHECKING:
    from kerascnn.network.network import Network

_SQUARE = (224, 224)  # what the network takes
_STYLES = ("swirls", "waves")
_CONTENT_LAYER = "block4_conv2"
_STYLE_LAYERS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1")


def make(chapter: ChapterBuilder) -> None:
    """Paint the packaged photograph in two packaged styles; compare it with content and style."""
    size, steps = (128, 30) if chapter.quick else (320, 120)
    chapter.text("idea")
    network = chapter.network("builtin:vgg16")
    for name in _STYLES[: 1 if chapter.quick else 2]:
        source = f"sample:style-{name}"
        painted = deep_style("sample:cat", source, size=size, iterations=steps)
        made = painted.image
        content = resized(read_original("sample:cat").unit, made.shape[:2])
        style = resized(read_original(source).unit, made.shape[:2])
        losses = [step.loss for step in painted.history]
        command = f"kerascnn style sample:cat {source} --size {size} --iterations {steps}"
        arrays = {"content": content, "style": style, "painting": made, "loss": losses}
        chapter.figure(name, _beside(content, style, made), arrays, command=command)
        _likeness(chapter, name, network, (content, style, made))


def _beside(*pictures: Array) -> Array:
    gap = np.ones((pictures[0].shape[0], 8, 3))
    cells = [part for picture in pictures for part in (picture, gap)][:-1]
    return np.asarray(np.clip(np.concatenate(cells, axis=1), 0, 1))


def _likeness(
    chapter: ChapterBuilder, name: str, network: Network, pictures: tuple[Array, ...]
) -> None:
    """Measure how far the painting is from the content's maps and the style's Gram matrices."""
    squares = [np.clip(resized(picture, _SQUARE), 0, 1) for picture in pictures]
    encoded = np.stack([network.input.encode(square) for square in squares])
    content, style, painting = network.activations(encoded, _CONTENT_LAYER)
    kept, unlike = (_distance(painting, content), _distance(style, content))
    chapter.claim(f"content-{name}", kept < unlike, painting=kept, style=unlike)
    before, after = [], []
    for layer in _STYLE_LAYERS:
        first, wanted, last = (_gram(maps) for maps in network.activations(encoded, layer))
        before.append(_distance(first, wanted))
        after.append(_distance(last, wanted))
    held = bool(np.mean(after) < np.mean(before) / 2)
    chapter.claim(f"style-{name}", held, before=float(np.mean(before)), after=float(np.mean(after)))


def _gram(maps: Array) -> Array:
    """Return the correlations between the filters of h×w×K maps: K×K."""
    rows = maps.reshape(-1, maps.shape[-1])
    return np.asarray(rows.T @ rows / len(rows))


def _distance(a: Array, b: Array) -> float:
    """Return the distance of two arrays, relative to the second."""
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


CHAPTER = Chapter("style", 10, make)
