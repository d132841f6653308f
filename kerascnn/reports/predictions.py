"""`Prediction`: a picture with the classes that score best."""

from __future__ import annotations

from dataclasses import dataclass

from kerascnn.errors import one_line
from kerascnn.reports.batch import Batch
from kerascnn.reports.figures import thumbnail

_BEST = 5


@dataclass(frozen=True)
class Prediction:
    """A picture with the classes that score best, as the templates' macro ``prediction`` takes it.

    Attributes:
        name: of the picture.
        label: what the picture shows, if that is known.
        uri: the picture.
        classes: name, score and probability of each class, the best first.
    """

    name: str
    label: str
    uri: str
    classes: list[tuple[str, str, str]]


def predictions(batch: Batch) -> list[Prediction]:
    """Return a prediction for each picture of a batch."""
    network, scores = batch.network, batch.scores
    chances = network.to_probabilities(scores)
    found = []
    for row, picture in enumerate(batch.pictures):
        best = [int(index) for index in (-scores[row]).argsort(kind="stable")[:_BEST]]
        classes = [
            (
                network.class_name(index),
                f"{scores[row, index]:.3f}",
                "–" if chances is None else f"{chances[row, index]:.4f}",
            )
            for index in best
        ]
        label = one_line(picture.label, 60) if picture.label else ""
        uri = thumbnail(network, picture.values)
        found.append(Prediction(one_line(picture.name, 60), label, uri, classes))
    return found
