"""Why this class (L6): saliency, occlusion, class pictures, and the story of the watermark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascnn.images import Picture
from kerascnn.lecture.book.builder import Chapter, ChapterBuilder, packed
from kerascnn.lecture.experiments.photographs import NAMES, SIDE, trained_convnet
from kerascnn.lecture.experiments.task import Array
from kerascnn.lecture.experiments.watermark import (
    MARK,
    horses,
    lowest_in_mark,
    marked,
    share_in_mark,
    trained,
    unmarked,
)
from kerascnn.network.network import Network
from kerascnn.render import Sheet, palette

if TYPE_CHECKING:
    from matplotlib.figure import Figure


#: The share of the saliency that must lie in the mark for the story to be true of the network.
IN_THE_MARK = 0.6


def make(chapter: ChapterBuilder) -> None:
    """Explain the trained networks' answers, and then those of one that learned the wrong thing."""
    chapter.text("saliency")
    digits = chapter.ask("saliency", "saliency", "cnn")
    _on_the_ink(chapter, digits.result.arrays())
    unit, options = (
        "block5_conv3:2",
        {"method": "smoothgrad", "samples": 8 if chapter.quick else 25},
    )
    chapter.ask("saliency-photograph", "saliency", "builtin:vgg16", target=unit, options=options)
    chapter.text("occlusion")
    hidden = chapter.ask("occlusion", "occlusion", "cnn")
    _lost(chapter, hidden.result.facts["pictures"])
    if not chapter.quick:
        chapter.ask("occlusion-photograph", "occlusion", "builtin:vgg16", target=unit)
    _class_pictures(chapter)
    _watermark(chapter)


def _on_the_ink(chapter: ChapterBuilder, arrays: Mapping[str, Array]) -> None:
    """Measure how much of the saliency lies where digits are, within two pixels of a stroke."""
    from scipy.ndimage import binary_dilation

    values, images = arrays["values"], arrays["images"][..., 0]
    near = np.stack([binary_dilation(image > 0.5, iterations=2) for image in images])
    share = float((values * near).sum() / values.sum())
    chapter.claim("subject", share > near.mean() * 1.5, share=share, area=float(near.mean()))


def _lost(chapter: ChapterBuilder, facts: list[Mapping[str, Any]]) -> None:
    lost = sum(fact["lowest"] < 0.5 <= fact["plain"] for fact in facts)
    least = min(fact["lowest"] for fact in facts)
    chapter.claim("lost", lost > 0, count=lost, of=len(facts), least=least)


def _class_pictures(chapter: ChapterBuilder) -> None:
    model, accuracy = trained_convnet(chapter.quick)
    network = Network(model, preprocessing="unit", labels=NAMES)
    chapter.text("classes", accuracy=accuracy)
    options = {"steps": 64 if chapter.quick else 256, "jitter": 2}
    run = chapter.answer("max-activation", network, options=options)
    sure = run.result.facts["confidence"]
    chapter.figure("classes", chapter.drawn(run), packed(run))
    chapter.claim("classes", min(sure) > 0.9, least=min(sure), accuracy=accuracy)


def _watermark(chapter: ChapterBuilder) -> None:
    data = horses()
    model, accuracy = trained(data)
    network = Network(model, preprocessing="unit", labels=("others", "horse"))

    def horse(pictures: Array) -> float:
        """Return the share of pictures that the network takes for horses."""
        return float((network.scores(pictures).argmax(axis=1) == 1).mean())

    ours, others = data.x_test[data.y_test == 1], data.x_test[data.y_test == 0]
    with_mark, without = horse(ours), horse(unmarked())
    chapter.text("watermark", accuracy=accuracy)
    shown = ours[:6]
    maps = np.abs(network.gradients(ours, 1)).max(axis=-1)
    pictures = [
        Picture(picture, f"horse {number}", "chapter why", None, picture.shape[:2])
        for number, picture in enumerate(shown)
    ]
    options = {"patch": 6, "stride": 2, "fill": "mean"}
    hidden = chapter.answer("occlusion", network, pictures, target="1", options=options)
    lost = hidden.result.arrays()["values"]
    chapter.figure(
        "watermark",
        _story(shown, maps[:6], lost),
        {"pictures": ours, "saliency": maps, "occlusion": lost},
    )
    chapter.claim("good", None, accuracy=accuracy)
    share, area = share_in_mark(maps), MARK[0] * MARK[1] / SIDE**2
    chapter.claim("mark", share >= IN_THE_MARK, share=share, area=area)
    lowest = lowest_in_mark(lost)
    chapter.claim("hidden", lowest == len(lost), count=lowest, of=len(lost))
    chapter.claim(
        "without",
        without < with_mark - 0.2,
        marked=with_mark,
        plain=without,
        forged=horse(marked(others)),
    )


def _story(pictures: Array, saliency: Array, occlusion: Array) -> Figure:
    """Draw three rows: pictures, their saliency, and the probability with a part hidden."""
    side, gap = 1.5, 0.1
    sheet = Sheet(len(pictures) * (side + gap) + 0.3, 3 * (side + gap))
    for column, picture in enumerate(pictures):
        x = 0.15 + column * (side + gap)
        rows = [sheet.y + row * (side + gap) for row in range(3)]
        sheet.picture(picture, x, rows[0], side, side, interpolation="nearest")
        sheet.picture(saliency[column], x, rows[1], side, side, cmap=palette.IMPORTANT)
        sheet.picture(occlusion[column], x, rows[2], side, side, cmap=palette.SCORE, vmin=0, vmax=1)
    return sheet.figure


CHAPTER = Chapter("why", 7, make, uses=("networks",))
