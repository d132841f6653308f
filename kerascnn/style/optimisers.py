"""The optimisers: L-BFGS (Liu and Nocedal 1989) and Adam (Kingma and Ba 2015).

They do three things that SciPy's L-BFGS-B and Keras' Adam don't: their whole state can be saved and
restored bit for bit, it is carried over to a larger picture, and one step is one call, between
which a picture can be saved. The tests compare L-BFGS with SciPy's.
"""

from __future__ import annotations

import abc
import copy
import math
from collections.abc import Callable, Mapping

import numpy as np

from kerascnn.ascent.adam import adam_rate, adam_step
from kerascnn.style.objective import Value
from kerascnn.style.settings import StyleSettings

Evaluate = Callable[[np.ndarray], Value]
Resize = Callable[[np.ndarray], np.ndarray]

_ENOUGH = 1e-4  # the least share of the decrease that the slope predicts (Armijo)
_HALVINGS = 12
_LEVELS = 2.0  # how many grey levels an average pixel moves before any curvature is known
_TINY = 1e-12  # Adam's: the gradients of means over a picture are small


class Optimiser(abc.ABC):
    """Lowers the loss of a picture, step by step.

    Args:
        start: the picture, 1×H×W×3 float32.

    Attributes:
        picture: the picture now.
        value: its loss; None before the first step.
        history: how many pairs it keeps, if it keeps any.
        stalled: whether no step lowers the loss any more.
        recovered: how often a loss was not finite, and the step undone.
    """

    def __init__(self, start: np.ndarray) -> None:
        self.picture = np.asarray(start, np.float32)
        self.value: Value | None = None
        self.history = 0
        self.stalled = False
        self.recovered = 0

    def step(self, evaluate: Evaluate) -> Value:
        """Take a step and return the loss of the new picture."""
        here = self.value if self.value is not None else evaluate(self.picture)
        self.value = self._step(here, evaluate)
        return self.value

    def carried(self, picture: np.ndarray, resize: Resize, shrink: float) -> Optimiser:
        """Return one for another size that has the pairs or moments of this one.

        Args:
            picture: the picture at that size.
            resize: resizes any array of a picture's shape to it.
            shrink: how much smaller a pixel's gradient is there.
        """
        other = copy.copy(self)
        other.picture, other.value, other.stalled = picture, None, False
        other._resize(resize, shrink)
        return other

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that the next steps depend on."""
        found = {"picture": self.picture, "recovered": np.array(self.recovered), **self._memory()}
        if self.value is not None:
            found["gradient"] = self.value.gradient
            found["terms"] = self.value.terms
            found["loss"] = np.array(self.value.loss)
        return found

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go back to what `state` returned."""
        self.picture, self.recovered = state["picture"], int(state["recovered"])
        self.value = None
        if "loss" in state:
            self.value = Value(float(state["loss"]), state["terms"], state["gradient"])
        self._remember(state)

    @abc.abstractmethod
    def _step(self, here: Value, evaluate: Evaluate) -> Value:
        """Change the picture, whose loss is ``here``; return the new loss."""

    @abc.abstractmethod
    def _resize(self, resize: Resize, shrink: float) -> None:
        """Bring what was learned to another size; what belongs to the old one must not change."""

    @abc.abstractmethod
    def _memory(self) -> dict[str, np.ndarray]:
        """Return what was learned, for `state`."""

    @abc.abstractmethod
    def _remember(self, state: Mapping[str, np.ndarray]) -> None:
        """Take what `_memory` returned."""


