"""The CNN in Keras (L5): the shape of everything, and the listing's surprise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kerascnn.lecture.book.chapter import Chapter
from kerascnn.sizes import size_text

if TYPE_CHECKING:
    from kerascnn.lecture.book.builder import ChapterBuilder

#: What the lecture says each stage leaves: channels, rows, columns.
SAID = ((25, 26, 26), (25, 13, 13), (50, 11, 11), (50, 5, 5), (1250,))
SAID_WEIGHTS = (9, 225)


def make(work: ChapterBuilder) -> None:
    """Send a blank picture through both networks, and count what is learned."""
    from kerascnn import models
    from kerascnn.lecture.experiments.claims import channels_first, trace, unseen

    taught, written = models.cnn(0), models.cnn_as_written(0)
    ours, listed = trace(taught), trace(written)
    work.text("trace")
    work.table("trace", [_row(a, b) for a, b in zip(ours, listed, strict=True)])
    for number, (says, step) in enumerate(zip(SAID, ours, strict=False), start=1):
        made = channels_first(step)
        work.claim(f"stage-{number}", made == says, shape=size_text(made))
    rows, columns = unseen(taught)
    work.text("dropped", rows=rows, columns=columns)
    work.claim("dropped", bool(rows and columns), rows=rows, columns=columns)
    _weights(work, taught)
    _growing(work)
    work.text("listing")
    found = True
    for number, (says, step) in enumerate(zip(SAID, listed, strict=False), start=1):
        holds = channels_first(step) == says
        note = "coincidence" if holds and not found else "nothing"
        found = found and holds
        shape = "(" + ", ".join(map(str, step.shape)) + ")" if len(step.shape) > 1 else "1250"
        work.claim(f"listing-{number}", holds, shape=shape, note={"word": note})
    same = dict(
        zip(("taught", "written"), (m.count_params() for m in (taught, written)), strict=True)
    )
    work.claim("parameters", None, **{name: f"{count:,}" for name, count in same.items()})


def _row(ours: Any, theirs: Any) -> tuple[Any, ...]:
    from kerascnn.lecture.experiments.claims import channels_first

    return (
        ours.kind,
        size_text(channels_first(ours)),
        f"{ours.parameters:,}",
        size_text(theirs.shape),
        f"{theirs.parameters:,}",
    )


def _weights(work: ChapterBuilder, model: Any) -> None:
    from kerascnn.sizes import size_text

    kernels = [layer.kernel.shape for layer in model.layers if type(layer).__name__ == "Conv2D"]
    work.text("weights")
    for number, (says, shape) in enumerate(zip(SAID_WEIGHTS, kernels, strict=True), start=1):
        weights = math.prod(shape[:3])
        work.claim(
            f"weights-{number}", weights == says, weights=weights, shape=size_text(shape[:3])
        )


def _growing(work: ChapterBuilder) -> None:
    from kerascnn import models
    from kerascnn.models.vgg import BLOCKS

    layers = models.cnn(0).layers
    ours = [layer.filters for layer in layers if type(layer).__name__ == "Conv2D"]
    theirs = [filters for filters, _ in BLOCKS]
    work.text("growing")
    grow = all(list(counts) == sorted(counts) for counts in (ours, theirs))
    work.claim("growing", grow, ours=_listed(ours), vgg=_listed(theirs))


def _listed(counts: list[int]) -> str:
    return ", ".join(map(str, counts))


CHAPTER = Chapter("shapes", 4, make)
