"""The CNN in Keras (L5): the shape of everything, and the listing's surprise."""

from __future__ import annotations

import math

from kerascnn import models
from kerascnn.lecture.book.builder import Chapter, ChapterBuilder
from kerascnn.lecture.experiments.shapes import ShapeRow, trace, unseen
from kerascnn.lecture.networks import Model
from kerascnn.models.vgg import BLOCKS
from kerascnn.sizes import size_text

#: What the lecture says each stage leaves: channels, rows, columns.
SAID = ((25, 26, 26), (25, 13, 13), (50, 11, 11), (50, 5, 5), (1250,))
#: What it says of the number of a filter's weights, in the first and the second convolution.
SAID_WEIGHTS = (9, 225)


def make(chapter: ChapterBuilder) -> None:
    """Send a blank picture through both networks, and count what is learned."""
    taught, written = models.cnn(0), models.cnn_as_written(0)
    ours, listed = trace(taught), trace(written)
    chapter.text("trace")
    chapter.table("trace", [_row(a, b) for a, b in zip(ours, listed, strict=True)])
    for number, (says, row) in enumerate(zip(SAID, ours, strict=False), start=1):
        made = row.channels_first
        said = size_text(says)
        chapter.claim(f"stage-{number}", made == says, said=said, shape=size_text(made))
    rows, columns = unseen(taught)
    chapter.text("dropped", rows=rows, columns=columns)
    chapter.claim("dropped", bool(rows and columns), rows=rows, columns=columns)
    _weights(chapter, taught)
    _growing(chapter, taught)
    _listing(chapter, listed)
    counts = {"taught": taught.count_params(), "written": written.count_params()}
    chapter.claim("parameters", None, **counts)


def _row(ours: ShapeRow, theirs: ShapeRow) -> tuple[str, ...]:
    return (
        ours.kind,
        size_text(ours.channels_first),
        f"{ours.parameters:,}",
        size_text(theirs.shape),
        f"{theirs.parameters:,}",
    )


def _weights(chapter: ChapterBuilder, model: Model) -> None:
    kernels = [layer.kernel.shape[:3] for layer in model.layers if hasattr(layer, "kernel_size")]
    chapter.text("weights")
    for number, (says, shape) in enumerate(zip(SAID_WEIGHTS, kernels, strict=True), start=1):
        weights, shown = math.prod(shape), size_text(shape)
        chapter.claim(f"weights-{number}", weights == says, said=says, weights=weights, shape=shown)


def _growing(chapter: ChapterBuilder, model: Model) -> None:
    ours = [layer.filters for layer in model.layers if hasattr(layer, "filters")]
    theirs = [filters for filters, _ in BLOCKS]
    chapter.text("growing")
    grow = all(counts == sorted(counts) for counts in (ours, theirs))
    chapter.claim("growing", grow, ours=ours, vgg=theirs)


def _listing(chapter: ChapterBuilder, listed: list[ShapeRow]) -> None:
    chapter.text("listing")
    is_right = True
    for number, (says, row) in enumerate(zip(SAID, listed, strict=False), start=1):
        holds = row.channels_first == says
        note = "coincidence" if holds and not is_right else "nothing"
        is_right = is_right and holds
        # In Keras' own order of axes: behind the first layer, channels are no longer channels.
        chapter.claim(
            f"listing-{number}",
            holds,
            said=size_text(says),
            shape=str(row.shape) if len(row.shape) > 1 else str(row.shape[0]),
            note={"word": note},
        )


CHAPTER = Chapter("shapes", 4, make)
