"""A 3×3 convolution with a quarter of the products (Winograd 1980; Lavin and Gray 2016).

Four by four outputs are computed at once from six by six inputs: along each axis F(4, 3), which
takes six products where the sum over the kernel takes twelve. With 256 maps and more the products
are nearly all of the work; cutting the tiles and joining them costs little beside them.

Inputs, kernels and outputs are taken as polynomials, whose values at the points 0, ±√½, ±√2 and ∞
are multiplied. These points have two advantages. Their rounding error is among the smallest: about
1e-6 of a map's size, where the direct sum has 2e-7 (the usual 0, ±1, ±2 and ∞: 3e-6). And the
inverse of each point is one of them, so a kernel turned around has the same values in another
order: the backward pass, which is the convolution with that kernel, needs no second copy of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kerascnn.graph.compiled import as_written

if TYPE_CHECKING:
    from tensorflow import Tensor

_OUT, _TAPS = 4, 3
_SIDE = _OUT + _TAPS - 1
_HALF, _TWO = 0.5**0.5, 2.0**0.5
_POINTS = (0.0, _HALF, -_HALF, _TWO, -_TWO)  # and ∞
_INVERSE = [5, 3, 4, 1, 2, 0]  # where one over each of them stands


@dataclass(frozen=True)
class Grid:
    """How a map of some height and width is cut into tiles, and joined again.

    Attributes:
        margins: what is added around the map, as ``tf.pad`` takes it.
        cuts: for each of a tile's 6 × 6 places, and each tile, the index of a padded map's pixel.
        joints: for each of h·w pixels its index among 4 × 4 places, each of all tiles.
    """

    margins: list[list[Tensor]]
    cuts: Tensor
    joints: Tensor

    @classmethod
    def of(cls, values: Tensor) -> Grid:
        """Return the grid for maps 1×h×w×C, inside a ``tf.function``."""
        import tensorflow as tf

        height, width = tf.shape(values)[1], tf.shape(values)[2]
        down, across = -(-height // _OUT), -(-width // _OUT)
        wide = _OUT * across + 2
        below, right = _OUT * down + 1 - height, _OUT * across + 1 - width
        places = tf.range(_SIDE)[:, None, None, None] * wide + tf.range(_SIDE)[:, None, None]
        tiles = _OUT * (tf.range(down)[:, None] * wide + tf.range(across))
        rows, columns = tf.range(height)[:, None], tf.range(width)
        place = rows % _OUT * _OUT + columns % _OUT
        tile = rows // _OUT * across + columns // _OUT
        return cls(
            [[0, 0], [1, below], [1, right], [0, 0]],
            tf.reshape(places + tiles, (_SIDE**2, -1)),
            place * (down * across) + tile,
        )


class Convolution:
    """A convolution of stride 1 that keeps height and width ("same", with zeros around).

    Args:
        kernel: 3×3×inputs×filters.
    """

    def __init__(self, kernel: np.ndarray) -> None:
        import tensorflow as tf

        at = np.vander(_POINTS, _SIDE, increasing=True)
        at = np.vstack([at, np.eye(_SIDE)[-1]])
        taps, outputs = _leading(at, _TAPS), _leading(at, _OUT)
        # The values of kernels and of outputs get the same norm; the inputs' make up for that.
        by_taps, by_outputs = np.linalg.norm(taps, axis=1), np.linalg.norm(outputs, axis=1)
        inputs = np.linalg.inv(at).T * (by_taps * by_outputs)[:, None]
        outputs = (outputs / by_outputs[:, None]).T
        taps /= by_taps[:, None]
        # Turned around, a kernel's value at a point p is p² times that at 1/p (at 0 and ∞: the
        # other's).
        turned = np.array([1.0, *(point**2 for point in _POINTS[1:]), 1.0])
        turned *= by_taps[_INVERSE] / by_taps
        self._there = _both(inputs), _both(outputs)
        self._back = _both((inputs * turned[:, None])[_INVERSE]), _both(outputs[:, _INVERSE])
        flat = tf.reshape(tf.constant(kernel, tf.float32), (_TAPS**2, -1))
        self._kernel = tf.reshape(_both(taps) @ flat, (_SIDE**2, *kernel.shape[2:]))

    def __call__(self, values: Tensor, grid: Grid) -> Tensor:
        """Return the convolution of maps 1×h×w×inputs; it has a gradient by the inputs."""
        import tensorflow as tf

        def convolved(values: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
            def back(slope: Tensor) -> Tensor:
                return self._run(slope, grid, *self._back, turned=True)

            return self._run(values, grid, *self._there, turned=False), as_written(back)

        return as_written(tf.custom_gradient(convolved))(values)

    def _run(
        self, values: Tensor, grid: Grid, inputs: Tensor, outputs: Tensor, *, turned: bool
    ) -> Tensor:
        import tensorflow as tf

        before, after = self._kernel.shape[1:] if not turned else self._kernel.shape[:0:-1]
        pixels = tf.reshape(tf.pad(values, grid.margins), (-1, before))
        tiles = inputs @ tf.reshape(tf.gather(pixels, grid.cuts), (_SIDE**2, -1))
        tiles = tf.reshape(tiles, (_SIDE**2, -1, before))
        products = tf.matmul(tiles, self._kernel, transpose_b=turned)
        joined = outputs @ tf.reshape(products, (_SIDE**2, -1))
        return tf.gather(tf.reshape(joined, (-1, after)), grid.joints)[None]


def _leading(at: np.ndarray, terms: int) -> np.ndarray:
    """Return the points' values of polynomials of fewer terms; at ∞ it is their last one."""
    return np.vstack([at[:-1, :terms], np.eye(terms)[-1]])


def _both(along: np.ndarray) -> Tensor:
    """Return a matrix's effect along rows and columns as one float32 matrix."""
    import tensorflow as tf

    return tf.constant(np.kron(along, along), tf.float32)
