"""What an ascent maximises: a weighted sum of measures, each one number for a picture.

``units("conv2d_1", range(12)) - 0.05 * l1() - 0.08 * total_variation()`` is an `Objective`. A
measure of the network takes the picture as it was transformed in that step; a penalty takes the
picture itself, in [0, 1] from black to white whatever the model's own values are, so that weights
mean the same on every model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from kerascnn.errors import UsageError, one_line

if TYPE_CHECKING:
    from tensorflow import Tensor

    from kerascnn.network.network import Network

SCORES = "scores"
"""Instead of a layer's name in `Measure.needs`: the logits."""


@dataclass(frozen=True, eq=False)
class Measure:
    """One number for each picture, computed with TensorFlow.

    Attributes:
        function: takes a tensor for each of ``needs`` (N×h×w×channels or N×neurons; the pictures,
            if it needs none), then the pictures' part of ``items``, if any; returns N numbers.
        needs: the layers whose outputs it takes, `SCORES` for the logits; none for a penalty, which
            takes the picture in [0, 1].
        items: what differs from picture to picture, N along the first axis; None for nothing.
        numbers: what of the network the items number: ``"units"``, ``"classes"``, or nothing.
        places: where ``function`` is a sum over the places of one layer's map, returns what is
            summed, N×h×w; only then a picture can be worked in tiles.
    """

    function: Callable[..., Tensor]
    needs: tuple[str, ...] = ()
    items: np.ndarray | None = None
    numbers: Literal["", "units", "classes"] = ""
    places: Callable[[Tensor], Tensor] | None = None

    def value(self, given: Sequence[Tensor], items: Tensor | None) -> Tensor:
        """Return N numbers, from what ``needs`` names and the part of `items` of these pictures."""
        return self.function(*given) if self.items is None else self.function(*given, items)

    def check(self, network: Network) -> None:
        """Check that the network has the units or classes that are measured.

        Raises:
            UsageError: it has not.
        """
        if not self.numbers or self.items is None:
            return
        where, count = "the network", network.classes
        if self.numbers == "units":
            layer = network.layer(self.needs[0])
            where, count = f"layer {layer.name!r}", layer.channels
        wrong = [index for index in self.items if not 0 <= index < count]
        if wrong:
            raise UsageError(
                f"{where} has the {self.numbers} 0 to {count - 1}. Received: {wrong[0]}"
            )


@dataclass(frozen=True)
class Term:
    """A measure and its weight."""

    weight: float
    measure: Measure


@dataclass(frozen=True)
class Objective:
    """A sum of weighted measures; objectives are added, subtracted and scaled like numbers."""

    terms: tuple[Term, ...]

    def __add__(self, other: Objective) -> Objective:
        if not isinstance(other, Objective):
            return NotImplemented
        return Objective(self.terms + other.terms)

    def __mul__(self, factor: float) -> Objective:
        return Objective(tuple(Term(t.weight * float(factor), t.measure) for t in self.terms))

    __rmul__ = __mul__

    def __neg__(self) -> Objective:
        return self * -1.0

    def __sub__(self, other: Objective) -> Objective:
        if not isinstance(other, Objective):
            return NotImplemented
        return self + -other

    @property
    def needs(self) -> tuple[str, ...]:
        """The layers whose outputs the measures take, each once."""
        return tuple(dict.fromkeys(name for term in self.terms for name in term.measure.needs))

    @property
    def count(self) -> int | None:
        """How many pictures it is for; None where any number will do.

        Raises:
            UsageError: two terms are for different numbers of pictures.
        """
        items = [term.measure.items for term in self.terms]
        counts = {len(item) for item in items if item is not None}
        if len(counts) > 1:
            raise UsageError(
                "the terms of an objective must be for one number of pictures. "
                f"Received: {', '.join(map(str, sorted(counts)))}"
            )
        return counts.pop() if counts else None


def single(measure: Measure) -> Objective:
    """Return a measure as an objective, of weight 1."""
    return Objective((Term(1.0, measure),))


def units(
    layer: str, channels: Iterable[int], where: Literal["sum", "centre"] = "sum"
) -> Objective:
    """Return the activation of one unit a picture: channel ``channels[i]`` for picture i.

    Args:
        layer: a layer of maps or of neurons.
        channels: filters or neurons, one for each picture.
        where: ``"sum"`` over the filter's map, the lecture's degree of activation a^k, or the unit
            in the ``"centre"`` of the map alone.
    """
    function = _sum_of_unit if where == "sum" else _centre_of_unit
    return single(Measure(function, (layer,), np.array(list(channels), np.int32), "units"))


