"""Many questions to one network: each answer, or why there is none."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kerascnn.errors import KerascnnError, one_line
from kerascnn.images import Picture
from kerascnn.network.network import Network
from kerascnn.plugin.options import given_flags
from kerascnn.plugin.visualizer import Visualizer
from kerascnn.results.heatmap import Heatmap
from kerascnn.run.command_line import command_line
from kerascnn.run.question import question_for
from kerascnn.run.run import Run, ask, gather
from kerascnn.terminal.progress import progress

# A page has room for so many pictures.
_PICTURES = 12


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


@dataclass(frozen=True, eq=False)
class Asked:
    """A network, the pictures it was asked about, and what it said.

    Attributes:
        model: what the command line calls the network.
        network: whom.
        pictures: as the network sees them.
        scores: N×classes, of the pictures.
        answers: one for each visualizer.
    """

    model: str
    network: Network
    pictures: tuple[Picture, ...]
    scores: np.ndarray
    answers: list[Answer]


def ask_all(
    network: Network,
    visualizers: Sequence[Visualizer],
    images: Sequence[str],
    target: str,
    model: str,
) -> Asked:
    """Ask all; one that fails is told of, and stops none of the others.

    Args:
        network: whom.
        visualizers: what.
        images: about which pictures, as ``--image`` takes it; empty for the packaged ones. The
            first dozen counts.
        target: as ``--target`` takes it.
        model: what the command line calls the network.

    Raises:
        ImageError: a picture can't be read.
        UsageError: there is no such target.
    """
    pictures = gather(network, images)[:_PICTURES]
    scores = network.scores(np.stack([picture.values for picture in pictures]))
    network.target(target, scores)
    answers = []
    with progress("asking", len(visualizers)) as bar:
        for visualizer in visualizers:
            begun = time.monotonic()
            question = question_for(visualizer, images, target)
            run, failure = None, ""
            try:
                given = _pictures_for(visualizer, pictures, images)
                run = ask(replace(question, images=given), network)
            except KerascnnError as error:
                failure = one_line(error)
            words = command_line(question, model)
            taken = time.monotonic() - begun
            answers.append(Answer(visualizer, run, failure, words, taken))
            bar.advance(description=visualizer.name)
    return Asked(model, network, pictures, scores, answers)


def _pictures_for(
    visualizer: Visualizer, pictures: Sequence[Picture], images: Sequence[str]
) -> Sequence[Picture] | Sequence[str]:
    if visualizer.any_size or visualizer.streams:
        return images[:1] if visualizer.any_size else images
    return pictures
