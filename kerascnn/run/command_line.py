"""The command line that asks a question again."""

from __future__ import annotations

import shlex

from kerascnn.errors import one_line
from kerascnn.plugin.options import given_flags
from kerascnn.run.question import PREDICTED, Question


def command_line(question: Question, model: str) -> str:
    """Return the command line that asks a question again.

    Args:
        question: about pictures of files, or read from files.
        model: what the command line calls the network.
    """
    visualizer = question.visualizer
    words = ["kerascnn", "visualize", "--plugin", visualizer.name, model]
    if visualizer.reads_images:
        for image in question.images:
            words += ["--image", str(getattr(image, "source", image))]
    if question.target != PREDICTED:
        words += ["--target", question.target]
    return one_line(shlex.join([*words, *given_flags(visualizer)]), 2000)
