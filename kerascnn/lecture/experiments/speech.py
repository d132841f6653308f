"""Speech (L7): along which axis of a spectrogram should filters move?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kerascnn.lecture.datasets import Spoken
from kerascnn.lecture.experiments.runner import Builder, Task, Trials, run
from kerascnn.lecture.networks import speech_cnn, speech_fully_connected

EPOCHS, QUICK_EPOCHS = 16, 4
#: Spectrograms that the quick version learns from.
QUICK_EXAMPLES = 800


def networks(classes: int) -> Mapping[str, Builder]:
    """Return what builds the networks, by name.

    Args:
        classes: how many words there are.
    """
    return {
        "speech-dnn": lambda seed: speech_fully_connected(classes, seed=seed),
        "speech-frequency": lambda seed: speech_cnn("frequency", classes, seed=seed),
        "speech-time": lambda seed: speech_cnn("time", classes, seed=seed),
        "speech-both": lambda seed: speech_cnn("both", classes, seed=seed),
    }


def trials(spoken: Spoken, keep: Path, *, seeds: int, quick: bool = False) -> Trials:
    """Train the networks on spectrograms, or take what earlier calls have left.

    Args:
        spoken: the spectrograms.
        keep: the folder where trainings are kept.
        seeds: how many.
        quick: fewer epochs and spectrograms.
    """
    chosen = slice(None)
    if quick and len(spoken.y_train) > QUICK_EXAMPLES:
        chosen = slice(None, None, len(spoken.y_train) // QUICK_EXAMPLES)
    task = Task(
        shades(spoken.x_train[chosen]),
        spoken.y_train[chosen],
        shades(spoken.x_test),
        spoken.y_test,
    )
    built = networks(len(spoken.words))
    epochs = dict.fromkeys(built, QUICK_EPOCHS if quick else EPOCHS)
    return run(built, task, keep, seeds=seeds, epochs=epochs, batch=32)


def shades(spectrograms: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return spectrograms as the networks take them: N×40×40×1 in [0, 1]."""
    return (spectrograms / np.float32(255))[..., None]


def moved(spectrograms: npt.NDArray[Any], bands: int, moments: int) -> npt.NDArray[Any]:
    """Return spectrograms moved up and later; what comes in is as dark as their darkest.

    Args:
        spectrograms: N×40×40×1.
        bands: how far up, below 0 down.
        moments: how much later, below 0 earlier.
    """
    made = np.roll(spectrograms, (bands, moments), axis=(1, 2))
    fill = spectrograms.min(axis=(1, 2, 3), keepdims=True)[..., 0]
    if bands:
        rows = slice(0, bands) if bands > 0 else slice(bands, None)
        made[:, rows] = fill[..., None]
    if moments:
        columns = slice(0, moments) if moments > 0 else slice(moments, None)
        made[:, :, columns] = fill[..., None]
    return made
