"""`PaintingSession`: a painting step by step; its state can be saved, and resumed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from kerascnn.errors import ModelError
from kerascnn.style import colour
from kerascnn.style.forecast import Forecast, forecast
from kerascnn.style.objective import Targets, Value
from kerascnn.style.optimisers import Lbfgs, Optimiser, make_optimiser
from kerascnn.style.pictures import resized
from kerascnn.style.scene import Scene
from kerascnn.style.schedule import on_plateau
from kerascnn.style.transfer import StyleTransfer, decode, encode
from kerascnn.terminal.progress import say
from kerascnn.version import __version__


@dataclass(frozen=True)
class Step:
    """One step of a painting.

    Attributes:
        stage: which size, from 0.
        height: of the picture then.
        width: of the picture then.
        loss: after the step; the sum of the three that follow.
        content: how far the shapes are off, weighted.
        style: how far the style is off, weighted.
        unevenness: what total variation costs.
    """

    stage: int
    height: int
    width: int
    loss: float
    content: float
    style: float
    unevenness: float


class PaintingSession:
    """A painting under way.

    Args:
        painter: who paints.
        scene: what.

    Attributes:
        history: the steps so far.
        stage: which size it is at.
    """

    def __init__(self, painter: StyleTransfer, scene: Scene) -> None:
        self.painter, self.scene = painter, scene
        self.history: list[Step] = []
        self.stage = 0
        self._optimiser: Optimiser | None = None
        self._targets: tuple[int, Targets] | None = None

    @property
    def most_steps(self) -> int:
        """How many steps it takes at the most."""
        return sum(stage.steps for stage in self.scene.stages)

    @property
    def steps_left(self) -> int:
        """How many more steps it takes at the most."""
        ahead = sum(stage.steps for stage in self.scene.stages[self.stage + 1 :])
        return ahead + max(0, self.scene.stages[self.stage].steps - len(self._losses()))

    def forecast(self) -> Forecast:
        """Tell what the rest of it will take, after a step or two at the smallest size."""
        stage = self.scene.stages[0]
        picture = encode(self.scene.content_at(stage.size))
        self.painter.objective.evaluate(picture, self._targets_at(0))  # compiles
        began = time.perf_counter()
        self.painter.objective.evaluate(picture, self._targets_at(0))
        spent = time.perf_counter() - began
        pixels = stage.size[0] * stage.size[1]
        taps = self.painter.objective.taps
        now, *ahead = self.scene.stages[self.stage :]
        left = replace(now, steps=max(0, now.steps - len(self._losses())))
        return forecast([left, *ahead], self.painter.memory, taps, spent / pixels)

    def steps(self) -> Iterator[Step]:
        """Paint, and yield after each step; between two the work can be saved.

        Raises:
            ModelError: the loss is not a number to begin with.
        """
        if self._optimiser is None:
            self._optimiser = self._first()
        while True:
            while self._done():
                if self.stage + 1 == len(self.scene.stages):
                    return
                self._enlarge()
            before = self._optimiser.recovered
            value = self._optimiser.step(self._evaluate)
            if self._optimiser.recovered > before:
                say("the loss was not a number; went back and takes smaller steps")
            self.history.append(self._record(value))
            yield self.history[-1]

    def picture(self) -> np.ndarray:
        """Return the painting so far at its full size, H×W×3 in [0, 1]."""
        if self._optimiser is None:
            return self.scene.content
        unit = np.clip(resized(decode(self._optimiser.picture), self.scene.size), 0.0, 1.0)
        if self.painter.settings.keep_colour == "luminance":
            return colour.with_chroma_of(unit, self.scene.content)
        return unit

    # --- put away and taken up ----------------------------------------------------------------

    def configuration(self) -> dict[str, Any]:
        """Return all that the painting's numbers depend on, of JSON values."""
        import tensorflow as tf

        found = hashlib.sha256()
        for values in (self.scene.content, self.scene.regions, self.scene.start):
            if values is not None:
                found.update(repr(values.shape).encode() + np.ascontiguousarray(values).tobytes())
        return {
            "settings": self.painter.settings.model_dump(mode="json"),
            "content": found.hexdigest(),
            "styles": self.painter.digest(),
            "tiles": [len(self.painter.tiles(stage.size)) for stage in self.scene.stages],
            "versions": [__version__, tf.__version__, np.__version__],
        }

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return arrays and a record (of JSON values) from which `restore` goes on."""
        assert self._optimiser is not None
        record = {
            "stage": self.stage,
            "stalled": self._optimiser.stalled,
            "history": [asdict(step) for step in self.history],
        }
        return self._optimiser.state(), record

    def restore(self, state: Mapping[str, np.ndarray], record: Mapping[str, Any]) -> None:
        """Take up what `state` gave."""
        self.stage = int(record["stage"])
        self.history = [Step(**step) for step in record["history"]]
        self._optimiser = self._make(np.asarray(state["picture"]))
        self._optimiser.restore(state)
        self._optimiser.stalled = bool(record["stalled"])

    # --- inside -------------------------------------------------------------------------------

    def _first(self) -> Optimiser:
        size = self.scene.stages[0].size
        settings = self.painter.settings
        if settings.start == "noise":
            shape = (1, *size, 3)
            # As faint as neural-style's: grey but for what breaks the symmetry.
            noise = np.random.default_rng(settings.seed).standard_normal(shape)
            values = (noise * 1e-3).astype(np.float32)
        elif self.scene.start is not None:
            values = encode(np.clip(resized(self.scene.start, size), 0.0, 1.0))
        else:
            unit = self.scene.content_at(size)
            values = encode(colour.luminance(unit) if self._grey else unit)
        optimiser = self._make(values)
        optimiser.value = self._checked(self._evaluate(values))
        return optimiser

    @property
    def _grey(self) -> bool:
        return self.painter.settings.keep_colour == "luminance"

    def _make(self, values: np.ndarray) -> Optimiser:
        optimiser = make_optimiser(self.painter.settings, values)
        return self._fitted(optimiser)

    def _fitted(self, optimiser: Optimiser) -> Optimiser:
        if isinstance(optimiser, Lbfgs):
            optimiser.history = self.painter.memory.history(self.scene.stages[self.stage].size)
        return optimiser

    def _enlarge(self) -> None:
        """Go on to the next size, with the picture and what the optimiser has learned."""
        assert self._optimiser is not None
        before = self.scene.stages[self.stage].size
        self.stage += 1
        size = self.scene.stages[self.stage].size
        picture = encode(np.clip(resized(decode(self._optimiser.picture), size), 0.0, 1.0))
        shrink = before[0] * before[1] / (size[0] * size[1])

        def resize(values: np.ndarray) -> np.ndarray:
            return resized(values[0], size)[np.newaxis]

        self._optimiser = self._fitted(self._optimiser.carried(picture, resize, shrink))
        self._optimiser.value = self._checked(self._evaluate(picture))

    def _checked(self, value: Value) -> Value:
        if not (np.isfinite(value.loss) and np.isfinite(value.gradient).all()):
            raise ModelError(
                "the loss is not a number from the start: are the network's weights finite?"
            )
        return value

    def _evaluate(self, picture: np.ndarray) -> Value:
        return self.painter.objective.evaluate(picture, self._targets_at(self.stage))

    def _targets_at(self, stage: int) -> Targets:
        if self._targets is None or self._targets[0] != stage:
            size = self.scene.stages[stage].size
            self._targets = (stage, self.painter.targets(self.scene, size))
        return self._targets[1]

    def _losses(self) -> list[float]:
        return [step.loss for step in self.history if step.stage == self.stage]

    def _done(self) -> bool:
        assert self._optimiser is not None
        losses = self._losses()
        return (
            len(losses) >= self.scene.stages[self.stage].steps
            or self._optimiser.stalled
            or on_plateau(losses, self.painter.settings.plateau)
        )

    def _record(self, value: Value) -> Step:
        height, width = self.scene.stages[self.stage].size
        count = len(self.painter.objective.content)
        content, style = value.terms[:count], value.terms[count:-1]
        return Step(
            self.stage, height, width, value.loss,
            float(content.sum()), float(style.sum()), float(value.terms[-1]),
        )  # fmt: skip
