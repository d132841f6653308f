"""Speech (L7): along which axis of a spectrogram should filters move?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from kerascnn.lecture.datasets.speech import Spoken
from kerascnn.lecture.experiments.runner import Builder
from kerascnn.lecture.experiments.task import Array, Floats, Task
from kerascnn.lecture.networks.speech import speech_cnn, speech_fully_connected

EPOCHS, QUICK_EPOCHS = 16, 4
#: Spectrograms that the quick version learns from.
QUICK_EXAMPLES = 800


def networks(classes: int) -> Mapping[str, Builder]:
    """Return what builds the networks for so many words, by name."""
    return {
        "speech-dnn": lambda seed: speech_fully_connected(classes, seed=seed),
        "speech-frequency": lambda seed: speech_cnn("frequency", classes, seed=seed),
        "speech-time": lambda seed: speech_cnn("time", classes, seed=seed),
        "speech-both": lambda seed: speech_cnn("both", classes, seed=seed),
    }


def task(spoken: Spoken, quick: bool) -> Task:
    """Return spectrograms as a task; quick, with fewer to learn from."""
    step = max(1, len(spoken.y_train) // QUICK_EXAMPLES) if quick else 1
    return Task(
        shades(spoken.x_train[::step]), spoken.y_train[::step], shades(spoken.x_test), spoken.y_test
    )


def shades(spectrograms: npt.NDArray[np.uint8]) -> Floats:
    """Return spectrograms as the networks take them: N×40×40×1 in [0, 1]."""
    return np.asarray(spectrograms / np.float32(255))[..., None]


def moved(spectrograms: Array, bands: int, moments: int) -> Array:
    """Return spectrograms moved up and later; what comes in is as dark as their darkest.

    Args:
        spectrograms: N×40×40×1.
        bands: how far up, below 0 down.
        moments: how much later, below 0 earlier.
    """
    height, width = spectrograms.shape[1:3]
    rows, columns = np.arange(height) - bands, np.arange(width) - moments
    comes_in = ((rows < 0) | (rows >= height))[:, None] | (columns < 0) | (columns >= width)
    made = np.roll(spectrograms, (bands, moments), axis=(1, 2))
    return np.where(comes_in[..., None], spectrograms.min(axis=(1, 2, 3), keepdims=True), made)
