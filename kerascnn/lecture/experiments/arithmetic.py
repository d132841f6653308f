"""The lecture's own arithmetic, done as it says: number by number, with nothing but sums.

The picture and the filters of its section "Convolution", and what is done to them. Layers of Keras
are compared with this.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

#: The lecture's picture of 6×6 pixels.
PICTURE: tuple[str, ...] = ("100001", "010010", "001100", "100010", "010010", "001010")

#: Its filters: ones on the diagonal, ones in the middle column; −1 elsewhere.
FILTERS: tuple[tuple[tuple[int, ...], ...], ...] = (
    ((1, -1, -1), (-1, 1, -1), (-1, -1, 1)),
    ((-1, 1, -1), (-1, 1, -1), (-1, 1, -1)),
)


def picture() -> Numbers:
    """Return the lecture's picture, 6×6."""
    return np.array([[float(pixel) for pixel in row] for row in PICTURE])


def filters() -> Numbers:
    """Return the lecture's two filters, 2×3×3."""
    return np.array(FILTERS, np.float64)


def positions(size: int, window: int, stride: int) -> int:
    """Return how many places a window finds: (N − F) / stride + 1, rounded down."""
    return (size - window) // stride + 1


def correlate(values: Numbers, kernel: Numbers, stride: int = 1, bias: float = 0.0) -> Numbers:
    """Slide a filter over a picture: at each place the sum of products, plus the bias.

    Args:
        values: H×W or H×W×C.
        kernel: h×w or h×w×C.
        stride: pixels from one place to the next.
        bias: added to each sum.

    Returns:
        The map: ((H − h) // stride + 1) × ((W − w) // stride + 1).
    """
    height, width = kernel.shape[:2]
    rows = positions(values.shape[0], height, stride)
    columns = positions(values.shape[1], width, stride)
    found = np.zeros((rows, columns))
    for row in range(rows):
        for column in range(columns):
            top, left = row * stride, column * stride
            chunk = values[top : top + height, left : left + width]
            found[row, column] = float(np.sum(chunk * kernel)) + bias
    return found


def pool(values: Numbers, size: int = 2, how: str = "max") -> Numbers:
    """Pool groups of size × size; a last row or column that fills no group is dropped.

    Args:
        values: H×W or H×W×C.
        size: side of a group, and the stride.
        how: ``"max"`` or ``"mean"``.
    """
    rows, columns = values.shape[0] // size, values.shape[1] // size
    cut = values[: rows * size, : columns * size]
    groups = cut.reshape(rows, size, columns, size, *values.shape[2:])
    return np.asarray(getattr(np, how)(groups, axis=(1, 3)))


def matrix(kernel: Numbers, height: int, width: int) -> Numbers:
    """Return the fully connected layer that a filter (stride 1) is: a column for each neuron.

    Args:
        kernel: h×w.
        height: of the picture.
        width: of the picture.

    Returns:
        (height × width) inputs × neurons; an input is a pixel, row by row.
    """
    rows = positions(height, kernel.shape[0], 1)
    columns = positions(width, kernel.shape[1], 1)
    weights = np.zeros((height, width, rows, columns))
    for row in range(rows):
        for column in range(columns):
            place = weights[row : row + kernel.shape[0], column : column + kernel.shape[1]]
            place[:, :, row, column] = kernel
    return weights.reshape(height * width, rows * columns)


def wires(kernel: Numbers, height: int, width: int, neuron: int) -> list[int]:
    """Return the inputs that a neuron is connected to, counted from 1 as the lecture does.

    Args:
        kernel: h×w, without zeros.
        height: of the picture.
        width: of the picture.
        neuron: its number, from 0, row by row.
    """
    return [int(i) + 1 for i in np.flatnonzero(matrix(kernel, height, width)[:, neuron])]


def written(values: npt.ArrayLike) -> str:
    """Return a map as the lecture writes it: whole numbers, rows between slashes."""
    rows = (" ".join(f"{number:.0f}" for number in row) for row in np.asarray(values))
    return " / ".join(rows).replace("-", "−")
