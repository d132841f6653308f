"""A picture and the patches that hide parts of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kerascnn.errors import UsageError, one_line
from kerascnn.graph.receptive import Box


@dataclass(frozen=True, eq=False)
class Patches:
    """A picture and the patches on it.

    Attributes:
        image: H×W×C.
        filled: H×W×C, what the patches show.
        boxes: P×4 whole numbers: top, left, bottom, right (the last two not included).
    """

    image: np.ndarray
    filled: np.ndarray
    boxes: np.ndarray

    def visible(self) -> np.ndarray:
        """Return the numbers of the patches that differ from what they cover."""
        differs = (self.image != self.filled).any(axis=-1)
        return np.flatnonzero([differs[y0:y1, x0:x1].any() for y0, x0, y1, x1 in self.boxes])

    def pictures(self, chosen: np.ndarray) -> np.ndarray:
        """Return whole pictures with some of the patches on them."""
        return self.windows(chosen, np.zeros((len(chosen), 2), np.int64), self.image.shape[:2])

    def windows(self, chosen: np.ndarray, start: np.ndarray, size: Sequence[int]) -> np.ndarray:
        """Return windows of one size, cut out of the pictures with some of the patches on them.

        Args:
            chosen: the patches' numbers.
            start: where each window begins: row and column.
            size: the windows' height and width; each holds its whole patch.
        """
        height, width = size
        found = np.empty((len(chosen), height, width, self.image.shape[2]), np.float32)
        for window, (top, left), box in zip(found, start, self.boxes[chosen], strict=True):
            y0, x0, y1, x1 = box
            window[:] = self.image[top : top + height, left : left + width]
            window[y0 - top : y1 - top, x0 - left : x1 - left] = self.filled[y0:y1, x0:x1]
        return found


def patches_on(image: np.ndarray, fill: np.ndarray, boxes: Sequence[Box] | np.ndarray) -> Patches:
    """Return a picture's patches; see `Network.patched_scores`.

    Raises:
        UsageError: boxes or fill do not fit the picture.
    """
    rows = [
        (box.top, box.left, box.bottom, box.right) if isinstance(box, Box) else box for box in boxes
    ]
    places = np.asarray(rows)
    if places.ndim != 2 or places.shape[1] != 4 or not len(places):
        raise UsageError(
            f"boxes must be P × 4: top, left, bottom, right. Received the shape {places.shape}"
        )
    if places.dtype.kind not in "iu":
        raise UsageError(f"boxes must be whole numbers. Received the dtype {places.dtype}")
    places = places.astype(np.int64)
    height, width, channels = image.shape
    good = (places[:, :2] >= 0).all(axis=1) & (places[:, 2:] > places[:, :2]).all(axis=1)
    good &= (places[:, 2:] <= (height, width)).all(axis=1)
    if not good.all():
        raise UsageError(
            f"boxes must lie inside the picture of {height} × {width} pixels. "
            f"Received: {one_line(places[~good][0].tolist())}"
        )
    try:
        filled = np.broadcast_to(np.asarray(fill, np.float32), image.shape)
    except ValueError as error:
        raise UsageError(
            f"the fill must be a colour of {channels} channels or a picture of the shape "
            f"{image.shape}. Received the shape {np.shape(fill)}"
        ) from error
    if not np.isfinite(filled).all():
        raise UsageError("the fill must be finite numbers. Received NaN or infinite ones")
    return Patches(image, filled, places)
