"""Gradient ascent: the loop over steps, compiled as a whole, for all pictures at once."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kerascnn.ascent.adam import adam_rate, adam_step
from kerascnn.ascent.objective import SCORES, Measure, Objective, shortened
from kerascnn.ascent.parametrisation import Parametrisation, Pixels
from kerascnn.ascent.transforms import Plan, Transform, plan
from kerascnn.errors import ModelError, UsageError
from kerascnn.graph.compiled import compiled
from kerascnn.terminal.progress import progress

if TYPE_CHECKING:
    from tensorflow import Tensor

    from kerascnn.network.network import Network

Items = Sequence[np.ndarray | None]
State = tuple["Tensor", "Tensor", "Tensor", "Tensor"]
"""The variable, Adam's two moments, and the largest gradient of the network's terms so far."""

_TINY = 1e-8  # Adam's usual constant
# Between two looks at the clock (and at Ctrl-C) an ascent runs for about so long.
_SECONDS_A_BLOCK = 1.0
_LARGEST_BLOCK = 1 << 20


@dataclass(frozen=True)
class Ascent:
    """The result of an ascent.

    Attributes:
        images: N×H×W×C in the model's values.
        history: steps × N, the objective before each step, of the pictures as transformed then.
        moved: N, whether the network's terms ever had a gradient; where not (a dead ReLU), only the
            penalties changed the picture.
    """

    images: np.ndarray
    history: np.ndarray
    moved: np.ndarray

    def replaced(self, pictures: Sequence[int], other: Ascent) -> Ascent:
        """Return the same ascent with some pictures, by number, replaced by those of another."""
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
    """Change pictures so that an objective rises: gradient ascent with Adam; weights stay fixed.

    All pictures are changed together, in batches bounded by the network's memory; none influences
    another. Values stay between black and white in every step.

    Args:
        network: whose activations are maximised.
        objective: a sum of terms, see `units`, `classes`, `l1`, ….
        start: N×H×W×C in the model's values; one picture is used for all units of the objective.
            With ``restarts``, that many pictures, each used for all units.
        steps: how many.
        rate: of Adam, in the parametrisation's variable.
        parametrisation: what is changed; `Pixels` by default.
        transforms: random changes, in every step, under which the objective must rise too.
        copies: how many differently transformed copies of a picture each step averages over.
        relative: divide the gradient of the network's terms, picture by picture, by its mean
            absolute value, so that penalties weigh as much on every network and unit.
        restarts: how many pictures to start from for each unit; the best by the objective at the
            end is kept.
        rectified: False maximises what goes into the ReLU that the objective's one layer ends in;
            so a unit that is dead at the start still has a gradient.
        seed: of the transforms.

    Raises:
        UsageError: the objective does not fit the network or the pictures.
        ModelError: the objective has no gradient by the picture, or is not finite.
    """
    for name, number in (("steps", steps), ("copies", copies), ("restarts", restarts)):
        if number < 1:
            raise UsageError(f"{name} must be at least 1. Received: {number}")
    start = _checked(network, objective, start, restarts)
    size = (start.shape[1], start.shape[2])
    drawn = plan(transforms, steps, copies, size, np.random.default_rng(seed))
    objective = shortened(objective, network, size) if rectified else objective
    made = parametrisation if parametrisation is not None else Pixels()
    loop = _Loop(network, objective, made, drawn, size, rate, relative, rectified)
    items = [
        None if term.measure.items is None else np.concatenate([term.measure.items] * restarts)
        for term in objective.terms
    ]
    batch = network.memory.batch_size(copies * _bytes_per_picture(network, objective, size))
    slices = [slice(first, first + batch) for first in range(0, len(start), batch)]
    with progress("gradient ascent", steps * len(slices)) as bar:
        parts = [loop.run(start[part], _part(items, part), steps, bar.advance) for part in slices]
    images, history, moved = (
        np.concatenate([part[i] for part in parts], axis) for i, axis in enumerate((0, 1, 0))
    )
    if not (np.isfinite(images).all() and np.isfinite(history).all()):
        raise ModelError(
            "the objective gives NaN or infinite numbers (kerascnn inspect tells whether the "
            "model's weights are finite; else a smaller --rate helps)"
        )
    best = _best(history, moved, restarts)
    return Ascent(images[best], history[:, best], moved[best])


@dataclass(eq=False)
class _Loop:
    """The compiled loop of one objective on one network; see `maximise`."""

    network: Network
    objective: Objective
    parametrisation: Parametrisation
    plan: Plan
    size: tuple[int, int]
    rate: float
    relative: bool
    rectified: bool

    def __post_init__(self) -> None:
        import tensorflow as tf

        self._low, self._range = self.network.input.low, self.network.input.noise_scale
        self._draws = {name: tf.constant(array) for name, array in self.plan.drawn.items()}
        self._cut = False
        # Pooling with channels first has no gradient on a processor. Keras 3 and TensorFlow
        # exchange the axes, but TensorFlow not within a loop: there each step is its own call.
        self._called_by_step = self.network.family == "keras2" and any(
            layer.shape != layer.stored_shape for layer in self.network.layers
        )
        self._block = compiled(self._steps, reduce_retracing=True)

    def run(
        self, start: np.ndarray, items: Items, steps: int, advance: Callable[[int], object]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the pictures, the history (steps × N) and which pictures had a gradient."""
        import tensorflow as tf

        unit = (start - self._low) / self._range
        variable = tf.constant(self.parametrisation.encode(unit), tf.float32)
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
        unit = np.asarray(self.parametrisation.decode(state[0], self.size))
        images = np.asarray(self._low + unit * self._range, np.float32)
        return images, np.concatenate(history), np.asarray(state[3]) > 0

    def _steps(
        self, state: State, items: Sequence[Tensor], first: Tensor, last: Tensor
    ) -> tuple[Tensor, ...]:
        """Go from step ``first`` to before ``last``; return the state and each objective."""
        import tensorflow as tf

        if self._called_by_step:
            state, values = self._step(state, items, first)
            return (*state, values[None])
        record = tf.TensorArray(tf.float32, size=last - first, element_shape=(None,))

        def body(step: Tensor, state: State, record: Tensor) -> tuple[Tensor, State, Tensor]:
            state, values = self._step(state, items, step)
            return step + 1, state, record.write(step - first, values)

        _, state, record = tf.while_loop(
            lambda step, *_: step < last, body, (first, tuple(state), record)
        )
        return (*state, record.stack())

    def _step(self, state: State, items: Sequence[Tensor], step: Tensor) -> tuple[State, Tensor]:
        """Return the state after a step of Adam, and the objective before it."""
        import tensorflow as tf

        variable, first, second, moved = state
        gradient, values, strength = self._gradient(variable, items, step)
        rate = adam_rate(self.rate, tf.cast(step + 1, tf.float32), tf.sqrt)
        change, first, second = adam_step(gradient, first, second, rate, tf.sqrt, _TINY)
        variable = self.parametrisation.settle(variable + change)
        return (variable, first, second, tf.maximum(moved, strength)), values

    def _gradient(
        self, variable: Tensor, items: Sequence[Tensor], step: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the ascent's direction, the objective, and the size of the network's gradient."""
        import tensorflow as tf

        drawn = {name: array[step] for name, array in self._draws.items()}
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(variable)
            unit = self.parametrisation.decode(variable, self.size)
            value = self._network_terms(unit, items, drawn)
            penalty = self._penalties(unit, items)
        gradient = tape.gradient(value, unit)
        if gradient is None:
            self._cut = True
            gradient = tf.zeros_like(unit)
        strength = tf.reduce_mean(tf.abs(gradient), (1, 2, 3))
        if self.relative:
            # A unit without a gradient (a dead ReLU) is left alone, not divided by zero.
            gradient = tf.math.divide_no_nan(gradient, strength[:, None, None, None])
        if penalty is not None:
            gradient += tape.gradient(penalty, unit)
            # Weighed as the gradients are: it is their sum that is climbed.
            value += penalty * strength if self.relative else penalty
        if unit is not variable:
            gradient = tape.gradient(unit, variable, output_gradients=gradient)
        return gradient, value, strength

    def _network_terms(
        self, unit: Tensor, items: Sequence[Tensor], drawn: dict[str, Tensor]
    ) -> Tensor:
        """Return the sum of the network's terms, averaged over the copies: N numbers."""
        import tensorflow as tf

        copies = self.plan.copies
        pictures = self._low + self.plan.apply(unit, drawn) * self._range
        given = _outputs(self.network, self.objective, pictures, self.rectified)
        total: Tensor = tf.zeros(tf.shape(unit)[:1])
        for term, item in zip(self.objective.terms, items, strict=True):
            if term.measure.needs:
                many = item if item is None or copies == 1 else tf.concat([item] * copies, 0)
                value = term.measure.value(given(term.measure), many)
                if copies > 1:
                    value = tf.reduce_mean(tf.reshape(value, (copies, -1)), 0)
                total += term.weight * value
        return total

    def _penalties(self, unit: Tensor, items: Sequence[Tensor]) -> Tensor | None:
        """Return the sum of the other terms: N numbers; None without any."""
        found = [
            term.weight * term.measure.value([unit], item)
            for term, item in zip(self.objective.terms, items, strict=True)
            if not term.measure.needs
        ]
        return sum(found[1:], found[0]) if found else None


def _outputs(
    network: Network, objective: Objective, pictures: Tensor, rectified: bool = True
) -> Callable[[Measure], list[Tensor]]:
    """Run the network once; return what gives each measure the outputs that it needs."""
    names = [name for name in objective.needs if name != SCORES]
    scores = SCORES in objective.needs
    given = network.trace(pictures, *names, scores=scores, rectified=rectified)
    outputs = dict(zip([*names, SCORES], given, strict=False))
    return lambda measure: [outputs[name] for name in measure.needs]


def _part(items: Items, part: slice) -> Items:
    return [None if item is None else item[part] for item in items]


def _checked(
    network: Network, objective: Objective, start: np.ndarray, restarts: int = 1
) -> np.ndarray:
    """Check that objective, network and pictures fit; return a start for each picture."""
    if not objective.needs:
        raise UsageError(
            "an objective must measure something of the network; penalties alone are none"
        )
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
            f"the objective is for {count} pictures. Received: {len(start)} to start from"
        )
    return network.input.clip(start)


