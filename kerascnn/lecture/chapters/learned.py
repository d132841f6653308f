"""What does the machine learn (L6): filters, top images, and what units would like to see."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from kerascnn.lecture.book.chapter import Chapter

if TYPE_CHECKING:
    import numpy as np

    from kerascnn.lecture.book.builder import ChapterBuilder
    from kerascnn.run.run import Run

#: The lecture's word for how sure the network is of noise.
SAID_SURE = 0.99999
#: Digits that the lecture sees begin to appear under L1.
SAID_VISIBLE = (0, 1, 6)
_ONE_DIRECTION = 0.5


def make(work: ChapterBuilder) -> None:
    """Look at weights, at pictures that excite, and at pictures made to excite."""
    work.text("look")
    work.ask("filters", "filters", "cnn")
    work.ask("filters-vgg", "filters", "builtin:vgg16", options={"count": 64})
    _top_images(work)
    _second_layer(work)
    _outputs(work)
    _fooled(work)


def _top_images(work: ChapterBuilder) -> None:
    import numpy as np

    work.text("top")
    run = work.ask("top", "top-images", "cnn", options={"unit": ("0-7",), "count": 9})
    boxes = np.asarray(run.result.arrays()["boxes"])
    sides = boxes[..., 2:] - boxes[..., :2]
    field = f"{int(np.median(sides))}×{int(np.median(sides))}"
    work.claim("field", None, field=field, first="3×3")


def _second_layer(work: ChapterBuilder) -> None:
    import numpy as np

    steps = 60 if work.quick else 200
    options = {"layer": "last-conv", "preset": "none", "steps": steps}
    work.text("filters")
    run = work.ask("twelve", "max-activation", "cnn", options=options | {"unit": ("0-11",)})
    work.ask("fifty", "max-activation", "cnn", options=options | {"unit": ("all",)})
    from kerascnn.lecture.experiments.image_metrics import coherence

    pictures = grey(run)
    along = coherence(pictures)
    noise = coherence(np.random.default_rng(0).random((100, 28, 28)))
    work.claim(
        "strokes",
        int((along >= _ONE_DIRECTION).sum()) > len(along) / 2,
        count=int((along >= _ONE_DIRECTION).sum()),
        of=len(along),
        median=float(np.median(along)),
        noise=float(np.median(noise)),
    )
    neurons = _alive(work)
    options = {"layer": "dense", "preset": "none", "steps": steps, "unit": neurons}
    work.text("neurons")
    dense = work.ask("dense", "max-activation", "cnn", options=options)
    alike = _alike(grey(dense))
    field, seen = _seen(work)
    work.claim("larger", seen > field, field=field, seen=seen)
    best = float(alike[1].max())
    work.claim("partly", best >= 0.5, best=best, count=int((alike[1] >= 0.5).sum()))


def _alive(work: ChapterBuilder) -> tuple[str, ...]:
    """Return the nine neurons of the dense layer that digits excite most; many are never."""
    from kerascnn.datasets import load_mnist

    network = work.network("cnn")
    pictures = load_mnist().x_test[:500, ..., None].astype("float32") / 255
    means = network.activations(pictures, "dense").mean(axis=0)
    return tuple(str(int(neuron)) for neuron in sorted((-means).argsort()[:9]))


def _seen(work: ChapterBuilder) -> tuple[int, int]:
    """Return the side of what a filter sees, and of what a dense neuron does, in pixels."""
    import numpy as np

    from kerascnn.network.units import Unit

    network = work.network("cnn")
    field = network.last_convolution().field
    assert field is not None
    noise = np.random.default_rng(0).random((4, *network.input.shape), np.float32)  # type: ignore[arg-type]
    slopes = network.gradients(noise, Unit("dense")) != 0
    return max(field.size), int(slopes.any(axis=(0, 2, 3)).sum())


def grey(run: Run) -> np.ndarray:
    """Return a run's pictures, N×H×W in [0, 1]."""
    import numpy as np

    return np.asarray(run.network.input.decode(run.result.arrays()["values"]))[..., 0]


