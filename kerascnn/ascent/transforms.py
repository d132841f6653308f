"""Small random changes of a picture in each step: moved, turned, scaled, hidden in part, blurred.

They are drawn before the ascent starts and applied inside the graph; the gradient goes back through
them to the unchanged picture, so whatever was moved is moved back. In one step all pictures of a
batch are changed alike: a picture does not depend on the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kerascnn.errors import UsageError

if TYPE_CHECKING:
    from tensorflow import Tensor


@dataclass(frozen=True)
class Jitter:
    """Move by up to ``pixels`` each way: by whole ones, with `Rotate` or `Scale` by fractions."""

    pixels: float


@dataclass(frozen=True)
class Rotate:
    """Turn about the middle by up to ``degrees`` either way."""

    degrees: float


@dataclass(frozen=True)
class Scale:
    """Scale about the middle by up to 1 + ``by`` or down to 1 / (1 + ``by``)."""

    by: float


@dataclass(frozen=True)
class Blur:
    """Blur by a Gaussian of standard deviation ``pixels``."""

    pixels: float


@dataclass(frozen=True)
class Erase:
    """Make a square anywhere black; its side is ``share`` × the picture's shorter side."""

    share: float


Transform = Jitter | Rotate | Scale | Blur | Erase


@dataclass(frozen=True)
class Plan:
    """The random numbers of an ascent: a row for each step and copy.

    Attributes:
        copies: how many changed copies of each picture a step averages over.
        drawn: those of ``"shifts"`` (steps × copies × 2 whole pixels: rows, columns),
            ``"matrices"`` (steps × copies × 8, output to input coordinates) and ``"holes"`` (steps
            × copies × 4: top, left, bottom, right) that are needed.
        kernel: a Gaussian in one dimension, or None.
    """

    copies: int
    drawn: dict[str, np.ndarray]
    kernel: np.ndarray | None

    def apply(self, pictures: Tensor, drawn: dict[str, Tensor]) -> Tensor:
        """Return one step's copies: the first copy of every picture, then the second, and so on.

        Args:
            pictures: N×H×W×C tensor.
            drawn: one step's row of each array.
        """
        import tensorflow as tf

        if self.kernel is not None:
            pictures = gaussian(pictures, self.kernel)
        copies = []
        for copy in range(self.copies):
            changed = pictures
            if "shifts" in drawn:
                changed = tf.roll(changed, drawn["shifts"][copy], (1, 2))
            if "holes" in drawn:
                changed = changed * _around(drawn["holes"][copy], tf.shape(changed))
            copies.append(changed)
        together = copies[0] if self.copies == 1 else tf.concat(copies, 0)
        if "matrices" not in drawn:
            return together
        count = tf.shape(pictures)[0]
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=together,
            transforms=tf.repeat(drawn["matrices"], count, axis=0),
            output_shape=tf.shape(pictures)[1:3],
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode="NEAREST",
        )


def plan(
    transforms: Sequence[Transform],
    steps: int,
    copies: int,
    size: tuple[int, int],
    random: np.random.Generator,
) -> Plan:
    """Draw the random numbers of every step, for pictures of height × width.

    Raises:
        UsageError: two of one kind, or a number out of its range.
    """
    given: dict[type, float] = {}
    for transform in transforms:
        if type(transform) in given:
            raise UsageError(f"there must be one {type(transform).__name__} at most")
        given[type(transform)] = _checked(transform)
    jitter = given.get(Jitter, 0.0)
    drawn: dict[str, np.ndarray] = {}
    if Rotate in given or Scale in given:
        drawn["matrices"] = _matrices(given, jitter, (steps, copies), size, random)
    elif jitter:
        # Whole pixels need no interpolation. Both ends belong to it: the mean is zero.
        reach = max(round(jitter), 1)
        shifts = random.integers(-reach, reach + 1, (steps, copies, 2))
        drawn["shifts"] = shifts.astype(np.int32)
    if Erase in given:
        drawn["holes"] = _holes(given[Erase], (steps, copies), size, random)
    return Plan(copies, drawn, gaussian_kernel(given[Blur]) if Blur in given else None)


def _checked(transform: Transform) -> float:
    """Return the one number of a transform."""
    value: float
    (value,) = vars(transform).values()
    most = {Rotate: 180.0, Erase: 1.0}.get(type(transform), math.inf)
    if not 0 < value <= most:
        raise UsageError(
            f"{type(transform).__name__} takes a number above 0"
            f"{'' if most == math.inf else f' and at most {most:g}'}. Received: {value}"
        )
    return value


def _matrices(
    given: dict[type, float],
    jitter: float,
    shape: tuple[int, int],
    size: tuple[int, int],
    random: np.random.Generator,
) -> np.ndarray:
    def draw(reach: float) -> np.ndarray:
        return random.uniform(-reach, reach, shape)

    angle = np.deg2rad(draw(given.get(Rotate, 0.0)))
    factor = np.exp(draw(math.log1p(given.get(Scale, 0.0))))
    down, right = draw(jitter), draw(jitter)
    a, b = np.cos(angle) * factor, np.sin(angle) * factor
    # About the middle: the centre of the picture goes to itself, then moves by the jitter.
    cy, cx = (size[0] - 1) / 2, (size[1] - 1) / 2
    zero = np.zeros(shape)
    rows = [a, -b, cx - a * cx + b * cy + right, b, a, cy - b * cx - a * cy + down, zero, zero]
    return np.stack(rows, -1).astype(np.float32)


def _holes(
    share: float, shape: tuple[int, int], size: tuple[int, int], random: np.random.Generator
) -> np.ndarray:
    side = max(1, round(share * min(size)))
    # The middle of a hole may lie on any pixel, so that all of them are hidden equally often.
    top = random.integers(0, size[0], shape) - side // 2
    left = random.integers(0, size[1], shape) - side // 2
    return np.stack([top, left, top + side, left + side], -1).astype(np.int32)


def _around(hole: Tensor, shape: Tensor) -> Tensor:
    """Return 0 inside a rectangle and 1 around it: 1×H×W×1."""
    import tensorflow as tf

    rows, columns = tf.range(shape[1]), tf.range(shape[2])
    inside = [
        tf.cast((line >= hole[axis]) & (line < hole[axis + 2]), tf.float32)
        for axis, line in enumerate((rows, columns))
    ]
    return (1.0 - inside[0][:, None] * inside[1][None, :])[None, :, :, None]


def gaussian_kernel(sigma: float) -> np.ndarray:
    """Return a Gaussian in one dimension, of sum 1, cut at three standard deviations."""
    reach = max(1, math.ceil(3 * sigma))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.asarray(weights / weights.sum(), np.float32)


def gaussian(pictures: Tensor, kernel: np.ndarray) -> Tensor:
    """Blur N×H×W×C by a kernel, rows then columns; beyond its edge the picture is mirrored."""
    import tensorflow as tf

    reach, channels = len(kernel) // 2, pictures.shape[-1]
    for axis, shape in ((1, (-1, 1, 1, 1)), (2, (1, -1, 1, 1))):
        ends = [[0, 0]] * 4
        ends[axis] = [reach, reach]
        # SYMMETRIC reaches no further than the picture; small ones are blurred less.
        padded = tf.pad(pictures, ends, "SYMMETRIC")
        weights = tf.tile(tf.reshape(tf.constant(kernel), shape), (1, 1, channels, 1))
        pictures = tf.nn.depthwise_conv2d(padded, weights, (1, 1, 1, 1), "VALID")
    return pictures
