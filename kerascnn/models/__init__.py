"""Builders of the networks that the lecture and the course speak of, in Keras 2."""

from kerascnn.models.lecture import cnn, cnn_as_written, dnn

__all__ = ["cnn", "cnn_as_written", "dnn"]
