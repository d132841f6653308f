"""What can be explained of a network: a class, or a unit inside it."""

from __future__ import annotations

import numpy as np

from kerascnn.errors import ModelError, UsageError, one_line
from kerascnn.graph.head import Head
from kerascnn.network.catalogue import Catalogue
from kerascnn.network.units import Unit

Target = np.ndarray | Unit
"""What a visualizer explains: one class index for each image, or a `Unit`."""


class Targets:
    """Reads and checks what is to be explained.

    Args:
        head: where the class scores are.
        labels: class names, in order.
        catalogue: the layers.
    """

    def __init__(self, head: Head, labels: tuple[str, ...] | None, catalogue: Catalogue) -> None:
        self._head = head
        self._labels = labels
        self._catalogue = catalogue

    @property
    def classes(self) -> int:
        """How many class scores there are: two for a single sigmoid unit."""
        if self._head.classes is None:
            raise ModelError("the model does not say how many classes it has")
        return 2 if self._head.kind == "binary" else self._head.classes

    def read(self, text: str, scores: np.ndarray) -> Target:
        """Resolve what ``--target`` takes; see `Network.target`."""
        if text == "predicted":
            return np.asarray(scores.argmax(axis=-1))
        if self._labels is not None and text in self._labels:
            return np.full(len(scores), self._labels.index(text))
        if text.lstrip("-").isdecimal():
            index = int(text)
            if not 0 <= index < self.classes:
                raise UsageError(
                    f"--target takes a class from 0 to {self.classes - 1}. Received: {index}"
                )
            return np.full(len(scores), index)
        return self._unit_of(text)

    def resolve(self, target: Target | int, count: int) -> tuple[int | None, bool, np.ndarray]:
        """Return a target as `Functions` takes it.

        Returns:
            The unit's tensor (None for a class), whether all its channels are meant, and a channel
            or class for each of ``count`` pictures.

        Raises:
            UsageError: there is no such class, layer or channel.
        """
        if not isinstance(target, Unit):
            classes = np.array(np.broadcast_to(np.asarray(target, np.int32), (count,)))
            known = self._head.classes is not None
            if known and (classes.min() < 0 or classes.max() >= self.classes):
                raise UsageError(
                    f"the classes go from 0 to {self.classes - 1}. Received: {one_line(target, 60)}"
                )
            return None, False, classes
        layer = self._catalogue.find(target.layer)
        if target.channel is None:
            return layer.index, True, np.zeros(count, np.int32)
        if not 0 <= target.channel < (layer.channels or target.channel + 1):
            raise UsageError(
                f"layer {layer.name!r} has the channels 0 to {layer.channels - 1}. "
                f"Received: {target.channel}"
            )
        return layer.index, False, np.full(count, target.channel, np.int32)

    def _unit_of(self, text: str) -> Unit:
        name, colon, channel = text.rpartition(":")
        try:
            if not colon:
                return Unit(self._catalogue.find(text).name)
            layer = self._catalogue.find(name)
        except UsageError as error:
            raise UsageError(
                "--target takes 'predicted', a class, LAYER or LAYER:CHANNEL. "
                f"Received: {one_line(text, 60)!r} ({error})"
            ) from error
        if not channel.isdecimal() or int(channel) >= layer.channels:
            raise UsageError(
                f"--target {one_line(text, 60)!r}: layer {layer.name!r} has the channels 0 to "
                f"{layer.channels - 1}. Received: {one_line(channel, 20)!r}"
            )
        return Unit(layer.name, int(channel))
