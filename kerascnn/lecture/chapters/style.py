"""Deep Style (L7; Gatys et al. 2016): the content of one picture in the manner of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascnn.lecture.book.chapter import Chapter

if TYPE_CHECKING:
    import numpy as np

    from kerascnn.lecture.book.builder import ChapterBuilder
    from kerascnn.network.network import Network

_SQUARE = (224, 224)  # what the network takes
_STYLES = ("swirls", "waves")
_CONTENT_LAYER = "block4_conv2"
_STYLE_LAYERS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1")


def make(work: ChapterBuilder) -> None:
    """Paint the packaged photograph in two packaged styles, and measure both likenesses."""
    from kerascnn.style import deep_style
    from kerascnn.style.pictures import read_original, resized

    size, steps = (128, 30) if work.quick else (320, 120)
    work.text("idea")
    network = work.network("builtin:vgg16")
    content = None
    for name in _STYLES[: 1 if work.quick else 2]:
        source = f"sample:style-{name}"
        painted = deep_style("sample:cat", source, size=size, iterations=steps)
        made = painted.image
        content = resized(read_original("sample:cat").unit, made.shape[:2])
        style = resized(read_original(source).unit, made.shape[:2])
        losses = [step.loss for step in painted.history]
        command = f"kerascnn style sample:cat {source} --size {size} --iterations {steps}"
        arrays = {"content": content, "style": style, "painting": made, "loss": losses}
        work.figure(name, _beside(content, style, made), arrays, command=command)
        _likeness(work, name, network, (content, style, made))


def _beside(*pictures: np.ndarray) -> np.ndarray:
    import numpy as np

    gap = np.ones((pictures[0].shape[0], 8, 3))
    cells = [part for picture in pictures for part in (picture, gap)][:-1]
    return np.clip(np.concatenate(cells, axis=1), 0, 1)


def _likeness(work: ChapterBuilder, name: str, network: Network, pictures: Any) -> None:
    """Ask VGG16 how near the painting is to the content's maps, and to the style's correlations."""
    import numpy as np

    from kerascnn.style.pictures import resized

    squares = [np.clip(resized(picture, _SQUARE), 0, 1) for picture in pictures]
    encoded = np.stack([network.input.encode(square) for square in squares])
    content, style, painting = network.activations(encoded, _CONTENT_LAYER)
    kept, unlike = (_distance(painting, content), _distance(style, content))
    work.claim(f"content-{name}", kept < unlike, painting=kept, style=unlike)
    before, after = [], []
    for layer in _STYLE_LAYERS:
        first, wanted, last = (_gram(maps) for maps in network.activations(encoded, layer))
        before.append(_distance(first, wanted))
        after.append(_distance(last, wanted))
    held = bool(np.mean(after) < np.mean(before) / 2)
    work.claim(f"style-{name}", held, before=float(np.mean(before)), after=float(np.mean(after)))


def _gram(maps: np.ndarray) -> np.ndarray:
    """Return the correlations between the filters of h×w×K maps: K×K."""
    rows = maps.reshape(-1, maps.shape[-1])
    return rows.T @ rows / len(rows)


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the distance of two arrays, relative to the second."""
    import numpy as np

    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


CHAPTER = Chapter("style", 10, make)
