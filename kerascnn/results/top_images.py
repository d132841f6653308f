"""`TopImages`: the pictures of a set that activate units most, and where in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kerascnn.errors import PluginError
from kerascnn.results.base import Result
from kerascnn.results.record import array, items

if TYPE_CHECKING:
    import numpy as np


class TopImages(Result):
    """For each unit the pictures with its highest values, the highest first.

    Pictures are known by their number in the set; of two with the same value the first comes
    first. During a sweep only the numbers are kept; `wanted` lists the pictures to show, and
    `complete` adds them.

    Attributes:
        values: U×K: for each of U units its K highest values, one per picture.
        indices: U×K: the numbers of those pictures.
        places: U×K×2: row and column in the unit's map; −1 where it has none.
        boxes: U×K×4: top, left, bottom, right of the unit's receptive field there, in pixels
            (bottom and right are the first ones outside).
        layer: the units' layer.
        units: the number of each unit in its layer.
        most: the largest K; K is smaller only where the set has fewer pictures.
        seen: how many pictures the set had.
        show: how many units to draw, those with the highest values; 0 for all.
        pictures: M×H×W×C in the model's values: those to show.
        picture_indices: M: their numbers.
        names: M: their names.
    """

    values: np.ndarray = array("U×K")
    indices: np.ndarray = array("U×K", dtype="int64")
    places: np.ndarray = array("U×K×2", dtype="int64")
    boxes: np.ndarray = array("U×K×4", dtype="int64")
    layer: str
    units: Sequence[int] = items("U", of=int)
    most: int
    seen: int
    show: int = 0
    pictures: np.ndarray | None = array("M×H×W×C", default=None, saved_as="images")
    picture_indices: np.ndarray | None = array(
        "M", default=None, dtype="int64", saved_as="image_indices"
    )
    names: Sequence[str] = items("M", default=())

    def check(self) -> None:
        """Check the numbers of pictures."""
        units, count = self.values.shape
        if count != min(self.most, self.seen):
            raise PluginError(
                f"TopImages.values must be {units} units × {min(self.most, self.seen)} "
                f"pictures. Received the shape {self.values.shape}"
            )
        if self.indices.min() < 0 or self.indices.max() >= self.seen:
            raise PluginError(f"TopImages.indices must be from 0 to {self.seen - 1}")
        if self.pictures is not None and (self.picture_indices is None or not self.names):
            raise PluginError("TopImages.pictures must come with picture_indices and names")

    @property
    def shown(self) -> list[int]:
        """Which rows are drawn, strongest first where ``show`` limits them."""
        import numpy as np

        if not self.show or self.show >= len(self.units):
            return list(range(len(self.units)))
        order = np.argsort(-self.values[:, 0], kind="stable")
        return [int(row) for row in order[: self.show]]

    @property
    def wanted(self) -> list[int]:
        """The numbers of the pictures to show: those of the first unit shown come first."""
        return list(dict.fromkeys(int(index) for index in self.indices[self.shown].ravel()))

    def complete(self, pictures: np.ndarray, names: Sequence[str]) -> TopImages:
        """Return the same with the pictures to show, and ``facts["top"]`` that lists them.

        Args:
            pictures: M×H×W×C, those of `wanted` in that order, or only the first of them.
            names: their names.
        """
        import numpy as np

        indices = np.asarray(self.wanted[: len(pictures)], np.int64)
        full = replace(self, pictures=pictures, picture_indices=indices, names=list(names))
        full.facts = {**self.facts, "top": [full._row(row) for row in full.shown]}
        return full

    def _row(self, row: int) -> dict[str, Any]:
        """Return one unit's pictures, in values that JSON can hold."""
        found = []
        for rank, index in enumerate(self.indices[row]):
            kept = self.picture(int(index))
            found.append(
                {
                    "picture": int(index),
                    "name": None if kept is None else self.names[kept],
                    "value": float(self.values[row, rank]),
                    "box": [int(n) for n in self.boxes[row, rank]],
                }
            )
        return {"unit": self.units[row], "pictures": found}

    def picture(self, index: int) -> int | None:
        """Return the row of a picture in ``pictures``; None if it was not kept."""
        if self.picture_indices is None:
            return None
        rows = (self.picture_indices == index).nonzero()[0]
        return int(rows[0]) if len(rows) else None

    def merge(self, other: Result) -> TopImages:
        """Return the result of this set's pictures followed by the other's.

        Raises:
            PluginError: the other result is of other units.
        """
        import numpy as np

        if not isinstance(other, TopImages) or (self.layer, self.units, self.most) != (
            other.layer,
            other.units,
            other.most,
        ):
            raise PluginError("only TopImages of the same layer, units and number can be merged")
        values = np.concatenate([self.values, other.values], axis=1)
        indices = np.concatenate([self.indices, other.indices + self.seen], axis=1)
        order = np.lexsort((indices, -values), axis=1)[:, : self.most]
        places = np.concatenate([self.places, other.places], axis=1)
        boxes = np.concatenate([self.boxes, other.boxes], axis=1)
        merged = replace(
            self,
            values=np.take_along_axis(values, order, 1),
            indices=np.take_along_axis(indices, order, 1),
            places=np.take_along_axis(places, order[..., None], 1),
            boxes=np.take_along_axis(boxes, order[..., None], 1),
            seen=self.seen + other.seen,
            pictures=None,
            picture_indices=None,
            names=(),
            notes=list(dict.fromkeys([*self.notes, *other.notes])),
            facts={name: fact for name, fact in self.facts.items() if name != "top"},
        )
        return merged._with_pictures_of(self, other)

    def _with_pictures_of(self, one: TopImages, other: TopImages) -> TopImages:
        """Keep the pictures of the two parts, if they have all that the whole wants."""
        import numpy as np

        found: list[tuple[np.ndarray, str]] = []
        for index in self.wanted:
            half, local = (one, index) if index < one.seen else (other, index - one.seen)
            row = half.picture(local)
            if row is None or half.pictures is None:
                return self
            found.append((half.pictures[row], half.names[row]))
        return self.complete(np.stack([p for p, _ in found]), [name for _, name in found])
