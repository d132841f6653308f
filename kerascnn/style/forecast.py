"""How much time and memory a painting will take, predicted before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from kerascnn.ascent.tiles import Tile
from kerascnn.errors import ModelError
from kerascnn.style.features import Features, Tap
from kerascnn.style.schedule import Stage
from kerascnn.style.tiles import cut

_PROCESS = 960 << 20  # bytes of TensorFlow and the network's weights, before any picture
_VECTORS = 10  # arrays of the picture's size beside the optimiser's pairs
_FEWEST_PAIRS = 3


@dataclass(frozen=True)
class Memory:
    """How much memory a painting may take, and how much it will.

    Attributes:
        limit: bytes for the whole process.
        per_pixel: bytes that a pixel takes inside the network.
        pairs: how many pairs L-BFGS should keep; 0 for another optimiser.
    """

    limit: int
    per_pixel: float
    pairs: int

    @classmethod
    def of(cls, limit: int | None, features: Features, names: Sequence[str], pairs: int) -> Memory:
        """Return the memory for some layers of a network; without a limit half of the machine's.

        That is the same in every run, since the number of tiles changes a painting's last digits.

        Raises:
            ModelError: the limit is below what the program itself takes.
        """
        total = limit if limit is not None else psutil.virtual_memory().total // 2
        if total <= _PROCESS:
            raise ModelError(
                f"not enough memory: the network itself takes about {_PROCESS >> 20} MiB; give "
                f"more by --memory. Received: {total >> 20} MiB"
            )
        return cls(total, features.bytes_per_pixel(names), pairs)

    def history(self, size: tuple[int, int]) -> int:
        """Return how many pairs are kept at a size: as many as fit a quarter of the memory."""
        fit = int(self.limit / 4 / (2 * _picture_bytes(size)))
        return max(_FEWEST_PAIRS, min(self.pairs, fit))

    def tiles(self, size: tuple[int, int], taps: Sequence[Tap]) -> list[Tile]:
        """Cut a picture into tiles that fit.

        Raises:
            ModelError: not even the smallest tile fits.
        """
        return cut(size, taps, max(0, int((self.limit - self._fixed(size)) / self.per_pixel)))

    def needed(self, size: tuple[int, int], tiles: Sequence[Tile]) -> int:
        """Return about how many bytes a size takes."""
        return int(self._fixed(size) + max(tile.pixels for tile in tiles) * self.per_pixel)

    def _fixed(self, size: tuple[int, int]) -> float:
        vectors = _VECTORS + (2 * self.history(size) if self.pairs else 2)
        return _PROCESS + vectors * _picture_bytes(size)


@dataclass(frozen=True)
class Forecast:
    """How much time and memory a painting will take at the most.

    Attributes:
        seconds: of all steps.
        bytes: at its largest size.
        tiles: how many tiles the largest size has.
    """

    seconds: float
    bytes: int
    tiles: int

    def text(self) -> str:
        """Return it as half a sentence."""
        tiles = f" in {self.tiles} tiles" if self.tiles > 1 else ""
        return f"at most {duration(self.seconds)}, {self.bytes / 2**30:.1f} GiB{tiles}"


def forecast(
    stages: Sequence[Stage], memory: Memory, taps: Sequence[Tap], seconds_per_pixel: float
) -> Forecast:
    """Predict how much time and memory a painting takes.

    ``seconds_per_pixel`` are those of a step, as measured at the smallest size.
    """
    seconds = 0.0
    for stage in stages:
        tiles = memory.tiles(stage.size, taps)
        # With tiles, a forward pass of its own adds up the statistics.
        passes = 1.0 if len(tiles) == 1 else 1.4
        pixels = sum(tile.pixels for tile in tiles)
        seconds += stage.steps * passes * pixels * seconds_per_pixel
    return Forecast(seconds, memory.needed(stages[-1].size, tiles), len(tiles))


def duration(seconds: float) -> str:
    """Return a time as people say it: ``45 s``, ``12 min``, ``1 h 40 min``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _picture_bytes(size: tuple[int, int]) -> int:
    return 12 * size[0] * size[1]