def _alike(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the class of the training digit that each picture is most like, and how much."""
    from kerascnn.datasets import load_mnist
    from kerascnn.lecture.experiments.image_metrics import nearest

    digits = load_mnist()
    which, how = nearest(pictures, digits.x_train)
    return digits.y_train[which], how


def _outputs(work: ChapterBuilder) -> None:
    """The ten classes: without regulariser, with L1, with more, and from a real digit."""
    import numpy as np

    from kerascnn.lecture.experiments.image_metrics import neighbours_alike

    steps = 60 if work.quick else 200
    work.text("outputs")
    plain = work.ask("none", "max-activation", "cnn", options={"preset": "none", "steps": steps})
    sure = np.array(plain.result.facts["confidence"])
    noise = neighbours_alike(grey(plain))
    digits = neighbours_alike(_digits(work))
    nearer = bool(noise.mean() < digits.mean() / 2)  # to noise, which has 0
    work.claim("noise", nearer, noise=float(noise.mean()), digits=float(digits.mean()))
    _, near, real = _judged(grey(plain))
    work.claim("no-digits", not (near >= real).any(), count=int((near >= real).sum()), real=real)
    work.claim("sure", bool((sure >= SAID_SURE).all()), least=float(sure.min()))
    work.text("regularised")
    inked = work.ask("l1", "max-activation", "cnn", options={"preset": "l1", "steps": steps})
    before, after = float(grey(plain).mean()), float(grey(inked).mean())
    work.claim("white", after < before, before=before, after=after)
    classes, _ = _alike(grey(inked))
    visible = [digit for digit in range(10) if classes[digit] == digit]
    work.claim("visible", set(SAID_VISIBLE) <= set(visible), digits=_listed(visible))
    fewer = {"steps": 80, "restarts": 1} if work.quick else {}
    natural = {"preset": "natural", **fewer}
    more = work.ask("natural", "max-activation", "cnn", options=natural)
    named, near, real = _judged(grey(more))
    right, close = int((named == np.arange(10)).sum()), int((near >= real).sum())
    work.claim("digits", right == close == 10, right=right, close=close)
    _from_a_digit(work, steps)


def _judged(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return what digits pictures are and how near to one, by pixels alone, and how near real are.

    Real test digits are that near or nearer in 99 of 100 cases.
    """
    from kerascnn.lecture.experiments.image_metrics import closeness, voted

    known, classes, real = _known_digits()
    return voted(pictures, known, classes), closeness(pictures, known), real


@functools.cache
def _known_digits() -> tuple[np.ndarray, np.ndarray, float]:
    """Return the training digits in [0, 1], their classes, and how near test digits are to them."""
    import numpy as np

    from kerascnn.datasets import load_mnist
    from kerascnn.lecture.experiments.image_metrics import closeness

    digits = load_mnist()
    known = digits.x_train / np.float32(255)
    real = float(np.percentile(closeness(digits.x_test[:2000], known), 1))
    return known, digits.y_train, real


def _from_a_digit(work: ChapterBuilder, steps: int) -> None:
    from kerascnn.lecture.experiments.image_metrics import neighbours_alike

    digit = work.picture_file("seven.png", _digits(work)[7])
    work.text("start")
    options = {"preset": "none", "steps": steps, "start": str(digit)}
    run = work.ask("start", "max-activation", "cnn", options=options)
    classes, how = _alike(grey(run))
    readable = [number for number in range(10) if classes[number] == number]
    alike = float(neighbours_alike(grey(run)).mean())
    work.claim(
        "start", len(readable) < 10, count=len(readable), likeness=float(how.mean()), strokes=alike
    )


def _listed(digits: list[int]) -> str:
    return ", ".join(map(str, digits)) or "–"


def _digits(work: ChapterBuilder) -> np.ndarray:
    """Return a test digit of each class, 10×28×28 in [0, 1]."""
    import numpy as np

    from kerascnn.images import sample_pictures

    contract = work.network("cnn").input
    return np.stack([contract.decode(p.values)[..., 0] for p in sample_pictures(contract, 10)])


def _fooled(work: ChapterBuilder) -> None:
    import numpy as np

    from kerascnn.images import sample_pictures
    from kerascnn.lecture.experiments.fooling import fool

    network = work.network("cnn")
    pictures = np.stack([p.values for p in sample_pictures(network.input, 10)])
    found = fool(network, pictures)
    work.text("fooled")
    work.figure(
        "fooled",
        _before_and_after(found),
        {"before": found.pictures, "after": found.changed, "sure": found.sure},
    )
    fooled = int((found.before != found.after).sum())
    largest = float(np.median(found.largest))
    work.claim(
        "fooled",
        fooled == len(pictures) and largest < 0.2,
        count=fooled,
        of=len(pictures),
        largest=100 * largest,
        sure=float(np.median(found.sure)),
    )


def _before_and_after(found: Any) -> Any:
    """Draw three rows: the digits, the change (grey is none), and what they are taken for."""
    from kerascnn.render import Sheet

    side, gap = 1.0, 0.08
    sheet = Sheet(10 * (side + gap) + 0.3, 3 * side + 1.0)
    change = (found.changed - found.pictures)[..., 0]
    most = abs(change).max() or 1.0
    for column in range(len(found.pictures)):
        x, y = 0.15 + column * (side + gap), sheet.y
        before, after = int(found.before[column]), int(found.after[column])
        sheet.text(x + side / 2, y, str(before), size=9, align="center")
        sheet.picture(found.pictures[column], x, y + 0.2, side, side)
        sheet.picture(change[column], x, y + 0.25 + side, side, side, cmap="RdBu_r", vmin=-most,
                      vmax=most)  # fmt: skip
        sheet.picture(found.changed[column], x, y + 0.3 + 2 * side, side, side)
        text = f"{after}: p = {found.sure[column]:.3f}"
        sheet.text(x + side / 2, y + 0.34 + 3 * side, text, size=8, align="center")
    return sheet.figure


CHAPTER = Chapter("learned", 6, make, uses=("networks",))
