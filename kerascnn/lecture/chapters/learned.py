"""What does the machine learn (L6): filters, top images, and what units would like to see."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from kerascnn.datasets import load_mnist
from kerascnn.images import sample_pictures
from kerascnn.lecture.book.builder import Chapter, ChapterBuilder
from kerascnn.lecture.experiments.fooling import Fooled, fool
from kerascnn.lecture.experiments.image_metrics import (
    closeness,
    coherence,
    nearest,
    neighbours_alike,
    voted,
)
from kerascnn.lecture.experiments.task import Array
from kerascnn.network.units import Unit
from kerascnn.render import Sheet, palette

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from kerascnn.run.run import Run

#: How sure the network is of noise, as the lecture says.
SAID_SURE = 0.99999
#: Digits that the lecture sees begin to appear under L1.
SAID_VISIBLE = [0, 1, 6]
_ONE_DIRECTION = 0.5


def make(chapter: ChapterBuilder) -> None:
    """Look at weights, at pictures that activate units most, and at pictures made to do so."""
    chapter.text("look")
    chapter.ask("filters", "filters", "cnn")
    chapter.ask("filters-vgg", "filters", "builtin:vgg16", options={"count": 64})
    _top_images(chapter)
    _second_layer(chapter)
    _outputs(chapter)
    _fooled(chapter)


def _top_images(chapter: ChapterBuilder) -> None:
    chapter.text("top")
    run = chapter.ask("top", "top-images", "cnn", options={"unit": ("0-7",), "count": 9})
    boxes = np.asarray(run.result.arrays()["boxes"])
    sides = boxes[..., 2:] - boxes[..., :2]
    side = int(np.median(sides))
    chapter.claim("field", None, said="3×3", field=f"{side}×{side}")


def _second_layer(chapter: ChapterBuilder) -> None:
    steps = 60 if chapter.quick else 200
    options = {"layer": "last-conv", "preset": "none", "steps": steps}
    chapter.text("filters")
    run = chapter.ask("twelve", "max-activation", "cnn", options=options | {"unit": ("0-11",)})
    chapter.ask("fifty", "max-activation", "cnn", options=options | {"unit": ("all",)})
    along = coherence(grey(run))
    noise = coherence(np.random.default_rng(0).random((100, 28, 28)))
    count = int((along >= _ONE_DIRECTION).sum())
    chapter.claim(
        "strokes",
        count > len(along) / 2,
        count=count,
        of=len(along),
        median=float(np.median(along)),
        noise=float(np.median(noise)),
    )
    neurons = _alive(chapter)
    options = {"layer": "dense", "preset": "none", "steps": steps, "unit": neurons}
    chapter.text("neurons")
    dense = chapter.ask("dense", "max-activation", "cnn", options=options)
    alike = _alike(grey(dense))
    field, seen = _seen(chapter)
    chapter.claim("larger", seen > field, field=field, seen=seen)
    best = float(alike[1].max())
    chapter.claim("partly", best >= 0.5, best=best, count=int((alike[1] >= 0.5).sum()))


def _alive(chapter: ChapterBuilder) -> tuple[str, ...]:
    """Return the nine neurons of the dense layer that digits activate most; many stay at 0."""
    network = chapter.network("cnn")
    pictures = load_mnist().x_test[:500, ..., None].astype("float32") / 255
    means = network.activations(pictures, "dense").mean(axis=0)
    return tuple(str(int(neuron)) for neuron in sorted((-means).argsort()[:9]))


def _seen(chapter: ChapterBuilder) -> tuple[int, int]:
    """Return the side of what a filter sees, and of what a dense neuron does, in pixels."""
    network = chapter.network("cnn")
    field = network.last_convolution().field
    assert field is not None
    noise = np.random.default_rng(0).random((4, *network.input.shape), np.float32)  # type: ignore[arg-type]
    slopes = network.gradients(noise, Unit("dense")) != 0
    return max(field.size), int(slopes.any(axis=(0, 2, 3)).sum())


def grey(run: Run) -> Array:
    """Return a run's pictures, N×H×W in [0, 1]."""
    return np.asarray(run.network.input.decode(run.result.arrays()["values"]))[..., 0]


def _alike(pictures: Array) -> tuple[Array, Array]:
    """Return the class of the training digit that each picture is most like, and how much."""
    digits = load_mnist()
    which, how = nearest(pictures, digits.x_train)
    return digits.y_train[which], how


