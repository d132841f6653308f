"""Many pictures through one function, as many at once as memory allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext

import numpy as np

from kerascnn.errors import ModelError
from kerascnn.graph.live_types import Tensor
from kerascnn.network.memory import MemoryBudget
from kerascnn.terminal.progress import progress, say


class Batches:
    """Calls functions on batches within a budget of memory.

    A batch for which TensorFlow finds no memory is halved and tried again; what did fit is
    remembered.
    """

    def __init__(self, memory: MemoryBudget) -> None:
        self.memory = memory
        self._ceiling: int | None = None  # bytes, as estimated, that proved too many

    def run(
        self,
        function: Callable[..., tuple[Tensor, ...]],
        per_item: int,
        *columns: np.ndarray,
        ends: Sequence[int] = (),
        description: str = "",
    ) -> tuple[np.ndarray, ...]:
        """Call a function on slices of the columns and join what it returns.

        Args:
            function: takes a slice of each column, returns a tuple of as many rows each.
            per_item: bytes that one row takes, roughly.
            *columns: arrays of equal length.
            ends: rows before which a batch must end, rising.
            description: what a progress bar says; none is shown without it.

        Raises:
            ModelError: there is no memory for a single row.
        """
        import tensorflow as tf

        count, start, parts = len(columns[0]), 0, list[tuple[np.ndarray, ...]]()
        with progress(description, count) if description else nullcontext() as bar:
            while start < count:
                end = next((end for end in ends if end > start), count)
                size = min(self.size(per_item), end - start)
                given = [column[start : start + size] for column in columns]
                try:
                    parts.append(tuple(np.asarray(value) for value in function(*given)))
                except (tf.errors.ResourceExhaustedError, MemoryError) as error:
                    self._lower(per_item, size, error)
                    continue
                start += size
                if bar is not None:
                    bar.advance(size)
        if len(parts) == 1:  # large maps are not copied once more
            return parts[0]
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))

    def size(self, per_item: int) -> int:
        """Return how many rows go at once."""
        size = self.memory.batch_size(per_item)
        if self._ceiling is None:
            return size
        return max(1, min(size, self._ceiling // max(per_item, 1)))

    def _lower(self, per_item: int, size: int, error: Exception) -> None:
        """Remember that there is no memory for so many rows."""
        if size == 1:
            raise ModelError(
                "there is not enough memory for one picture; close other programs or take a "
                "smaller one"
            ) from error
        self._ceiling = per_item * (size // 2)
        say(f"memory is short: {size // 2} pictures at once instead of {size}")
