"""Builders of networks, in Keras 2: the lecture's for MNIST, and VGG16's convolutions."""

from kerascnn.models.lecture import cnn, cnn_as_written, dnn
from kerascnn.models.vgg import vgg16_features

__all__ = ["cnn", "cnn_as_written", "dnn", "vgg16_features"]