class Lbfgs(Optimiser):
    """L-BFGS by the two-loop recursion.

    Args:
        start: as of `Optimiser`.
        history: how many pairs it keeps.
        search: halve a step until the loss falls enough. False gives neural-style's L-BFGS, which
            has no search and a first step of min(1, 1/‖g‖₁).
        broad: start the inverse Hessian not from the identity but from f^−½, f being the frequency
            of a wave across the picture: low frequencies converge in fewer steps.
    """

    def __init__(
        self, start: np.ndarray, history: int = 10, *, search: bool = True, broad: bool = False
    ) -> None:
        super().__init__(start)
        self.history, self._search, self._broad = history, search, broad
        self._pairs: list[tuple[np.ndarray, np.ndarray]] = []  # steps, changes of the gradient

    def _step(self, here: Value, evaluate: Evaluate) -> Value:
        direction = self._direction(here.gradient)
        slope = _dot(direction, here.gradient)
        if slope >= 0.0:  # the pairs are wrong by rounding, or the gradient is zero
            self._pairs = []
            direction = -here.gradient
            slope = _dot(direction, here.gradient)
        length = self._first_length(here.gradient)
        for _ in range(_HALVINGS):
            picture = self.picture + np.float32(length) * direction
            there = evaluate(picture)
            if not there.is_finite:
                self.recovered += 1
            elif not self._search or there.loss <= here.loss + _ENOUGH * length * slope:
                self._learn(picture - self.picture, there.gradient - here.gradient)
                self.picture = picture
                return there
            length *= 0.5
        # Pairs that give no descent are useless; without any, this is the minimum.
        self.stalled = not self._pairs
        self._pairs = []
        return here

    def _resize(self, resize: Resize, shrink: float) -> None:
        pairs, self._pairs = self._pairs, []
        for step, change in pairs:
            self._learn(resize(step), resize(change) * np.float32(shrink))

    def _memory(self) -> dict[str, np.ndarray]:
        found = {f"step{i}": step for i, (step, _) in enumerate(self._pairs)}
        return found | {f"change{i}": change for i, (_, change) in enumerate(self._pairs)}

    def _remember(self, state: Mapping[str, np.ndarray]) -> None:
        count = sum(name.startswith("step") for name in state)
        self._pairs = [(state[f"step{i}"], state[f"change{i}"]) for i in range(count)]

    def _direction(self, gradient: np.ndarray) -> np.ndarray:
        """Return −H·gradient, H being the inverse Hessian that the pairs estimate."""
        direction = -gradient
        if not self._pairs:
            return direction
        weights = []
        for step, change in reversed(self._pairs):
            weight = _dot(step, direction) / _dot(step, change)
            weights.append(weight)
            direction -= np.float32(weight) * change
        step, change = self._pairs[-1]
        broadened = self._broadened(change)
        direction = self._broadened(direction)
        direction *= np.float32(_dot(step, change) / _dot(change, broadened))
        for (step, change), weight in zip(self._pairs, reversed(weights), strict=True):
            back = _dot(change, direction) / _dot(step, change)
            direction += np.float32(weight - back) * step
        return direction

    def _broadened(self, picture: np.ndarray) -> np.ndarray:
        """Return a picture with its waves of frequency f weighted by f^−½."""
        if not self._broad:
            return picture
        from scipy import fft

        # Cosine waves do not assume that the picture repeats beyond its edges.
        waves = fft.dctn(picture, axes=(1, 2), norm="ortho")
        high, wide = picture.shape[1:3]
        frequency = np.hypot(np.arange(high)[:, None] / high, np.arange(wide) / wide)
        weights = np.maximum(frequency, 1.0 / max(high, wide)) ** -0.5
        waves *= weights[:, :, None].astype(np.float32)
        return np.asarray(fft.idctn(waves, axes=(1, 2), norm="ortho"))

    def _first_length(self, gradient: np.ndarray) -> float:
        if self._pairs:
            return 1.0
        size = float(np.abs(gradient).sum(dtype=np.float64))
        if not self._search:
            return min(1.0, 1.0 / max(size, 1e-30))
        return _LEVELS * gradient.size / max(size, 1e-30)

    def _learn(self, step: np.ndarray, change: np.ndarray) -> None:
        if _dot(step, change) > 1e-10:
            oldest = 1 if len(self._pairs) >= self.history else 0
            self._pairs = [*self._pairs[oldest:], (step, change)]


class Adam(Optimiser):
    """Adam.

    Args:
        start: as of `Optimiser`.
        rate: of the step, in the picture's values.
    """

    def __init__(self, start: np.ndarray, rate: float = 4.0) -> None:
        super().__init__(start)
        self._rate, self._count = rate, 0
        self._first = np.zeros_like(self.picture)
        self._second = np.zeros_like(self.picture)

    def _step(self, here: Value, evaluate: Evaluate) -> Value:
        count = self._count + 1
        rate = float(adam_rate(self._rate, count, math.sqrt))
        change, first, second = adam_step(
            here.gradient, self._first, self._second, rate, np.sqrt, _TINY
        )
        picture = self.picture - change
        there = evaluate(picture)
        if not there.is_finite:
            self.recovered += 1
            self.stalled = self.recovered > _HALVINGS
            self._rate *= 0.5
            return here
        self._first, self._second, self._count = first, second, count
        self.picture = picture
        return there

    def _resize(self, resize: Resize, shrink: float) -> None:
        self._first = resize(self._first) * np.float32(shrink)
        self._second = np.maximum(resize(self._second), 0.0) * np.float32(shrink**2)

    def _memory(self) -> dict[str, np.ndarray]:
        count, rate = np.array(self._count), np.array(self._rate)
        return {"first": self._first, "second": self._second, "count": count, "rate": rate}

    def _remember(self, state: Mapping[str, np.ndarray]) -> None:
        self._first, self._second = state["first"], state["second"]
        self._count, self._rate = int(state["count"]), float(state["rate"])


def make_optimiser(settings: StyleSettings, start: np.ndarray) -> Optimiser:
    """Return the optimiser that the settings name."""
    if settings.optimiser == "adam":
        return Adam(start, settings.rate)
    exact = settings.exact_neural_style
    return Lbfgs(start, settings.history, search=not exact, broad=settings.broad and not exact)


def _dot(one: np.ndarray, two: np.ndarray) -> float:
    return float(np.dot(one.ravel(), two.ravel()))
