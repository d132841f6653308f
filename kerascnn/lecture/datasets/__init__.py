"""Data sets of the lecture's last part, each with a part in the package."""

from kerascnn.lecture.datasets.go import Positions, load_go
from kerascnn.lecture.datasets.speech import Spoken, load_speech
from kerascnn.lecture.datasets.text import Reviews, load_reviews

__all__ = ["Positions", "Reviews", "Spoken", "load_go", "load_reviews", "load_speech"]
