"""Many questions to one network: each answer, or why there is none."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass

from kerascnn.errors import KerascnnError, one_line
from kerascnn.images import Picture
from kerascnn.network import Network
from kerascnn.progress import progress
from kerascnn.result import Heatmap
from kerascnn.running import Run, visualize
from kerascnn.visualizer import Visualizer, given_flags


@dataclass(frozen=True, eq=False)
class Answer:
    """What one visualizer said.

    Attributes:
        visualizer: with its options.
        run: the answer; None where it failed.
        failure: why, in one line.
        command: the command line that asks the same.
        seconds: how long it took.
    """

    visualizer: Visualizer
    run: Run | None
    failure: str
    command: str
    seconds: float

    @property
    def label(self) -> str:
        """The visualizer's name with the options that differ from the defaults."""
        return " ".join([self.visualizer.name, *given_flags(self.visualizer)])

    @property
    def is_attribution(self) -> bool:
        """Whether it is a map over each of the pictures that it was asked about."""
        return (
            self.run is not None
            and isinstance(self.run.result, Heatmap)
            and len(self.run.result.values) == len(self.run.pictures)
        )


def ask_all(
    network: Network,
    visualizers: Sequence[Visualizer],
    pictures: Sequence[Picture],
    images: Sequence[str],
    target: str,
    model: str,
) -> list[Answer]:
    """Ask all; one that fails is told of, and stops none of the others.

    Args:
        network: whom.
        visualizers: what.
        pictures: about which pictures, as the network sees them.
        images: where these came from, as ``--image`` takes it; empty for the packaged ones.
        target: as ``--target`` takes it.
        model: what the command line calls the network.
    """
    answers = []
    with progress("asking", len(visualizers)) as bar:
        for visualizer in visualizers:
            begun = time.monotonic()
            aimed = visualizer.reads_images and not (visualizer.streams or visualizer.any_size)
            run, failure = None, ""
            try:
                given = _pictures_for(visualizer, pictures, images)
                run = visualize(visualizer, network, given, target if aimed else "predicted")
            except KerascnnError as error:
                failure = one_line(error)
            words = command_line(visualizer, model, images, target if aimed else "predicted")
            taken = time.monotonic() - begun
            answers.append(Answer(visualizer, run, failure, words, taken))
            bar.advance(description=visualizer.name)
    return answers


def _pictures_for(
    visualizer: Visualizer, pictures: Sequence[Picture], images: Sequence[str]
) -> Sequence[Picture] | Sequence[str]:
    if visualizer.any_size or visualizer.streams:
        return images[:1] if visualizer.any_size else images
    return pictures


def command_line(
    visualizer: Visualizer, model: str, images: Sequence[str], target: str = "predicted"
) -> str:
    """Return the command line that asks a question again."""
    words = ["kerascnn", "visualize", "--plugin", visualizer.name, model]
    if visualizer.reads_images:
        for image in images:
            words += ["--image", image]
    if target != "predicted":
        words += ["--target", target]
    return one_line(shlex.join([*words, *given_flags(visualizer)]), 2000)
