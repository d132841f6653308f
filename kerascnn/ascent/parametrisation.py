"""The variable that an ascent changes: the pixels, or the waves that a picture is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from tensorflow import Tensor

# Colour axes of natural pictures, from the most varied to the least: brightness, blue to yellow,
# green to magenta; and how much each varies beside brightness (red, green, blue in columns).
_AXES = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])
_SPREAD = np.array([1.0, 0.42, 0.22])


@dataclass(frozen=True)
class Pixels:
    """A variable for each value of the picture.

    Attributes:
        hold: what keeps values in [0, 1]: a ``"sigmoid"`` of the variable, or ``"clip"`` after
            every step.
    """

    hold: Literal["sigmoid", "clip"] = "sigmoid"

    def encode(self, unit: np.ndarray) -> np.ndarray:
        """Return the variable of a picture in [0, 1]."""
        return unit if self.hold == "clip" else _logit(unit)

    def decode(self, variable: Tensor, size: tuple[int, int]) -> Tensor:
        """Return the picture, N×H×W×C in [0, 1]."""
        import tensorflow as tf

        return variable if self.hold == "clip" else tf.sigmoid(variable)

    def settle(self, variable: Tensor) -> Tensor:
        """Return the variable brought back into its range, after each step."""
        import tensorflow as tf

        return tf.clip_by_value(variable, 0.0, 1.0) if self.hold == "clip" else variable


@dataclass(frozen=True)
class Fourier:
    """A variable for each wave; the lower its frequency, the more a step changes it.

    The waves of natural pictures have amplitudes of about 1 / frequency, and their colours vary
    together. Steps of that kind avoid the checkerboards and speckles that free pixels give (Olah,
    Mordvintsev and Schubert 2017).

    Attributes:
        decay: a step changes a wave in proportion to 1 / frequency^decay.
        decorrelate: whether three channels are changed along the colour axes of natural pictures.
    """

    decay: float = 1.0
    decorrelate: bool = True

    def encode(self, unit: np.ndarray) -> np.ndarray:
        """Return the variable of a picture in [0, 1]: N×C×H×(W//2+1)×2."""
        values = _logit(unit)
        if self._mixes(unit.shape[-1]):
            values = values @ np.linalg.inv(self._colours())
        waves = np.fft.rfft2(np.moveaxis(values, -1, 1))
        waves = waves / self._scale(unit.shape[1:3])
        return np.stack([waves.real, waves.imag], -1).astype(np.float32)

    def decode(self, variable: Tensor, size: tuple[int, int]) -> Tensor:
        """Return the picture, N×H×W×C in [0, 1]."""
        import tensorflow as tf

        waves = tf.complex(variable[..., 0], variable[..., 1])
        scale = tf.constant(self._scale(size).astype(np.complex64))
        values = tf.transpose(tf.signal.irfft2d(waves * scale, size), (0, 2, 3, 1))
        if self._mixes(variable.shape[1]):
            values = tf.tensordot(values, tf.constant(self._colours(), tf.float32), 1)
        return tf.sigmoid(values)

    def settle(self, variable: Tensor) -> Tensor:
        """Return the variable as it is: any gives a picture in [0, 1]."""
        return variable

    def _mixes(self, channels: int) -> bool:
        return self.decorrelate and channels == 3

    def _scale(self, size: tuple[int, int]) -> np.ndarray:
        height, width = size
        frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
        # The mean has frequency 0: it gets the step of the lowest frequency above.
        scale = 1.0 / np.maximum(frequency, 1.0 / max(height, width)) ** self.decay
        # A step of size s in every wave moves each pixel by about s, whatever the picture's size.
        return np.asarray(scale * (height * width / np.sqrt(2 * (scale**2).sum())))

    def _colours(self) -> np.ndarray:
        return np.asarray(_SPREAD[:, None] * _AXES * np.sqrt(3 / (_SPREAD**2).sum()))


Parametrisation = Pixels | Fourier


def _logit(unit: np.ndarray) -> np.ndarray:
    # Black and white themselves would be infinitely far: they start one part in fifty inside.
    held = np.clip(np.asarray(unit, np.float64), 0.02, 0.98)
    return np.asarray(np.log(held) - np.log1p(-held), np.float32)
