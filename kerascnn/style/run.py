"""`deep_style`: pictures in, a painting and its history out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerascnn.network.precision import computing_in
from kerascnn.style.pictures import SAMPLE, Source, write_picture
from kerascnn.style.session import PaintingSession, Step
from kerascnn.style.settings import StyleSettings
from kerascnn.style.transfer import StyleTransfer
from kerascnn.terminal.progress import progress

DEFAULT_CONTENT = f"{SAMPLE}cat"
DEFAULT_STYLE = f"{SAMPLE}style-swirls"


@dataclass(frozen=True)
class Painted:
    """A painting.

    Attributes:
        image: H×W×3 float32 in [0, 1], red first.
        history: the loss after each step, and at which size.
        settings: how it was painted.
    """

    image: np.ndarray
    history: tuple[Step, ...]
    settings: StyleSettings

    def save(self, path: str | Path) -> None:
        """Write it as PNG, JPEG, TIFF or WebP, with the settings inside.

        Raises:
            OutputError: it can't be written.
        """
        write_picture(Path(path), self.image, {"settings": self.settings.model_dump(mode="json")})


def deep_style(
    content: Source | None = None,
    style: Source | Sequence[Source] | None = None,
    *,
    masks: Sequence[Any] = (),
    style_masks: Sequence[Any] = (),
    memory: int | None = None,
    on_step: Callable[[Step], object] | None = None,
    **settings: Any,
) -> Painted:
    """Paint a picture in the manner of another (Gatys, Ecker and Bethge 2016).

    ``deep_style("house.jpg", "painting.jpg", size=768).save("out.png")``

    Args:
        content: what to paint: a path, or an array H×W×3 (uint8, or floats in [0, 1]); None for a
            packaged photograph.
        style: in what manner; several for a blend or for regions; None for a packaged style.
        masks: where each style goes: paths, or arrays H×W as large as the content; see
            ``kerascnn style --mask``.
        style_masks: what part of each style's picture counts.
        memory: bytes that the process may take; larger pictures go in tiles. None for half of the
            machine's.
        on_step: is told of each step.
        **settings: see `kerascnn.style.StyleSettings`.

    Returns:
        The painting and its history.

    Raises:
        ImageError: a picture can't be read or is too narrow.
        ModelError: the network's weights can't be had, or there is too little memory.
        UsageError: a setting is wrong.
    """
    chosen = StyleSettings.parse(settings)
    several = isinstance(style, Sequence) and not isinstance(style, str)
    styles = [DEFAULT_STYLE if style is None else style] if not several else list(style or ())
    with computing_in(chosen.computed_in):
        painter = StyleTransfer(chosen, styles, style_masks=style_masks, memory=memory)
        work = PaintingSession(
            painter, painter.scene(DEFAULT_CONTENT if content is None else content, masks)
        )
        with progress("painting", work.most_steps) as bar:
            for step in work.steps():
                bar.advance(1, describe(step))
                if on_step is not None:
                    on_step(step)
    return finished(work)


def finished(work: PaintingSession) -> Painted:
    """Return the painting that a work has come to."""
    return Painted(work.picture(), tuple(work.history), work.painter.settings)


def describe(step: Step) -> str:
    """Return a step as a bar shows it."""
    return f"painting {step.width}×{step.height}, loss {step.loss:.4g}"
