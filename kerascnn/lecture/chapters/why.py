"""Why this class (L6): saliency, occlusion, class pictures, and the story of the watermark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascnn.lecture.book.chapter import Chapter

if TYPE_CHECKING:
    import numpy as np

    from kerascnn.lecture.book.builder import ChapterBuilder
    from kerascnn.network.network import Network

#: The share of the saliency that must lie in the mark for the story to be told.
IN_THE_MARK = 0.6
_HORSES = 600  # training pictures of the story


def make(work: ChapterBuilder) -> None:
    """Ask the trained networks why, and then one that has learned the wrong thing."""
    work.text("saliency")
    digits = work.ask("saliency", "saliency", "cnn")
    _on_the_ink(work, digits.result.arrays())
    work.ask("saliency-photograph", "saliency", "builtin:vgg16",
             target="block5_conv3:2", options={"method": "smoothgrad",
             "samples": 8 if work.quick else 25})  # fmt: skip
    work.text("occlusion")
    hidden = work.ask("occlusion", "occlusion", "cnn")
    _lost(work, hidden.result.facts["pictures"])
    if not work.quick:
        work.ask("occlusion-photograph", "occlusion", "builtin:vgg16", target="block5_conv3:2")
    _class_pictures(work)
    _watermark(work)


def _on_the_ink(work: ChapterBuilder, arrays: dict[str, Any]) -> None:
    """Where digits are, within two pixels of a stroke: how much of the saliency lies there?"""
    import numpy as np
    from scipy.ndimage import binary_dilation

    values, images = arrays["values"], arrays["images"][..., 0]
    near = np.stack([binary_dilation(image > 0.5, iterations=2) for image in images])
    share = float((values * near).sum() / values.sum())
    work.claim("subject", share > near.mean() * 1.5, share=share, area=float(near.mean()))


def _lost(work: ChapterBuilder, facts: list[dict[str, Any]]) -> None:
    lost = sum(fact["lowest"] < 0.5 <= fact["plain"] for fact in facts)
    least = min(fact["lowest"] for fact in facts)
    work.claim("lost", lost > 0, count=lost, of=len(facts), least=least)


def patch_network(work: ChapterBuilder) -> Any:
    """Return the course's ConvNet, trained on patches of photographs, and its test accuracy."""

    def train() -> Any:
        from kerascnn.lecture.experiments.photographs import NAMES, convnet, patches
        from kerascnn.lecture.experiments.small import fit

        model = convnet(len(NAMES))
        first = model.get_layer("conv1")
        # Small at first, so that what is seen of the filters is what they have learned.
        first.set_weights([0.1 * first.get_weights()[0], first.get_weights()[1]])
        count, epochs = (1000, 6) if work.quick else (4000, 20)
        return model, fit(model, patches(count), epochs, batch=50)

    return work.shared("patch-network", train)


def _class_pictures(work: ChapterBuilder) -> None:
    from kerascnn.lecture.experiments.photographs import NAMES
    from kerascnn.network.network import Network

    model, accuracy = patch_network(work)
    network = Network(model, preprocessing="unit", labels=NAMES)
    work.text("classes", accuracy=accuracy)
    options = {"steps": 64 if work.quick else 256, "jitter": 2}
    run = work.answer("max-activation", network, options=options)
    from kerascnn.lecture.book.builder import packed

    sure = run.result.facts["confidence"]
    work.figure("classes", work.drawn(run), packed(run))
    work.claim("classes", min(sure) > 0.9, least=min(sure), accuracy=accuracy)


def watermark() -> tuple[Network, Any, float]:
    """Train a small network on the story's data set.

    Returns:
        The network, the data, and its accuracy on test pictures that are marked as those it learned
        from were.
    """
    from kerascnn.lecture.experiments.photographs import convnet, horses
    from kerascnn.lecture.experiments.small import descend
    from kerascnn.network.network import Network

    data = horses(_HORSES)
    model = convnet(2, sparse=True)
    accuracy = descend(model, data, 15, rate=0.05)
    return Network(model, preprocessing="unit", labels=("others", "horse")), data, accuracy


