"""`Batch`: many questions to one network, with each answer, or the reason why there is none."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kerascnn.errors import KerascnnError, one_line
from kerascnn.images import Picture
from kerascnn.network.network import Network
from kerascnn.plugin.options import given_flags, options
from kerascnn.plugin.visualizer import Visualizer
from kerascnn.results.heatmap import Heatmap
from kerascnn.run.command_line import command_line
from kerascnn.run.question import question_for
from kerascnn.run.run import Run, ask, gather
from kerascnn.terminal.progress import progress

# A page has space for so many pictures.
_PICTURES = 12


@dataclass(frozen=True, eq=False)
class Answer:
    """What one visualizer answered.

    Attributes:
        visualizer: with its options.
        run: the answer; None if the visualizer failed.
        failure: why it failed, in one line.
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
        return one_line(" ".join([self.visualizer.name, *given_flags(self.visualizer)]), 120)

    @property
    def settings(self) -> list[tuple[str, str]]:
        """The flag and the value of each option."""
        declared = options(type(self.visualizer))
        return [(each.flag, _shown(getattr(self.visualizer, each.name))) for each in declared]

    @property
    def notes(self) -> list[str]:
        """What the result says of itself."""
        return [] if self.run is None else [one_line(note) for note in self.run.result.notes]

    @property
    def attribution(self) -> Heatmap | None:
        """The answer, if it is a map over each of the pictures that were asked about."""
        if self.run is None or not isinstance(self.run.result, Heatmap):
            return None
        return self.run.result if self.run.result.count == len(self.run.pictures) else None


@dataclass(frozen=True, eq=False)
class Batch:
    """A network, the pictures it was asked about, and the answers.

    Attributes:
        model: what the command line calls the network.
        network: the network.
        pictures: N, as the network sees them.
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
) -> Batch:
    """Run all visualizers on one network; a failure is kept and stops none of the others.

    Args:
        network: what to explain.
        visualizers: with their options.
        images: pictures as ``--image`` takes them; empty for the packaged ones. Only the first
            dozen are used.
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
    return Batch(model, network, pictures, scores, answers)


def _pictures_for(
    visualizer: Visualizer, pictures: Sequence[Picture], images: Sequence[str]
) -> Sequence[Picture] | Sequence[str]:
    if visualizer.any_size or visualizer.streams:
        return images[:1] if visualizer.any_size else images
    return pictures


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value) or "–"
    if isinstance(value, bool):
        return "on" if value else "off"
    return "–" if value is None else one_line(value, 80)
