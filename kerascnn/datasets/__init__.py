"""Data sets, each with a part embedded in the package."""

from kerascnn.datasets.go import Positions, load_go
from kerascnn.datasets.mnist import Digits, load_mnist
from kerascnn.datasets.speech import Spoken, load_speech
from kerascnn.datasets.text import Reviews, load_reviews

__all__ = [
    "Digits",
    "Positions",
    "Reviews",
    "Spoken",
    "load_go",
    "load_mnist",
    "load_reviews",
    "load_speech",
]
