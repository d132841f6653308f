"""How cost grows: with pictures, their size, positions and units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.measured import timed

if TYPE_CHECKING:
    from kerascnn import Network


@dataclass(frozen=True)
class Growth:
    """Seconds at several sizes of the same work.

    Attributes:
        along: what grows.
        points: size and seconds of each repetition.
    """

    along: str
    points: tuple[tuple[int, list[float]], ...]


GROWTHS: dict[str, Callable[[int], Growth]] = {}


def growth(name: str) -> Callable[[Callable[[int], Growth]], Callable[[int], Growth]]:
    """Register a function of the number of repetitions under a name."""

    def register(function: Callable[[int], Growth]) -> Callable[[int], Growth]:
        GROWTHS[name] = function
        return function

    return register


def _grown(
    along: str, sizes: tuple[int, ...], work: Callable[[int], Callable[[], object]], repeat: int
) -> Growth:
    points = []
    for size in sizes:
        run = work(size)
        run()
        points.append((size, [timed(run) for _ in range(repeat)]))
    return Growth(along, tuple(points))


@growth("growth-pictures")
def pictures(repeat: int) -> Growth:
    """Saliency of VGG16's convolutions, 128 × 128, in as many pictures."""
    import numpy as np

    from kerascnn_plugins.saliency import Saliency

    network = _vgg_convolutions()

    def work(count: int) -> Callable[[], object]:
        images = np.random.default_rng(0).uniform(-100, 100, (count, 128, 128, 3))
        given = images.astype(np.float32), np.zeros(count, int)
        return lambda: Saliency().visualize(network, *given)

    return _grown("pictures", (1, 4, 16, 64), work, repeat)


@growth("growth-size")
def sizes(repeat: int) -> Growth:
    """Saliency of VGG16's convolutions, one picture of as many pixels a side."""
    import numpy as np

    from kerascnn_plugins.saliency import Saliency

    network = _vgg_convolutions()

    def work(side: int) -> Callable[[], object]:
        images = np.random.default_rng(0).uniform(-100, 100, (1, side, side, 3))
        given = images.astype(np.float32), np.array([0])
        return lambda: Saliency().visualize(network, *given)

    return _grown("pixels a side", (64, 128, 256, 512, 1024), work, repeat)


@growth("growth-positions")
def positions(repeat: int) -> Growth:
    """Occlusion of VGG16, 224 × 224, patch 32, at as many positions."""
    import numpy as np

    from bench.visualizers import vgg16
    from kerascnn_plugins.occlusion import Occlusion

    network, images = vgg16(1)
    strides = {(-(-192 // stride) + 1) ** 2: stride for stride in (32, 24, 16, 8)}

    def work(count: int) -> Callable[[], object]:
        plugin = Occlusion(patch=32, stride=strides[count])
        return lambda: plugin.visualize(network, images, np.array([0]))

    return _grown("positions", tuple(sorted(strides)), work, repeat)


@growth("growth-units")
def units(repeat: int) -> Growth:
    """Max activation of as many filters of the lecture's CNN, 200 steps, tracing included."""
    from bench.visualizers import ascent
    from kerascnn.ascent import maximise, start
    from kerascnn.ascent import units as of

    network, layer, _ = ascent(12)

    def work(count: int) -> Callable[[], object]:
        return lambda: maximise(network, of(layer, range(count)), start(network), steps=200)

    return _grown("filters", (1, 5, 12, 25, 50), work, repeat)


def _vgg_convolutions() -> Network:
    from kerascnn import Network
    from kerascnn.models import vgg16_features

    return Network(vgg16_features((None, None, 3)), preprocessing="caffe")