def _best(history: np.ndarray, moved: np.ndarray, restarts: int) -> np.ndarray:
    """Return which picture is best for each unit: by the last tenth of the history."""
    count = len(moved) // restarts
    tail = max(1, len(history) // 10)
    # A start without a gradient is never better than one with one.
    rating = np.where(moved, history[-tail:].mean(axis=0), -np.inf).reshape(restarts, count)
    return np.asarray(rating.argmax(axis=0) * count + np.arange(count))


def _bytes_per_picture(network: Network, objective: Objective, size: tuple[int, int]) -> int:
    """Return about how many bytes one picture takes: all layers that run, forward and back."""
    height, width = network.input.shape[:2]
    scale = size[0] * size[1] / (height * width) if height and width else 1.0
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
    """Return the network's terms of an objective added up: N numbers, penalties left out.

    Args:
        network: what is measured.
        objective: as for `maximise`.
        images: N×H×W×C in the model's values, of any size that the layers take.
    """
    measured = Objective(tuple(term for term in objective.terms if term.measure.needs))
    images = _checked(network, measured, images)

    def run(pictures: Tensor, items: Sequence[Tensor]) -> Tensor:
        given = _outputs(network, measured, pictures)
        return sum(
            term.weight * term.measure.value(given(term.measure), item)
            for term, item in zip(measured.terms, items, strict=True)
        )

    function = compiled(run, reduce_retracing=True)
    items = [term.measure.items for term in measured.terms]
    size = (images.shape[1], images.shape[2])
    batch = network.memory.batch_size(_bytes_per_picture(network, measured, size))
    parts = []
    for first in range(0, len(images), batch):
        part = slice(first, first + batch)
        parts.append(np.asarray(function(images[part], _part(items, part))))
    return np.concatenate(parts)