def _outputs(chapter: ChapterBuilder) -> None:
    """The ten classes: without regulariser, with L1, with more, and from a real digit."""
    steps = 60 if chapter.quick else 200
    chapter.text("outputs")
    plain = chapter.ask("none", "max-activation", "cnn", options={"preset": "none", "steps": steps})
    sure = np.array(plain.result.facts["confidence"])
    noise = neighbours_alike(grey(plain))
    digits = neighbours_alike(_digits(chapter))
    nearer = bool(noise.mean() < digits.mean() / 2)  # to noise, which has 0
    chapter.claim("noise", nearer, noise=float(noise.mean()), digits=float(digits.mean()))
    _, near, real = _judged(grey(plain))
    chapter.claim("no-digits", not (near >= real).any(), count=int((near >= real).sum()), real=real)
    certain = bool((sure >= SAID_SURE).all())
    chapter.claim("sure", certain, said=100 * SAID_SURE, least=float(sure.min()))
    chapter.text("regularised")
    inked = chapter.ask("l1", "max-activation", "cnn", options={"preset": "l1", "steps": steps})
    before, after = float(grey(plain).mean()), float(grey(inked).mean())
    chapter.claim("white", after < before, before=before, after=after)
    classes, _ = _alike(grey(inked))
    visible = [digit for digit in range(10) if classes[digit] == digit]
    seen = set(SAID_VISIBLE) <= set(visible)
    chapter.claim("visible", seen, said=SAID_VISIBLE, digits=visible)
    fewer = {"steps": 80, "restarts": 1} if chapter.quick else {}
    natural = {"preset": "natural", **fewer}
    more = chapter.ask("natural", "max-activation", "cnn", options=natural)
    named, near, real = _judged(grey(more))
    right, close = int((named == np.arange(10)).sum()), int((near >= real).sum())
    chapter.claim("digits", right == close == 10, right=right, close=close)
    _from_a_digit(chapter, steps)


def _judged(pictures: Array) -> tuple[Array, Array, float]:
    """Return what digits pictures are and how near to one, by pixels alone, and how near real are.

    Real test digits are that near or nearer in 99 of 100 cases.
    """
    known, classes, real = _known_digits()
    return voted(pictures, known, classes), closeness(pictures, known), real


@functools.cache
def _known_digits() -> tuple[Array, Array, float]:
    """Return the training digits in [0, 1], their classes, and how near test digits are to them."""
    digits = load_mnist()
    known = digits.x_train / np.float32(255)
    real = float(np.percentile(closeness(digits.x_test[:2000], known), 1))
    return known, digits.y_train, real


def _from_a_digit(chapter: ChapterBuilder, steps: int) -> None:
    digit = chapter.picture_file("seven.png", _digits(chapter)[7])
    chapter.text("start")
    options = {"preset": "none", "steps": steps, "start": str(digit)}
    run = chapter.ask("start", "max-activation", "cnn", options=options)
    classes, how = _alike(grey(run))
    readable = [number for number in range(10) if classes[number] == number]
    alike = float(neighbours_alike(grey(run)).mean())
    chapter.claim(
        "start", len(readable) < 10, count=len(readable), likeness=float(how.mean()), strokes=alike
    )


def _digits(chapter: ChapterBuilder) -> Array:
    """Return a test digit of each class, 10×28×28 in [0, 1]."""
    spec = chapter.network("cnn").input
    return np.stack([spec.decode(p.values)[..., 0] for p in sample_pictures(spec, 10)])


def _fooled(chapter: ChapterBuilder) -> None:
    network = chapter.network("cnn")
    pictures = np.stack([p.values for p in sample_pictures(network.input, 10)])
    found = fool(network, pictures)
    chapter.text("fooled")
    chapter.figure(
        "fooled",
        _before_and_after(found),
        {"before": found.pictures, "after": found.changed, "sure": found.sure},
    )
    fooled = int((found.before != found.after).sum())
    largest = float(np.median(found.largest))
    chapter.claim(
        "fooled",
        fooled == len(pictures) and largest < 0.2,
        count=fooled,
        of=len(pictures),
        largest=100 * largest,
        sure=float(np.median(found.sure)),
    )


def _before_and_after(found: Fooled) -> Figure:
    """Draw three rows: the digits, the change, and the changed digits with their new class."""
    side, gap = 1.0, 0.08
    sheet = Sheet(10 * (side + gap) + 0.3, 3 * side + 1.0)
    change = (found.changed - found.pictures)[..., 0]
    most = abs(change).max() or 1.0
    for column in range(len(found.pictures)):
        x, y = 0.15 + column * (side + gap), sheet.y
        before, after = int(found.before[column]), int(found.after[column])
        sheet.text(x + side / 2, y, str(before), size=9, align="center")
        sheet.picture(found.pictures[column], x, y + 0.2, side, side)
        sheet.picture(
            change[column],
            x,
            y + 0.25 + side,
            side,
            side,
            cmap=palette.SIGNED,
            vmin=-most,
            vmax=most,
        )
        sheet.picture(found.changed[column], x, y + 0.3 + 2 * side, side, side)
        text = f"{after}: p = {found.sure[column]:.3f}"
        sheet.text(x + side / 2, y + 0.34 + 3 * side, text, size=8, align="center")
    return sheet.figure


CHAPTER = Chapter("learned", 6, make, uses=("networks",))
