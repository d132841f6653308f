"""What goes downhill: L-BFGS (Liu and Nocedal 1989) and Adam (Kingma and Ba 2015).

Both are ours for three things that SciPy's L-BFGS-B and Keras' Adam don't do: their whole state can
be written down and taken up again bit for bit, it is carried over to a larger picture, and one step
is one call, between which a picture can be saved. `tests/test_style_optimisers.py` holds L-BFGS
against SciPy's.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from kerascnn.style.objective import Value

Evaluate = Callable[[np.ndarray], Value]
Resize = Callable[[np.ndarray], np.ndarray]

_ENOUGH = 1e-4  # of the decrease that the slope promises (Armijo)
_HALVINGS = 12
_LEVELS = 2.0  # how many grey levels an average pixel moves where nothing is known of curvature


class Optimiser(abc.ABC):
    """Goes downhill from a picture, step by step.

    Args:
        start: the picture, 1×H×W×3 float32.

    Attributes:
        picture: where it is.
        value: the loss there; None before the first step.
        stalled: whether no step goes down any more.
        recovered: how often a loss was no number, and a step taken back.
    """

    def __init__(self, start: np.ndarray) -> None:
        self.picture = np.asarray(start, np.float32)
        self.value: Value | None = None
        self.stalled = False
        self.recovered = 0

    @abc.abstractmethod
    def step(self, evaluate: Evaluate) -> Value:
        """Take a step and return the loss of the picture that it led to."""

    @abc.abstractmethod
    def carried(self, picture: np.ndarray, resize: Resize, shrink: float) -> Optimiser:
        """Return one that goes on at another size with what this one has learned.

        Args:
            picture: the picture at that size.
            resize: brings any array of a picture's shape to it.
            shrink: how much smaller a pixel's slope is there.
        """

    @abc.abstractmethod
    def state(self) -> dict[str, np.ndarray]:
        """Return all that the next steps depend on."""

    @abc.abstractmethod
    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take up a state."""

    def _common(self) -> dict[str, np.ndarray]:
        found = {"picture": self.picture, "recovered": np.array(self.recovered)}
        if self.value is not None:
            found["gradient"] = self.value.gradient
            found["terms"] = self.value.terms
            found["loss"] = np.array(self.value.loss)
        return found

    def _take(self, state: Mapping[str, np.ndarray]) -> None:
        self.picture, self.recovered = state["picture"], int(state["recovered"])
        self.value = None
        if "loss" in state:
            self.value = Value(float(state["loss"]), state["terms"], state["gradient"])


