"""Builders of the networks that the lecture and the course speak of, in Keras 2."""

from kerascnn.models.go import alphago_policy, go_cnn, go_fully_connected
from kerascnn.models.lecture import cnn, cnn_as_written, dnn
from kerascnn.models.speech import speech_cnn, speech_fully_connected
from kerascnn.models.text import text_cnn, text_fully_connected
from kerascnn.models.vgg import vgg16_features

__all__ = [
    "alphago_policy",
    "cnn",
    "cnn_as_written",
    "dnn",
    "go_cnn",
    "go_fully_connected",
    "speech_cnn",
    "speech_fully_connected",
    "text_cnn",
    "text_fully_connected",
    "vgg16_features",
]
