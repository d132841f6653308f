"""Builders of the networks of the lecture's last part, in Keras 2."""

from kerascnn.lecture.networks.go import alphago_policy, go_cnn, go_fully_connected
from kerascnn.lecture.networks.speech import speech_cnn, speech_fully_connected
from kerascnn.lecture.networks.text import text_cnn, text_fully_connected

__all__ = [
    "alphago_policy",
    "go_cnn",
    "go_fully_connected",
    "speech_cnn",
    "speech_fully_connected",
    "text_cnn",
    "text_fully_connected",
]