class Lbfgs(Optimiser):
    """L-BFGS by the two-loop recursion.

    Args:
        start: as of `Optimiser`.
        history: how many pairs it keeps.
        search: halve a step until the loss falls enough. Without, and with a first step of
            min(1, 1/‖g‖₁), it is what neural-style runs.
        broad: begin the inverse Hessian not with the identity but with f^−½, f being the frequency
            of a wave across the picture: broad strokes are settled in fewer steps.
    """

    def __init__(
        self,
        start: np.ndarray,
        history: int = 10,
        *,
        search: bool = True,
        broad: bool = False,
    ) -> None:
        super().__init__(start)
        self.history, self._search, self._broad = history, search, broad
        self._steps: list[np.ndarray] = []
        self._changes: list[np.ndarray] = []

    def step(self, evaluate: Evaluate) -> Value:
        """Take a step and return the loss of the picture that it led to."""
        here = self.value if self.value is not None else evaluate(self.picture)
        direction = self._direction(here.gradient)
        slope = _dot(direction, here.gradient)
        if slope >= 0.0:  # rounding has spoilt the pairs, or the slope is zero
            self._forget()
            direction = -here.gradient
            slope = _dot(direction, here.gradient)
        length = self._first_length(here.gradient)
        for _ in range(_HALVINGS):
            picture = self.picture + np.float32(length) * direction
            there = evaluate(picture)
            if not _finite(there):
                self.recovered += 1
            elif not self._search or there.loss <= here.loss + _ENOUGH * length * slope:
                self._learn(picture - self.picture, there.gradient - here.gradient)
                self.picture, self.value = picture, there
                return there
            length *= 0.5
        # Pairs that lead nowhere are worth nothing; without any, this is the bottom.
        self.stalled = not self._steps
        self._forget()
        self.value = here
        return here

    def carried(self, picture: np.ndarray, resize: Resize, shrink: float) -> Lbfgs:
        """Return one that begins at another size with the pairs of this one."""
        other = Lbfgs(picture, self.history, search=self._search, broad=self._broad)
        other.recovered = self.recovered
        for step, change in zip(self._steps, self._changes, strict=True):
            other._learn(resize(step), resize(change) * np.float32(shrink))
        return other

    def state(self) -> dict[str, np.ndarray]:
        """Return the picture, its loss and the pairs."""
        found = self._common()
        for name, pairs in (("step", self._steps), ("change", self._changes)):
            found.update({f"{name}{i}": pair for i, pair in enumerate(pairs)})
        return found

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take up a state."""
        self._take(state)
        count = sum(name.startswith("step") for name in state)
        self._steps = [state[f"step{i}"] for i in range(count)]
        self._changes = [state[f"change{i}"] for i in range(count)]

    def _direction(self, gradient: np.ndarray) -> np.ndarray:
        """Return −H·gradient, H being the inverse Hessian that the pairs tell of."""
        direction = -gradient
        if not self._steps:
            return direction
        weights = []
        pairs = list(zip(self._steps, self._changes, strict=True))
        for step, change in reversed(pairs):
            weight = _dot(step, direction) / _dot(step, change)
            weights.append(weight)
            direction -= np.float32(weight) * change
        step, change = pairs[-1]
        broadened = self._broadened(change)
        direction = self._broadened(direction)
        direction *= np.float32(_dot(step, change) / _dot(change, broadened))
        for (step, change), weight in zip(pairs, reversed(weights), strict=True):
            back = _dot(change, direction) / _dot(step, change)
            direction += np.float32(weight - back) * step
        return direction

    def _broadened(self, picture: np.ndarray) -> np.ndarray:
        """Return a picture with its waves of frequency f weighed by f^−½."""
        if not self._broad:
            return picture
        from scipy import fft

        # Cosine waves: they need no picture that goes on at the other side where it ends.
        waves = fft.dctn(picture, axes=(1, 2), norm="ortho")
        high, wide = picture.shape[1:3]
        frequency = np.hypot(np.arange(high)[:, None] / high, np.arange(wide) / wide)
        weights = np.maximum(frequency, 1.0 / max(high, wide)) ** -0.5
        waves *= weights[:, :, None].astype(np.float32)
        return np.asarray(fft.idctn(waves, axes=(1, 2), norm="ortho"))

    def _first_length(self, gradient: np.ndarray) -> float:
        if self._steps:
            return 1.0
        size = float(np.abs(gradient).sum(dtype=np.float64))
        if not self._search:
            return min(1.0, 1.0 / max(size, 1e-30))
        return _LEVELS * gradient.size / max(size, 1e-30)

    def _learn(self, step: np.ndarray, change: np.ndarray) -> None:
        if _dot(step, change) > 1e-10:
            self._steps.append(step)
            self._changes.append(change)
            if len(self._steps) > self.history:
                del self._steps[0], self._changes[0]

    def _forget(self) -> None:
        self._steps, self._changes = [], []


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

    def step(self, evaluate: Evaluate) -> Value:
        """Take a step and return the loss of the picture that it led to."""
        here = self.value if self.value is not None else evaluate(self.picture)
        gradient = here.gradient
        count = self._count + 1
        first = np.float32(0.9) * self._first + np.float32(0.1) * gradient
        second = np.float32(0.999) * self._second + np.float32(0.001) * gradient * gradient
        rate = self._rate * float(np.sqrt(1.0 - 0.999**count)) / (1.0 - 0.9**count)
        # The slopes of means over a picture are small; so must be what is added to their size.
        picture = self.picture - np.float32(rate) * first / (np.sqrt(second) + np.float32(1e-12))
        there = evaluate(picture)
        if not _finite(there):
            self.recovered += 1
            self.stalled = self.recovered > _HALVINGS
            self._rate *= 0.5
            self.value = here
            return here
        self._first, self._second, self._count = first, second, count
        self.picture, self.value = picture, there
        return there

    def carried(self, picture: np.ndarray, resize: Resize, shrink: float) -> Adam:
        """Return one that begins at another size with the moments of this one."""
        other = Adam(picture, self._rate)
        other.recovered, other._count = self.recovered, self._count
        other._first = resize(self._first) * np.float32(shrink)
        other._second = np.maximum(resize(self._second), 0.0) * np.float32(shrink**2)
        return other

    def state(self) -> dict[str, np.ndarray]:
        """Return the picture, its loss, the moments and the rate."""
        return {
            **self._common(),
            "first": self._first,
            "second": self._second,
            "count": np.array(self._count),
            "rate": np.array(self._rate),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take up a state."""
        self._take(state)
        self._first, self._second = state["first"], state["second"]
        self._count, self._rate = int(state["count"]), float(state["rate"])


def make_optimiser(settings: Any, start: np.ndarray) -> Optimiser:
    """Return the optimiser that the settings name."""
    if settings.optimiser == "adam":
        return Adam(start, settings.rate)
    exact = settings.exact_neural_style
    return Lbfgs(start, settings.history, search=not exact, broad=settings.broad and not exact)


def _dot(one: np.ndarray, two: np.ndarray) -> float:
    return float(np.dot(one.ravel(), two.ravel()))


def _finite(value: Value) -> bool:
    return bool(np.isfinite(value.loss) and np.isfinite(value.gradient).all())