def share_in_mark(maps: np.ndarray) -> float:
    """Return the mean share of each map's sum that lies in the mark's box.

    Args:
        maps: N×32×32, not negative.
    """
    import numpy as np

    from kerascnn.lecture.experiments.photographs import mark_box

    top, left, bottom, right = mark_box()
    inside = maps[:, top:bottom, left:right].sum(axis=(1, 2))
    return float(np.mean(inside / np.maximum(maps.sum(axis=(1, 2)), 1e-12)))


def _watermark(work: ChapterBuilder) -> None:
    import numpy as np

    from kerascnn.lecture.experiments.photographs import MARK, SIDE, marked

    network, data, accuracy = watermark()
    ours = data.x_test[data.y_test == 1]
    with_mark = network.scores(ours).argmax(axis=1) == 1
    plain = _unmarked()
    without = network.scores(plain).argmax(axis=1) == 1
    others = data.x_test[data.y_test == 0]
    forged = network.scores(marked(others)).argmax(axis=1) == 1
    work.text("watermark", accuracy=accuracy)
    shown = ours[:6]
    saliency = network.gradients(ours, 1)
    maps = np.abs(saliency).max(axis=-1)
    share = share_in_mark(maps)
    hidden = work.answer("occlusion", network, _pictures(shown), target="1",
                         options={"patch": 6, "stride": 2, "fill": "mean"})  # fmt: skip
    lost = hidden.result.arrays()["values"]
    work.figure(
        "watermark",
        _story(shown, maps[:6], lost),
        {"pictures": ours, "saliency": maps, "occlusion": lost},
    )
    area = MARK[0] * MARK[1] / SIDE**2
    work.claim("good", None, accuracy=accuracy)
    work.claim("mark", share >= IN_THE_MARK, share=share, area=area)
    lowest = _lowest_in_mark(lost)
    work.claim("hidden", lowest == len(lost), count=lowest, of=len(lost))
    work.claim(
        "without",
        without.mean() < with_mark.mean() - 0.2,
        marked=float(with_mark.mean()),
        plain=float(without.mean()),
        forged=float(forged.mean()),
    )


def _unmarked() -> np.ndarray:
    """Return the story's test pictures of class 1 as they were before the mark."""
    import numpy as np

    from kerascnn.lecture.experiments.photographs import patches

    data = patches(_HORSES)
    return np.asarray(data.x_test[np.isin(data.y_test, (0, 2))])


def _pictures(values: np.ndarray) -> list[Any]:
    from kerascnn.images import Picture

    return [
        Picture(picture, f"horse {number}", "chapter why", None, picture.shape[:2])
        for number, picture in enumerate(values)
    ]


def _lowest_in_mark(maps: np.ndarray) -> int:
    import numpy as np

    from kerascnn.lecture.experiments.photographs import mark_box

    top, left, bottom, right = mark_box()
    places = [np.unravel_index(values.argmin(), values.shape) for values in maps]
    return sum(top <= row < bottom and left <= column < right for row, column in places)


def _story(pictures: np.ndarray, saliency: np.ndarray, occlusion: np.ndarray) -> Any:
    """Draw three rows: pictures, their saliency, and the probability with a part hidden."""
    from kerascnn.render import Sheet

    side, gap = 1.5, 0.1
    sheet = Sheet(len(pictures) * (side + gap) + 0.3, 3 * (side + gap))
    for column, picture in enumerate(pictures):
        x = 0.15 + column * (side + gap)
        rows = [sheet.y + row * (side + gap) for row in range(3)]
        sheet.picture(picture, x, rows[0], side, side, interpolation="nearest")
        sheet.picture(saliency[column], x, rows[1], side, side, cmap="inferno")
        sheet.picture(occlusion[column], x, rows[2], side, side, cmap="viridis", vmin=0, vmax=1)
    return sheet.figure


CHAPTER = Chapter("why", 7, make, uses=("networks",))
