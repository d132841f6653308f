"""`PaintingSession`: a painting made step by step; its state can be saved and restored."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from kerascnn.errors import ModelError
from kerascnn.style import colour
from kerascnn.style.forecast import Forecast, forecast
from kerascnn.style.objective import Targets, Value
from kerascnn.style.optimisers import Optimiser, make_optimiser
from kerascnn.style.pictures import resized
from kerascnn.style.schedule import Scene, on_plateau
from kerascnn.style.transfer import StyleTransfer, decode, digest, encode
from kerascnn.terminal.progress import say
from kerascnn.version import __version__

_OLD_KEYS = {"unevenness": "total_variation"}  # of states that were saved before 0.1.0


@dataclass(frozen=True)
class Step:
    """One step of a painting.

    Attributes:
        stage: which size, from 0.
        height: of the picture then, in pixels.
        width: of the picture then, in pixels.
        loss: after the step; the sum of the three that follow.
        content: the content layers' terms.
        style: the style layers' terms.
        total_variation: the total variation's term.
    """

    stage: int
    height: int
    width: int
    loss: float
    content: float
    style: float
    total_variation: float

    def text(self) -> str:
        """Return it as a progress bar shows it."""
        return f"painting {self.width}×{self.height}, loss {self.loss:.4g}"


class PaintingSession:
    """A painting in progress.

    Args:
        transfer: the network and the style.
        scene: what is painted, from `StyleTransfer.scene`.

    Attributes:
        history: the steps so far.
        stage: the number of the present size.
    """

    def __init__(self, transfer: StyleTransfer, scene: Scene) -> None:
        self.transfer, self.scene = transfer, scene
        self.history: list[Step] = []
        self.stage = 0
        self._optimiser: Optimiser | None = None
        self._targets: tuple[int, Targets] | None = None

    @property
    def most_steps(self) -> int:
        """How many steps it takes at the most."""
        return sum(stage.steps for stage in self.scene.stages)

    def forecast(self) -> Forecast:
        """Predict what the remaining steps take; measures a step at the smallest size."""
        stage, targets = self.scene.stages[0], self._targets_at(0)
        picture = encode(self.scene.content_at(stage.size))
        objective = self.transfer.objective
        objective.evaluate(picture, targets)  # compiles
        began = time.perf_counter()
        objective.evaluate(picture, targets)
        seconds = time.perf_counter() - began
        now, *later = self.scene.stages[self.stage :]
        left = [replace(now, steps=max(0, now.steps - len(self._losses()))), *later]
        pixels = stage.size[0] * stage.size[1]
        return forecast(left, self.transfer.memory, objective.taps, seconds / pixels)

    def steps(self) -> Iterator[Step]:
        """Paint, and yield after each step; between two steps the state can be saved.

        Raises:
            ModelError: the loss of the first picture is not finite.
        """
        if self._optimiser is None:
            self._optimiser = self._first()
        while True:
            while self._is_done(self._optimiser):
                if self.stage + 1 == len(self.scene.stages):
                    return
                self._optimiser = self._enlarged(self._optimiser)
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
        if self.transfer.settings.keep_colour == "luminance":
            return colour.with_chroma_of(unit, self.scene.content)
        return np.asarray(unit)

    def configuration(self) -> dict[str, Any]:
        """Return everything that the painting's numbers depend on, of JSON values."""
        import tensorflow as tf

        arrays = (self.scene.content, self.scene.regions, self.scene.start)
        return {
            "settings": self.transfer.settings.model_dump(mode="json"),
            "content": digest(values for values in arrays if values is not None),
            "styles": self.transfer.digest(),
            "tiles": [len(self.transfer.tiles(stage.size)) for stage in self.scene.stages],
            "versions": [__version__, tf.__version__, np.__version__],
        }

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return arrays, and a record of JSON values, for `restore`."""
        assert self._optimiser is not None
        record = {
            "stage": self.stage,
            "stalled": self._optimiser.stalled,
            "history": [asdict(step) for step in self.history],
        }
        return self._optimiser.state(), record

    def restore(self, state: Mapping[str, np.ndarray], record: Mapping[str, Any]) -> bool:
        """Go back to what `state` returned. Anything wrong with it raises and changes nothing."""
        stage = int(record["stage"])
        history = [
            Step(**{_OLD_KEYS.get(key, key): value for key, value in step.items()})
            for step in record["history"]
        ]
        optimiser = make_optimiser(self.transfer.settings, np.asarray(state["picture"]))
        optimiser.history = self.transfer.memory.history(self.scene.stages[stage].size)
        optimiser.restore(state)
        optimiser.stalled = bool(record["stalled"])
        self.stage, self.history, self._optimiser = stage, history, optimiser
        return True

    def _first(self) -> Optimiser:
        size, settings = self.scene.stages[0].size, self.transfer.settings
        if settings.start == "noise":
            # As faint as neural-style's: grey except for what breaks the symmetry.
            noise = np.random.default_rng(settings.seed).standard_normal((1, *size, 3))
            values = (noise * 1e-3).astype(np.float32)
        elif self.scene.start is not None:
            values = encode(np.clip(resized(self.scene.start, size), 0.0, 1.0))
        else:
            values = encode(self.transfer.content(self.scene, size))
        return self._evaluated(make_optimiser(settings, values))

    def _enlarged(self, optimiser: Optimiser) -> Optimiser:
        """Go on to the next size; return an optimiser with its picture and this one's memory."""
        before = self.scene.stages[self.stage].size
        self.stage += 1
        size = self.scene.stages[self.stage].size
        picture = encode(np.clip(resized(decode(optimiser.picture), size), 0.0, 1.0))
        shrink = before[0] * before[1] / (size[0] * size[1])

        def resize(values: np.ndarray) -> np.ndarray:
            return resized(values[0], size)[np.newaxis]

        return self._evaluated(optimiser.carried(picture, resize, shrink))

    def _evaluated(self, optimiser: Optimiser) -> Optimiser:
        """Let an optimiser begin at the present size."""
        optimiser.history = self.transfer.memory.history(self.scene.stages[self.stage].size)
        optimiser.value = self._evaluate(optimiser.picture)
        if not optimiser.value.is_finite:
            raise ModelError(
                "the loss is not a number from the start: are the network's weights finite?"
            )
        return optimiser

    def _evaluate(self, picture: np.ndarray) -> Value:
        return self.transfer.objective.evaluate(picture, self._targets_at(self.stage))

    def _targets_at(self, stage: int) -> Targets:
        if self._targets is None or self._targets[0] != stage:
            size = self.scene.stages[stage].size
            self._targets = (stage, self.transfer.targets(self.scene, size))
        return self._targets[1]

    def _losses(self) -> list[float]:
        return [step.loss for step in self.history if step.stage == self.stage]

    def _is_done(self, optimiser: Optimiser) -> bool:
        losses = self._losses()
        return (
            len(losses) >= self.scene.stages[self.stage].steps
            or optimiser.stalled
            or on_plateau(losses, self.transfer.settings.plateau)
        )

    def _record(self, value: Value) -> Step:
        count = len(self.transfer.objective.content)
        content, style = value.terms[:count], value.terms[count:-1]
        return Step(
            self.stage, *self.scene.stages[self.stage].size, value.loss,
            float(content.sum()), float(style.sum()), float(value.terms[-1]),
        )  # fmt: skip
