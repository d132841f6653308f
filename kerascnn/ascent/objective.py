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


class Measure:
    """One number for each picture, computed with TensorFlow.

    Attributes:
        needs: the layers whose outputs it takes, `SCORES` for the logits; none for a penalty, which
            takes the picture in [0, 1].
        is_local: whether it is a sum over the places of one layer's map, which `places` gives; only
            then a picture can be worked in tiles.
    """

    needs: tuple[str, ...] = ()
    is_local: bool = False

    def items(self) -> np.ndarray | None:
        """Return what differs from picture to picture, N along the first axis; None for nothing."""
        return None

    def check(self, network: Network) -> None:
        """Check that the network has what is measured.

        Raises:
            UsageError: it has not.
        """

    def value(self, given: Sequence[Tensor], items: Tensor) -> Tensor:
        """Return N numbers.

        Args:
            given: a tensor for each of ``needs`` (N×h×w×channels or N×neurons), or the pictures
                alone.
            items: the part of `items` that belongs to these pictures, as a tensor.
        """
        raise NotImplementedError

    def places(self, values: Tensor) -> Tensor:
        """Return N×h×w numbers of which `value` is the sum, where it `is_local`.

        Args:
            values: what the layer gives, N×h×w×channels.
        """
        raise NotImplementedError


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
        """Return the sum."""
        if not isinstance(other, Objective):
            return NotImplemented
        return Objective(self.terms + other.terms)

    def __mul__(self, factor: float) -> Objective:
        """Return it with every weight multiplied."""
        return Objective(tuple(Term(t.weight * float(factor), t.measure) for t in self.terms))

    __rmul__ = __mul__

    def __neg__(self) -> Objective:
        """Return it with every sign turned."""
        return self * -1.0

    def __sub__(self, other: Objective) -> Objective:
        """Return the difference."""
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
        items = [term.measure.items() for term in self.terms]
        counts = {len(item) for item in items if item is not None}
        if len(counts) > 1:
            raise UsageError(
                f"the terms of an objective must speak of one number of pictures. "
                f"Received: {', '.join(map(str, sorted(counts)))}"
            )
        return counts.pop() if counts else None


def single(measure: Measure) -> Objective:
    """Return a measure as an objective, of weight 1."""
    return Objective((Term(1.0, measure),))


# --- measures of a network ----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class OfLayer(Measure):
    """A measure of what one layer gives."""

    layer: str

    @property
    def needs(self) -> tuple[str, ...]:  # type: ignore[override]
        """The layer."""
        return (self.layer,)


@dataclass(frozen=True, eq=False)
class _Units(OfLayer):
    channels: tuple[int, ...]
    where: str

    def items(self) -> np.ndarray:
        return np.asarray(self.channels, np.int32)

    def check(self, network: Network) -> None:
        layer = network.layer(self.layer)
        wrong = [c for c in self.channels if not 0 <= c < layer.channels]
        if wrong:
            raise UsageError(
                f"layer {layer.name!r} has the units 0 to {layer.channels - 1}. "
                f"Received: {wrong[0]}"
            )

    def value(self, given: Sequence[Tensor], items: Tensor) -> Tensor:
        import tensorflow as tf

        values = given[0]
        if values.shape.rank == 4:
            if self.where == "centre":
                size = tf.shape(values)
                values = values[:, size[1] // 2, size[2] // 2]
            else:
                values = tf.reduce_sum(values, (1, 2))
        elif values.shape.rank == 3:
            values = tf.reduce_sum(values, 1)
        # Not a gather: its gradient is a scatter, many times slower than this product.
        return tf.reduce_sum(values * tf.one_hot(items, values.shape[-1]), -1)


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
    measured = term.measure
    if not isinstance(measured, _Units) or measured.where != "sum":
        return term
    layers, layer = network.layers, network.layer(measured.layer)
    at = [each.name for each in layers].index(layer.name)
    before = 4 * int(np.prod([n or 1 for n in layers[at - 1].shape])) if at else 0
    if not layer.is_map or len(measured.channels) * before > _LARGEST_WEIGHTS:
        return term
    found = network.affine(measured.layer, measured.channels)
    if found is None:
        return term
    earlier, weights, constants = found
    flat = weights.reshape(len(weights), -1)
    items = np.concatenate([flat, constants[:, None]], axis=1)
    return Term(term.weight, _Of(_weighted, (earlier,), items))


def _weighted(values: Tensor, items: Tensor) -> Tensor:
    """Return a weighted sum of what a layer gives; each picture has its own weights."""
    import tensorflow as tf

    flat = tf.reshape(values, (-1, items.shape[1] - 1))
    return tf.reduce_sum(flat * items[:, :-1], -1) + items[:, -1]


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
    return single(_Units(layer, tuple(int(c) for c in channels), where))


@dataclass(frozen=True, eq=False)
class _Classes(Measure):
    classes: tuple[int, ...]
    of: str
    needs = (SCORES,)

    def items(self) -> np.ndarray:
        return np.asarray(self.classes, np.int32)

    def check(self, network: Network) -> None:
        wrong = [c for c in self.classes if not 0 <= c < network.classes]
        if wrong:
            raise UsageError(
                f"the network has the classes 0 to {network.classes - 1}. Received: {wrong[0]}"
            )

    def value(self, given: Sequence[Tensor], items: Tensor) -> Tensor:
        import tensorflow as tf

        scores = given[0]
        own = tf.one_hot(items, scores.shape[-1])
        score = tf.reduce_sum(scores * own, -1)
        if self.of == "score":
            return score
        if self.of == "log-probability":
            return score - tf.reduce_logsumexp(scores, -1)
        return score - tf.reduce_logsumexp(scores - 1e9 * own, -1)


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
    return single(_Classes(tuple(int(c) for c in indices), of))


@dataclass(frozen=True, eq=False)
class _Strength(OfLayer):
    is_local = True

    def value(self, given: Sequence[Tensor], items: Tensor) -> Tensor:
        import tensorflow as tf

        values = given[0]
        return 0.5 * tf.reduce_sum(values * values, tuple(range(1, values.shape.rank)))

    def places(self, values: Tensor) -> Tensor:
        import tensorflow as tf

        return 0.5 * tf.reduce_sum(values * values, -1)


def strength(layer: str) -> Objective:
    """Return ½‖a‖² of a layer's activations a, summed over its places and channels.

    Its gradient is a itself: the positive grow larger, the negative more negative (Deep Dream).
    """
    return single(_Strength(layer))


@dataclass(frozen=True, eq=False)
class _Of(Measure):
    function: Callable[..., Tensor]
    layers: tuple[str, ...]
    goals: np.ndarray | None

    @property
    def needs(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.layers

    def items(self) -> np.ndarray | None:
        return self.goals

    def value(self, given: Sequence[Tensor], items: Tensor) -> Tensor:
        return self.function(*given) if self.goals is None else self.function(*given, items)


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
    return single(_Of(function, layers, items))
