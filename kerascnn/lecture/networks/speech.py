"""Networks that hear which word is in a spectrogram (section "More applications"), in Keras 2."""

from __future__ import annotations

from typing import Literal

from kerascnn.lecture.datasets.spectrograms import BANDS, FRAMES
from kerascnn.lecture.networks import Model
from kerascnn.models.layer_factory import LayerFactory

#: How far a filter reaches along the axis that it moves on.
REACH = 8

Axis = Literal["frequency", "time", "both"]


def speech_cnn(along: Axis = "frequency", classes: int = 10, seed: int | None = None) -> Model:
    """Build a network with one convolution, whose 32 filters move along one axis or both.

    Along frequency, a filter is 8 bands high and as wide as the window, as in the lecture. Along
    time it is 8 moments wide and as high as the window. Along both it is 8×8.

    Args:
        along: ``frequency``, ``time`` or ``both``.
        classes: how many words.
        seed: of the initial weights, 0 or more; None for others each time.

    Returns:
        A Keras 2 model: N×40×40×1 (bands from low to high, moments, in [0, 1]) → N×classes.
    """
    make = LayerFactory(seed)
    tall, wide = along in ("frequency", "both"), along in ("time", "both")
    kernel = (REACH if tall else BANDS, REACH if wide else FRAMES)
    stack = [
        make("Conv2D", 32, kernel, activation="relu", input_shape=(BANDS, FRAMES, 1)),
        make("MaxPooling2D", (3 if tall else 1, 3 if wide else 1)),
        make("Flatten"),
        make("Dense", 64, activation="relu"),
        make("Dense", classes, activation="softmax"),
    ]
    return make.sequential(f"speech_{along}", stack)


def speech_fully_connected(classes: int = 10, seed: int | None = None) -> Model:
    """Build a fully connected network: the spectrogram as a vector.

    Args:
        classes: how many words.
        seed: of the initial weights, 0 or more; None for others each time.

    Returns:
        A Keras 2 model: N×40×40×1 → N×classes.
    """
    make = LayerFactory(seed)
    stack = [
        make("Flatten", input_shape=(BANDS, FRAMES, 1)),
        make("Dense", 64, activation="relu"),
        make("Dense", 64, activation="relu"),
        make("Dense", classes, activation="softmax"),
    ]
    return make.sequential("speech_dnn", stack)
