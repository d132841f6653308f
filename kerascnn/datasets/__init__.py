"""MNIST, with a part embedded in the package."""

from kerascnn.datasets.mnist import Digits, load_mnist

__all__ = ["Digits", "load_mnist"]