def _sum_of_unit(values: Tensor, channels: Tensor) -> Tensor:
    import tensorflow as tf

    places = tuple(range(1, values.shape.rank - 1))
    return _picked(tf.reduce_sum(values, places) if places else values, channels)


def _centre_of_unit(values: Tensor, channels: Tensor) -> Tensor:
    import tensorflow as tf

    if values.shape.rank < 4:
        return _sum_of_unit(values, channels)
    size = tf.shape(values)
    return _picked(values[:, size[1] // 2, size[2] // 2], channels)


def _picked(values: Tensor, indices: Tensor) -> Tensor:
    """Return from each row of N×K values the one of its index."""
    import tensorflow as tf

    # Not a gather: its gradient is a scatter, many times slower than this product.
    return tf.reduce_sum(values * tf.one_hot(indices, values.shape[-1]), -1)


_LARGEST_WEIGHTS = 1 << 26  # bytes


def shortened(objective: Objective, network: Network, size: tuple[int, int]) -> Objective:
    """Return the same objective, sums over maps computed one layer earlier where that is exact.

    A layer without activation is a weighted sum of the one before it; so is the sum over one of its
    maps, with weights that stay the same throughout an ascent. On the lecture's network that saves
    half of the time.
    """
    if network.input.shape[:2] != size:
        return objective
    return Objective(tuple(_shortened(term, network) for term in objective.terms))


def _shortened(term: Term, network: Network) -> Term:
    channels = term.measure.items
    if term.measure.function is not _sum_of_unit or channels is None:
        return term
    layers, layer = network.layers, network.layer(term.measure.needs[0])
    at = [each.name for each in layers].index(layer.name)
    before = 4 * int(np.prod([n or 1 for n in layers[at - 1].shape])) if at else 0
    if not layer.is_map or len(channels) * before > _LARGEST_WEIGHTS:
        return term
    found = network.affine(layer, channels.tolist())
    if found is None:
        return term
    earlier, weights, constants = found
    flat = weights.reshape(len(weights), -1)
    items = np.concatenate([flat, constants[:, None]], axis=1)
    return Term(term.weight, Measure(_weighted, (earlier,), items))


def _weighted(values: Tensor, items: Tensor) -> Tensor:
    """Return a weighted sum of what a layer gives; each picture has its own weights."""
    import tensorflow as tf

    flat = tf.reshape(values, (-1, items.shape[1] - 1))
    return tf.reduce_sum(flat * items[:, :-1], -1) + items[:, -1]


def classes(
    indices: Iterable[int], of: Literal["score", "log-probability", "margin"] = "score"
) -> Objective:
    """Return the score of one class a picture: class ``indices[i]`` for picture i.

    Args:
        indices: classes, one for each picture.
        of: ``"score"``, the logit; ``"log-probability"``, the logarithm of its softmax, which stops
            rising once the network is sure; or ``"margin"``, the logit minus the (soft) largest of
            the others.
    """

    def value(scores: Tensor, chosen: Tensor) -> Tensor:
        import tensorflow as tf

        score = _picked(scores, chosen)
        if of == "score":
            return score
        others = 1e9 * tf.one_hot(chosen, scores.shape[-1]) if of == "margin" else 0.0
        return score - tf.reduce_logsumexp(scores - others, -1)

    return single(Measure(value, (SCORES,), np.array(list(indices), np.int32), "classes"))


def strength(layer: str) -> Objective:
    """Return ½‖a‖² of a layer's activations a, summed over its places and channels.

    Its gradient is a itself: the positive grow larger, the negative more negative (Deep Dream).
    """

    def places(values: Tensor) -> Tensor:
        import tensorflow as tf

        return 0.5 * tf.reduce_sum(values * values, -1)

    def value(values: Tensor) -> Tensor:
        import tensorflow as tf

        return 0.5 * tf.reduce_sum(values * values, tuple(range(1, values.shape.rank)))

    return single(Measure(value, (layer,), places=places))


def measure(
    function: Callable[..., Tensor], *layers: str, items: np.ndarray | None = None
) -> Objective:
    """Return an objective of your own.

    Args:
        function: takes one TensorFlow tensor a layer (N×h×w×channels or N×neurons, float32) and
            returns N numbers; without layers it takes the pictures, N×H×W×C in [0, 1].
        *layers: names of layers, or `SCORES` for the logits.
        items: what differs from picture to picture, N along the first axis: the function takes the
            part of it that belongs to its pictures after the layers, as a tensor.
    """
    if not callable(function):
        raise UsageError(f"measure takes a function. Received: {one_line(function, 60)}")
    return single(Measure(function, layers, items))
