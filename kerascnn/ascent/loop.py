"""The ascent itself: a loop over steps, compiled whole, for all pictures at once."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascnn.ascent.objective import SCORES, Objective, shortened
from kerascnn.ascent.parametrisation import Parametrisation, Pixels
from kerascnn.ascent.transforms import Plan, Transform, plan
from kerascnn.errors import ModelError, UsageError
from kerascnn.graph.compiled import compiled
from kerascnn.terminal.progress import progress

if TYPE_CHECKING:
    from kerascnn.network.network import Network

# Adam (Kingma and Ba 2015), with its usual constants.
_FIRST, _SECOND, _TINY = 0.9, 0.999, 1e-8
# Between two looks at the clock (and at Ctrl-C) an ascent runs for about so long.
_SECONDS_A_BLOCK = 1.0
_LARGEST_BLOCK = 1 << 20


@dataclass(frozen=True)
class Ascent:
    """What an ascent came to.

    Attributes:
        images: N×H×W×C in the model's values.
        history: steps × N, the objective before each step, on the pictures as transformed then.
        moved: N, whether the network's part of the objective ever changed with the picture; where
            not (a dead ReLU), only the penalties shaped it.
    """

    images: np.ndarray
    history: np.ndarray
    moved: np.ndarray

    def replaced(self, pictures: Sequence[int], other: Ascent) -> Ascent:
        """Return the same with some pictures, by their number, taken from another ascent."""
        images, history, moved = self.images.copy(), self.history.copy(), self.moved.copy()
        where = list(pictures)
        images[where], history[:, where], moved[where] = other.images, other.history, other.moved
        return Ascent(images, history, moved)


def maximise(
    network: Network,
    objective: Objective,
    start: np.ndarray,
    *,
    steps: int = 200,
    rate: float = 0.05,
    parametrisation: Parametrisation | None = None,
    transforms: Sequence[Transform] = (),
    copies: int = 1,
    relative: bool = False,
    restarts: int = 1,
    rectified: bool = True,
    seed: int = 0,
) -> Ascent:
    """Change pictures so that an objective rises: gradient ascent with Adam, weights held fixed.

    All pictures go at once, in batches bounded by the network's memory; none is influenced by the
    others. Values stay within black and white throughout.

    Args:
        network: whose activations are made large.
        objective: terms added up, see `units`, `classes`, `l1`, ….
        start: N×H×W×C in the model's values; one picture serves for all units of the objective.
            With ``restarts``, that many pictures, each of which serves for all units.
        steps: how many.
        rate: of Adam, in the parametrisation's variable.
        parametrisation: what is changed; `Pixels` by default.
        transforms: changes that the pictures must bear in every step.
        copies: over how many differently changed copies a step averages.
        relative: divide the gradient of the network's terms, picture by picture, by its mean
            absolute value, so that penalties weigh as much on every network and unit.
        restarts: from how many pictures to begin for each unit; the best by the objective at the
            end is kept.
        rectified: False asks for what goes into the ReLU that the objective's one layer ends in;
            so a unit that is dead where the ascent begins is climbed awake.
        seed: of the transforms.

    Raises:
        UsageError: the objective does not fit the network or the pictures.
        ModelError: the objective can't be derived by the picture, or is not finite.
    """
    start = _checked(network, objective, start, steps, copies, restarts)
    size = (start.shape[1], start.shape[2])
    drawn = plan(transforms, steps, copies, size, np.random.default_rng(seed))
    objective = shortened(objective, network, size) if rectified else objective
    made = parametrisation if parametrisation is not None else Pixels()
    loop = _Loop(network, objective, made, drawn, size, rate, relative, rectified)
    items = [_repeated(term.measure.items(), restarts) for term in objective.terms]
    batch = network.memory.batch_size(copies * _bytes_per_picture(network, objective, size))
    images, history, moved = _in_batches(loop, start, items, steps, batch)
    if not (np.isfinite(images).all() and np.isfinite(history).all()):
        raise ModelError(
            "the objective gives NaN or infinite numbers (kerascnn inspect tells whether the "
            "model's weights are finite; else a smaller --rate helps)"
        )
    best = _best(history, moved, restarts)
    return Ascent(images[best], history[:, best], moved[best])


class _Loop:
    """The compiled loop of one objective on one network."""

    def __init__(
        self,
        network: Network,
        objective: Objective,
        parametrisation: Parametrisation,
        drawn: Plan,
        size: tuple[int, int],
        rate: float,
        relative: bool,
        rectified: bool,
    ) -> None:
        import tensorflow as tf

        self._network, self._objective = network, objective
        self._parametrisation, self._plan = parametrisation, drawn
        self._size, self._rate, self._relative = size, rate, relative
        self._rectified = rectified
        self._low, self._range = network.input.low, network.input.noise_scale
        self._draws = {name: tf.constant(array) for name, array in drawn.drawn().items()}
        self._cut = False
        # Pooling with channels first has no gradient on a processor. Keras 3 and TensorFlow turn
        # the channels round, but TensorFlow not within a loop: there each step is its own call.
        self._called_by_step = network.family == "keras2" and any(
            layer.shape != layer.stored_shape for layer in network.layers
        )
        self._block = compiled(self._steps, reduce_retracing=True)

    def run(
        self, start: np.ndarray, items: Sequence[np.ndarray | None], steps: int, advance: Any
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the pictures, the history (steps × N) and which pictures moved."""
        import tensorflow as tf

        unit = (start - self._low) / self._range
        variable = tf.constant(self._parametrisation.encode(unit), tf.float32)
        zero = tf.zeros_like(variable)
        state = (variable, zero, zero, tf.zeros(len(start)))
        given = [None if item is None else tf.constant(item) for item in items]
        history, first, block = [], 0, max(1, min(steps, 1 << 14) // 20)
        if self._called_by_step:
            block = 1
        while first < steps:
            last = min(first + block, steps)
            began = time.perf_counter()
            *state, record = self._block(state, given, tf.constant(first), tf.constant(last))
            history.append(np.asarray(record))
            advance(last - first)
            spent = time.perf_counter() - began
            # The first block's time includes the compilation.
            if first and not self._called_by_step:
                grown = _SECONDS_A_BLOCK / max(spent, 1e-3) * block
                block = max(1, min(_LARGEST_BLOCK, round(grown)))
            first = last
        if self._cut:
            raise ModelError(
                "the objective does not depend on the picture in a way that can be derived: the "
                "path between them is cut (whole numbers, an arg-max, a detached layer)"
            )
        return self._pictures(state[0]), np.concatenate(history), np.asarray(state[3]) > 0

    def _pictures(self, variable: Any) -> np.ndarray:
        unit = self._parametrisation.decode(variable, self._size)
        return np.asarray(self._low + np.asarray(unit) * self._range, np.float32)

    def _steps(self, state: Any, items: Any, first: Any, last: Any) -> tuple[Any, ...]:
        """Go from step ``first`` to before ``last``; return the state and each objective."""
        import tensorflow as tf

        if self._called_by_step:
            gradient, values, felt = self._gradient(state[0], items, first)
            moved = tf.maximum(state[3], felt)
            return (*self._adam(state, gradient, first), moved, values[None])
        record = tf.TensorArray(tf.float32, size=last - first, element_shape=(None,))

        def body(step: Any, state: Any, record: Any) -> Any:
            gradient, values, felt = self._gradient(state[0], items, step)
            moved = tf.maximum(state[3], felt)
            state = (*self._adam(state, gradient, step), moved)
            return step + 1, state, record.write(step - first, values)

        _, state, record = tf.while_loop(
            lambda step, *_: step < last, body, (first, tuple(state), record)
        )
        return (*state, record.stack())

    def _gradient(self, variable: Any, items: Any, step: Any) -> tuple[Any, Any, Any]:
        """Return the ascent's direction, the objective and the network's mean gradient."""
        import tensorflow as tf

        drawn = {name: array[step] for name, array in self._draws.items()}
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(variable)
            unit = self._parametrisation.decode(variable, self._size)
            says, costs = self._terms(unit, items, drawn)
        back = tape.gradient(says, unit)
        if back is None:
            self._cut = True
            back = tf.zeros_like(unit)
        size = tf.reduce_mean(tf.abs(back), (1, 2, 3))
        if self._relative:
            # A unit that feels nothing (a dead ReLU) is left alone, not divided by zero.
            back = tf.math.divide_no_nan(back, size[:, None, None, None])
        if costs is not None:
            back += tape.gradient(costs, unit)
            # Counted as the gradients are weighed: what is climbed is their sum.
            says += costs * size if self._relative else costs
        if unit is not variable:
            back = tape.gradient(unit, variable, output_gradients=back)
        return back, says, size

    def _terms(self, unit: Any, items: Any, drawn: dict[str, Any]) -> tuple[Any, Any]:
        """Return what the network's terms and what the penalties come to: N numbers each."""
        import tensorflow as tf

        copies, needs = self._plan.copies, self._objective.needs
        pictures = self._low + self._plan.apply(unit, drawn) * self._range
        layers = [name for name in needs if name != SCORES]
        given = self._network.trace(
            pictures, *layers, scores=SCORES in needs, rectified=self._rectified
        )
        outputs = dict(zip([*layers, SCORES], given, strict=False))
        says: Any = tf.zeros(tf.shape(unit)[:1])
        costs: Any = None
        for term, item in zip(self._objective.terms, items, strict=True):
            if term.measure.needs:
                many = item if item is None or copies == 1 else tf.concat([item] * copies, 0)
                value = term.measure.value([outputs[n] for n in term.measure.needs], many)
                if copies > 1:
                    value = tf.reduce_mean(tf.reshape(value, (copies, -1)), 0)
                says += term.weight * value
            else:
                cost = term.weight * term.measure.value([unit], item)
                costs = cost if costs is None else costs + cost
        return says, costs

    def _adam(self, state: Any, gradient: Any, step: Any) -> tuple[Any, Any, Any]:
        import tensorflow as tf

        variable, first, second, _ = state
        count = tf.cast(step + 1, tf.float32)
        first = _FIRST * first + (1 - _FIRST) * gradient
        second = _SECOND * second + (1 - _SECOND) * gradient * gradient
        rate = self._rate * tf.sqrt(1 - _SECOND**count) / (1 - _FIRST**count)
        variable = variable + rate * first / (tf.sqrt(second) + _TINY)
        return self._parametrisation.settle(variable), first, second


def _in_batches(
    loop: _Loop,
    start: np.ndarray,
    items: Sequence[np.ndarray | None],
    steps: int,
    batch: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what the loop does, of so many pictures at once, for all of them."""
    slices = [slice(first, first + batch) for first in range(0, len(start), batch)]
    parts = []
    with progress("gradient ascent", steps * len(slices)) as bar:
        for part in slices:
            mine = [None if item is None else item[part] for item in items]
            parts.append(loop.run(start[part], mine, steps, bar.advance))
    images, history, moved = (
        np.concatenate([part[i] for part in parts], axis) for i, axis in enumerate((0, 1, 0))
    )
    return images, history, moved


def _checked(
    network: Network,
    objective: Objective,
    start: np.ndarray,
    steps: int,
    copies: int,
    restarts: int,
) -> np.ndarray:
    """See that objective, network and pictures fit; return a start for each picture."""
    for name, number in (("steps", steps), ("copies", copies), ("restarts", restarts)):
        if number < 1:
            raise UsageError(f"{name} must be at least 1. Received: {number}")
    if not objective.needs:
        raise UsageError("an objective must ask the network something, not only penalise")
    for term in objective.terms:
        term.measure.check(network)
    start = np.asarray(start, np.float32)
    channels = network.input.channels
    if start.ndim != 4 or start.shape[-1] != channels or not start.size:
        raise UsageError(f"a start must be N×H×W×{channels}. Received the shape {start.shape}")
    count = objective.count
    if restarts > 1:
        if len(start) != restarts:
            raise UsageError(
                f"{restarts} restarts need as many pictures to start from. Received: {len(start)}"
            )
        start = np.repeat(start, count or 1, axis=0)
    elif count is not None and len(start) == 1:
        start = np.repeat(start, count, axis=0)
    if count not in (None, len(start) // restarts):
        raise UsageError(
            f"the objective speaks of {count} pictures. Received {len(start)} to start from"
        )
    return network.input.clip(start)


def _repeated(items: np.ndarray | None, times: int) -> np.ndarray | None:
    return items if items is None or times == 1 else np.concatenate([items] * times)


def _best(history: np.ndarray, moved: np.ndarray, restarts: int) -> np.ndarray:
    """Return which picture is best for each unit: by the last tenth of the history."""
    count = len(moved) // restarts
    tail = max(1, len(history) // 10)
    # A start from which the unit feels nothing is never better than one from which it does.
    rating = np.where(moved, history[-tail:].mean(axis=0), -np.inf).reshape(restarts, count)
    return np.asarray(rating.argmax(axis=0) * count + np.arange(count))


def _bytes_per_picture(network: Network, objective: Objective, size: tuple[int, int]) -> int:
    """Roughly what one picture takes: each layer that is run, once forward and once back."""
    height, width = network.input.shape[:2]
    scale = 1.0
    if height and width:
        scale = size[0] * size[1] / (height * width)
    run = list(network.layers)
    if SCORES not in objective.needs:
        last = max(network.layer(name).index for name in objective.needs)
        run = [layer for layer in run if layer.index <= last]
    values = 0.0
    for layer in run:
        values += scale * math.prod(n if n is not None else 64 for n in layer.shape)
    # The picture itself: variable, gradient and Adam's two moments.
    return int(8 * values + 24 * size[0] * size[1] * network.input.channels)


def evaluate(network: Network, objective: Objective, images: np.ndarray) -> np.ndarray:
    """Return what the network's terms of an objective come to: N numbers, penalties left out.

    Args:
        network: whom to ask.
        objective: as for `maximise`.
        images: N×H×W×C in the model's values, of any size that the layers take.
    """
    import tensorflow as tf

    asked = Objective(tuple(term for term in objective.terms if term.measure.needs))
    images = _checked(network, asked, images, 1, 1, 1)
    layers = [name for name in asked.needs if name != SCORES]

    def run(pictures: Any, items: Any) -> Any:
        given = network.trace(pictures, *layers, scores=SCORES in asked.needs)
        outputs = dict(zip([*layers, SCORES], given, strict=False))
        return sum(
            term.weight * term.measure.value([outputs[n] for n in term.measure.needs], item)
            for term, item in zip(asked.terms, items, strict=True)
        )

    function = compiled(run, reduce_retracing=True)
    items = [term.measure.items() for term in asked.terms]
    size = (images.shape[1], images.shape[2])
    batch = network.memory.batch_size(_bytes_per_picture(network, asked, size))
    parts = []
    for first in range(0, len(images), batch):
        part = slice(first, first + batch)
        mine = [None if item is None else tf.constant(item[part]) for item in items]
        parts.append(np.asarray(function(tf.constant(images[part]), mine)))
    return np.concatenate(parts)
