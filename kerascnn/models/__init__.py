"""Builders of the networks that the lecture and the course speak of, in Keras 2."""

from kerascnn.models.lecture import cnn, cnn_as_written, dnn
from kerascnn.models.vgg import vgg16_features

__all__ = ["cnn", "cnn_as_written", "dnn", "vgg16_features"]
