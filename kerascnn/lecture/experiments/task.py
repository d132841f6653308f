"""`Task`: examples and their classes, to learn from and to be tested with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from kerascnn.lecture.networks import Model

Array: TypeAlias = npt.NDArray[Any]
Floats: TypeAlias = npt.NDArray[np.float32]
Labels: TypeAlias = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Task:
    """What is learned, and what it is tested with.

    Attributes:
        x_train: N×…, in any shape that has as many values as the networks take.
        y_train: N classes, from 0.
        x_test: M×….
        y_test: M classes.
    """

    x_train: Array
    y_train: Labels
    x_test: Array
    y_test: Labels

    def shaped(self, model: Model) -> Task:
        """Return the task with its examples in the shape that a network takes."""
        shape = (-1, *model.input_shape[1:])
        return replace(self, x_train=self.x_train.reshape(shape), x_test=self.x_test.reshape(shape))

    def sha256(self) -> str:
        """Return a digest of all examples and classes."""
        digest = hashlib.sha256()
        for values in (self.x_train, self.y_train, self.x_test, self.y_test):
            digest.update(f"{values.shape} {values.dtype}".encode())
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()
