"""`deep_style`: pictures in, a painting and its history out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from kerascnn.network.precision import computing_in
from kerascnn.style.pictures import DEFAULT_CONTENT, DEFAULT_STYLE, Source, write_picture
from kerascnn.style.session import PaintingSession, Step
from kerascnn.style.settings import StyleSettings
from kerascnn.style.transfer import StyleTransfer
from kerascnn.terminal.progress import progress


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
    masks: Sequence[Source] = (),
    style_masks: Sequence[Source] = (),
    memory: int | None = None,
    on_step: Callable[[Step], object] | None = None,
    **settings: Any,
) -> Painted:
    """Paint a picture in the style of another (Gatys, Ecker and Bethge 2016).

    ``deep_style("house.jpg", "painting.jpg", size=768).save("out.png")``

    Args:
        content: what to paint: a path, or an array H×W×3 (uint8, or floats in [0, 1]); None for a
            packaged photograph.
        style: in which style; several for a blend or for regions; None for a packaged style.
        masks: where each style goes: paths, or arrays H×W as large as the content; see
            ``kerascnn style --mask``.
        style_masks: which part of each style's picture counts.
        memory: bytes that the process may take; larger pictures are worked in tiles. None for half
            of the machine's.
        on_step: is called with each step.
        **settings: see `kerascnn.style.StyleSettings`.

    Returns:
        The painting and its history.

    Raises:
        ImageError: a picture can't be read or is too narrow.
        ModelError: the network's weights can't be loaded, or there is too little memory.
        UsageError: a setting is wrong.
    """
    chosen = StyleSettings.parse(settings)
    style = DEFAULT_STYLE if style is None else style
    styles = [style] if isinstance(style, (str, PathLike, np.ndarray)) else list(style)
    with computing_in(chosen.computed_in):
        transfer = StyleTransfer(chosen, styles, style_masks=style_masks, memory=memory)
        scene = transfer.scene(DEFAULT_CONTENT if content is None else content, masks)
        session = PaintingSession(transfer, scene)
        with progress("painting", session.most_steps) as bar:
            for step in session.steps():
                bar.advance(1, step.text())
                if on_step is not None:
                    on_step(step)
    return Painted(session.picture(), tuple(session.history), chosen)
