"""What can be explained of a network: a class, or a unit inside it."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from kerascnn.errors import UsageError, one_line
from kerascnn.graph.head import Head
from kerascnn.graph.layers import Layer
from kerascnn.network.layer_catalogue import LayerCatalogue
from kerascnn.network.prepared_model import CLASSES, ScoreSource
from kerascnn.network.units import Unit

Target: TypeAlias = np.ndarray | Unit
"""What a visualizer explains: one class index for each image, or a `Unit`."""


class Targets:
    """Reads and checks what is to be explained."""

    def __init__(
        self, head: Head, labels: tuple[str, ...] | None, catalogue: LayerCatalogue
    ) -> None:
        self._head = head
        self._labels = labels
        self._catalogue = catalogue

    def read(self, text: str, scores: np.ndarray) -> Target:
        """Read a target as it is typed; see `Network.target`."""
        if text == "predicted":
            return np.asarray(scores.argmax(axis=-1))
        if self._labels is not None and text in self._labels:
            return np.full(len(scores), self._labels.index(text))
        if text.lstrip("-").isdecimal():
            index = np.array(int(text))
            self._check_classes(index, index)
            return np.full(len(scores), index)
        return self._unit_of(text)

    def resolve(self, target: Target | int, count: int) -> tuple[ScoreSource, np.ndarray]:
        """Return where a target's score is computed from.

        Returns:
            The tensor, and a channel or class for each of ``count`` pictures.

        Raises:
            UsageError: there is no such class, layer or channel.
        """
        if isinstance(target, Unit):
            source, channel = self.of_unit(target)
            return source, np.full(count, channel, np.int32)
        classes = np.array(np.broadcast_to(np.asarray(target, np.int32), (count,)))
        if self._head.classes is not None:
            self._check_classes(classes, target)
        return CLASSES, classes

    def source(self, target: Target | int) -> ScoreSource:
        """Return the tensor that a target's score is computed from."""
        return self.of_unit(target)[0] if isinstance(target, Unit) else CLASSES

    def of_unit(self, unit: Unit) -> tuple[ScoreSource, int]:
        """Return where a unit's score is computed from: the tensor and its channel.

        Raises:
            UsageError: there is no such layer or channel.
        """
        layer = self._catalogue.find(unit.layer)
        if unit.channel is None:
            return ScoreSource(layer.index, whole=True), 0
        if not 0 <= unit.channel < (layer.channels or unit.channel + 1):
            raise _no_channel(layer, unit.channel)
        return ScoreSource(layer.index), unit.channel

    def _check_classes(self, classes: np.ndarray, received: object) -> None:
        last = self._head.score_count - 1
        if classes.min() < 0 or classes.max() > last:
            given = one_line(received, 60)
            raise UsageError(f"a target's class must be from 0 to {last}. Received: {given}")

    def _unit_of(self, text: str) -> Unit:
        name, colon, channel = text.rpartition(":")
        try:
            if not colon:
                return Unit(self._catalogue.find(text).name)
            layer = self._catalogue.find(name)
        except UsageError as error:
            raise UsageError(
                "the target must be 'predicted', a class, LAYER or LAYER:CHANNEL. "
                f"Received: {one_line(text, 60)!r} ({error})"
            ) from error
        if not channel.isdecimal() or int(channel) >= layer.channels:
            raise _no_channel(layer, one_line(channel, 20))
        return Unit(layer.name, int(channel))


def _no_channel(layer: Layer, received: int | str) -> UsageError:
    count = layer.channels
    return UsageError(
        f"layer {layer.name!r} has the channels 0 to {count - 1}. Received: {received!r}"
    )
