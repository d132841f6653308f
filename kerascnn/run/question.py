"""`Question`: a visualizer with its options, the pictures, and what to explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kerascnn.errors import UsageError
from kerascnn.plugin.visualizer import Visualizer

if TYPE_CHECKING:
    from kerascnn.images import Picture

PREDICTED = "predicted"
"""The target that is the class which the network predicts, picture by picture."""


@dataclass(frozen=True)
class Question:
    """What is asked of a network: the same on the command line, in Python and in reports.

    Attributes:
        visualizer: with its options.
        images: paths of pictures and folders, or pictures read before; none takes a packaged
            sample that fits.
        target: ``predicted``, a class index or name, or ``layer:channel``.

    Raises:
        UsageError: there is a target, and the visualizer takes none.
    """

    visualizer: Visualizer
    images: Sequence[str | Path | Picture] = ()
    target: str = PREDICTED

    def __post_init__(self) -> None:
        if self.target != PREDICTED and not self.visualizer.takes_target():
            raise UsageError(f"{self.visualizer.name} explains no class, so it takes no target")


def question_for(
    visualizer: Visualizer, images: Sequence[str | Path | Picture], target: str
) -> Question:
    """Return a question, with the target if the visualizer takes one: several may share it."""
    return Question(visualizer, images, target if visualizer.takes_target() else PREDICTED)
