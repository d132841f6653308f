"""Deep Dream (L7): the network exaggerates what it sees."""

from __future__ import annotations

import numpy as np

from kerascnn.lecture.book.builder import Chapter, ChapterBuilder


def make(chapter: ChapterBuilder) -> None:
    """Dream on a photograph, early and late in VGG16; measure what happens to the signs."""
    chapter.text("idea")
    few = {"size": 160, "octaves": 2, "steps": 4} if chapter.quick else {"size": 400, "steps": 8}
    for key, layer in (("early", "block3_conv3"), ("late", "block5_conv1")):
        options = {"layer": (layer,), **few}
        show = {"captions": ("", "")}
        run = chapter.ask(key, "deep-dream", "builtin:vgg16", options=options, show=show)
        before, *_, after = run.result.facts["objective"][-1]
        chapter.claim(f"stronger-{key}", after > before, before=before, after=after)
    _signs(chapter)


def _signs(chapter: ChapterBuilder) -> None:
    """The lecture's network has no activation on its maps, so that they keep their signs."""
    network = chapter.network("cnn")
    layer = network.last_convolution().name
    options = {"layer": (layer,), "octaves": 1, "steps": 10, "jitter": 0, "rate": 12.0}
    run = chapter.answer("deep-dream", network, options=options)
    before, after = run.result.arrays()["values"]
    maps = network.activations(np.stack([before, after]), layer)
    positive, negative = maps[0] > 0, maps[0] < 0
    means = [float(maps[i][sign].mean()) for sign in (positive, negative) for i in (0, 1)]
    chapter.text("signs", layer=layer)
    chapter.figure(
        "signs",
        np.concatenate([np.clip(before, 0, 1), np.ones((28, 2, 1)), np.clip(after, 0, 1)], axis=1),
        {"before": before, "after": after, "maps": maps},
        pixels=10,
    )
    chapter.claim("positive", means[1] > means[0], before=means[0], after=means[1])
    chapter.claim("negative", means[3] < means[2], before=means[2], after=means[3])


CHAPTER = Chapter("dream", 9, make, uses=("networks",))
