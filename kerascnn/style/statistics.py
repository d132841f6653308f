"""Which statistic of a layer's maps is the style: sums over their places, and a distance of two.

Every statistic is made of sums over places, so that a picture can be worked in tiles: the sums of
the tiles add up to those of the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorflow import Tensor

Means = Sequence["Tensor"]

_VARIANCE_FLOOR = 1e-4


@dataclass(frozen=True)
class Statistic:
    """A kind of style.

    Attributes:
        kinds: what is summed over places: ``"values"``, ``"squares"``, ``"products"`` of each two.
        distance: returns how far means are from a style's: R numbers, 0 where they agree.
    """

    kinds: tuple[str, ...]
    distance: Callable[[Means, Means], Tensor]

    def shapes(self, channels: int) -> list[tuple[int, ...]]:
        """Return the shapes of what `sums` gives for C channels, without the axis of regions."""
        return [(channels, channels) if kind == "products" else (channels,) for kind in self.kinds]

    def sums(self, maps: Tensor, mask: Tensor | None) -> list[Tensor]:
        """Return sums over the places of maps 1×h×w×C for each of R regions: R×… each.

        They add up over tiles; divided by the mask's sum they are means.

        Args:
            maps: within a ``tf.function``.
            mask: R×h×w weights of the places; None for one region that is everywhere.
        """
        import tensorflow as tf

        places = tf.reshape(maps, (-1, maps.shape[-1]))
        rows = None if mask is None else tf.reshape(mask, (tf.shape(mask)[0], -1))
        return [_SUMS[kind](places, rows) for kind in self.kinds]


def statistic(name: str, *, width_weights: bool) -> Statistic:
    """Return the statistic that ``--statistic`` names.

    Args:
        name: ``"gram"``, ``"mean-std"`` or ``"wasserstein"``.
        width_weights: divide the distance of Gram matrices by C² too, as Gatys weighted his layers.
    """
    if name == "mean-std":
        return Statistic(("values", "squares"), _mean_std)
    if name == "wasserstein":
        return Statistic(("values", "products"), _wasserstein)
    return Statistic(("products",), _gram_by_width if width_weights else _gram)


def _gram(means: Means, target: Means) -> Tensor:
    """Return the mean of (G − T)², G = FFᵀ/N (Gatys, Ecker and Bethge 2016)."""
    import tensorflow as tf

    return tf.reduce_mean((means[0] - target[0]) ** 2, (1, 2))


def _gram_by_width(means: Means, target: Means) -> Tensor:
    return _gram(means, target) / means[0].shape[-1] ** 2


def _mean_std(means: Means, target: Means) -> Tensor:
    """Return the means of (μ − μₜ)² and of (σ − σₜ)² added up."""
    import tensorflow as tf

    spread, goal = (
        tf.sqrt(tf.maximum(squares - values**2, 0.0) + _VARIANCE_FLOOR)
        for values, squares in (means, target)
    )
    return tf.reduce_mean((means[0] - target[0]) ** 2 + (spread - goal) ** 2, -1)


def _wasserstein(means: Means, target: Means) -> Tensor:
    """Return the squared 2-Wasserstein distance of two normal distributions, divided by C.

    With means m and covariances S: ‖m − mₜ‖² + tr(S + Sₜ − 2(Sₜ^½ S Sₜ^½)^½).
    """
    import tensorflow as tf

    # A covariance is the small difference of large numbers.
    means = [tf.cast(part, tf.float64) for part in means]
    target = [tf.cast(part, tf.float64) for part in target]
    own, goal = (
        products - values[:, :, None] * values[:, None, :] for values, products in (means, target)
    )
    values, vectors = tf.linalg.eigh(goal)
    root = tf.matmul(vectors * tf.sqrt(tf.maximum(values, 0.0))[:, None], vectors, False, True)
    cross = trace_of_root(tf.matmul(root, tf.matmul(own, root)))
    spread = tf.linalg.trace(own) + tf.linalg.trace(goal) - 2.0 * cross
    moved = tf.reduce_sum((means[0] - target[0]) ** 2, -1)
    # Of flat pictures only rounding is left of a covariance, below zero as often as above.
    apart = tf.maximum((moved + spread) / means[0].shape[-1], 0.0)
    return tf.cast(apart, tf.float32)


def trace_of_root(matrices: Tensor) -> Tensor:
    """Return tr M^½ of symmetric matrices without negative eigenvalues, R×C×C → R.

    Its derivative is ½ M^−½. It is given explicitly, since TensorFlow's own goes through the
    derivatives of the eigenvectors, which cancel out but are infinite where two eigenvalues agree.
    """
    import tensorflow as tf

    def run(given: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        values, vectors = tf.linalg.eigh((given + tf.linalg.matrix_transpose(given)) / 2)
        roots = tf.sqrt(tf.maximum(values, 0.0))
        # Directions without any variance have no slope of their own.
        floor = 1e-4 * tf.reduce_max(roots, -1, keepdims=True) + 1e-20
        halves = 0.5 / tf.maximum(roots, floor)

        def back(upstream: Tensor) -> Tensor:
            slope = tf.matmul(vectors * halves[:, None], vectors, transpose_b=True)
            return upstream[:, None, None] * slope

        return tf.reduce_sum(roots, -1), back

    return tf.custom_gradient(run)(matrices)


def _totals(places: Tensor, rows: Tensor | None) -> Tensor:
    import tensorflow as tf

    return tf.reduce_sum(places, 0)[None] if rows is None else tf.matmul(rows, places)


def _products(places: Tensor, rows: Tensor | None) -> Tensor:
    import tensorflow as tf

    def run(maps: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        # One product on the way back instead of the two of a product of any two matrices.
        return tf.matmul(maps, maps, transpose_a=True), lambda d: tf.matmul(
            maps, d + tf.transpose(d)
        )

    gram = tf.custom_gradient(run)
    if rows is None:
        return gram(places)[None]
    weighted = tf.map_fn(
        lambda region: gram(places * tf.sqrt(rows[region])[:, None]),
        tf.range(tf.shape(rows)[0]),
        fn_output_signature=tf.float32,
    )
    return tf.ensure_shape(weighted, (None, places.shape[-1], places.shape[-1]))


_SUMS: dict[str, Callable[[Tensor, Tensor | None], Tensor]] = {
    "values": _totals,
    "squares": lambda places, rows: _totals(places * places, rows),
    "products": _products,
}
