"""The pictures that come with the package: photographs, and MNIST digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kerascnn.errors import DataError, ImageError, UsageError, one_line
from kerascnn.images.arrays import unit_of_bytes
from kerascnn.images.decoding import decode
from kerascnn.images.picture import Picture
from kerascnn.network.input_spec import InputSpec

#: The folder of the photographs.
SAMPLES = Path(__file__).parent / "samples"
_DIGITS_UP_TO = 40

# Ours, in the order they are given: what a classifier of photographs knows best comes first.
_PHOTOGRAPHS = ("cat", "astronaut", "coffee", "rocket")


def sample_pictures(spec: InputSpec, count: int | None = None) -> list[Picture]:
    """Return packaged pictures that fit a model.

    Grey models of at most 40 × 40 pixels get MNIST test digits, the first of each class before the
    second of any; others get photographs: a cat, an astronaut, a cup of coffee, a rocket.

    Args:
        spec: what the model takes.
        count: how many at most; by default ten digits (one a class) or one photograph.

    Raises:
        ImageError: the model's channels are neither grey nor colour.
        UsageError: the count is below 1.
    """
    if count is not None and count < 1:
        raise UsageError(f"the number of pictures must be at least 1. Received: {count}")
    height, width, channels = spec.shape
    if channels not in (1, 3):
        raise ImageError(
            f"no packaged picture has the {channels} channels that the model takes; give one by "
            f"--image, as a .npy array of shape (H, W, {channels})"
        )
    if channels == 1 and height and width and max(height, width) <= _DIGITS_UP_TO:
        return _digits(spec, 10 if count is None else count)
    return [_photograph(name, spec) for name in _PHOTOGRAPHS[: 1 if count is None else count]]


def _photograph(name: str, spec: InputSpec) -> Picture:
    try:
        data = (SAMPLES / f"{name}.jpg").read_bytes()
    except OSError as error:
        raise _incomplete(f"{name}.jpg", error) from error
    unit, size = decode(data, "JPEG", f"{name}.jpg", spec.shape, lambda *_: None)
    return Picture(spec.encode(unit), name, f"sample photograph {name}.jpg", None, size)


def _digits(spec: InputSpec, count: int) -> list[Picture]:
    from kerascnn.datasets.mnist import load_test_digits

    try:
        digits, labels = load_test_digits()
    except DataError as error:
        raise _incomplete("MNIST digits", error) from error
    found = []
    for index in _one_a_class(labels)[:count]:
        source = f"sample MNIST test digit {index}"
        unit = unit_of_bytes(digits[index][..., np.newaxis], source, spec, lambda *_: None)
        label = str(labels[index])
        found.append(Picture(spec.encode(unit), f"digit {label}", source, label, (28, 28)))
    return found


def _one_a_class(labels: np.ndarray) -> np.ndarray:
    """Return all indices: the first of each class, then the second of each, and so on."""
    rank = np.zeros(len(labels), np.intp)
    for label in np.unique(labels):
        members = labels == label
        rank[members] = np.arange(members.sum())
    return np.lexsort((labels, rank))


def _incomplete(name: str, error: Exception) -> ImageError:
    return ImageError(
        f"the packaged {name} can't be read ({one_line(error, 80)}); install kerascnn again, or "
        "give a picture by --image"
    )
