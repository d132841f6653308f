"""`TopImages`: which pictures of a set excite units most, and where in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from kerascnn.errors import PluginError
from kerascnn.results.base import Result
from kerascnn.results.validation import checked

if TYPE_CHECKING:
    import numpy as np


@dataclass(eq=False)
class TopImages(Result):
    """For each unit the pictures with its highest values, the highest first.

    Pictures are known by their number in the set; of two with one value the first comes first. The
    numbers alone are gathered while a set is swept over; `wanted` tells which pictures are to be
    seen, and `complete` takes them in.

    Attributes:
        values: U×K: for each of U units its K highest values, one a picture.
        indices: U×K: the numbers of those pictures.
        places: U×K×2: row and column in the unit's map; −1 where it has none.
        boxes: U×K×4: top, left, bottom, right of what the unit sees there, in pixels (bottom and
            right are the first ones outside).
        layer: the units' layer.
        units: the number of each unit in its layer.
        most: how many pictures a unit are kept at most; K is less while there are fewer pictures.
        seen: how many pictures the set had.
        show: draw that many units with the highest values; 0 for all.
        pictures: M×H×W×C in the model's values: those to be seen.
        picture_indices: M: their numbers.
        names: M: their names.
    """

    values: np.ndarray
    indices: np.ndarray
    places: np.ndarray
    boxes: np.ndarray
    layer: str
    units: Sequence[int]
    most: int
    seen: int
    show: int = 0
    pictures: np.ndarray | None = None
    picture_indices: np.ndarray | None = None
    names: Sequence[str] = ()

    _ARRAYS: ClassVar[dict[str, str]] = {
        "values": "values",
        "indices": "indices",
        "places": "places",
        "boxes": "boxes",
        "pictures": "images",
        "picture_indices": "image_indices",
    }

    def __post_init__(self) -> None:
        """Check the arrays against each other."""
        import numpy as np

        self.units = [int(unit) for unit in self.units]
        self.names = [str(name) for name in self.names]
        self._array("values", "U×K")
        shape = self.values.shape
        wanted = {"indices": shape, "places": (*shape, 2), "boxes": (*shape, 4)}
        for name, expected in wanted.items():
            array = np.ascontiguousarray(getattr(self, name), np.int64)
            if array.shape != expected:
                raise PluginError(
                    f"TopImages.{name} must be of shape {expected}. Received {array.shape}"
                )
            setattr(self, name, array)
        if len(self.units) != shape[0] or shape[1] != min(self.most, self.seen):
            raise PluginError(
                f"TopImages.values must be {len(self.units)} units × {min(self.most, self.seen)} "
                f"pictures. Received the shape {shape}"
            )
        if self.indices.min() < 0 or self.indices.max() >= self.seen:
            raise PluginError(f"TopImages.indices must be from 0 to {self.seen - 1}")
        if self.pictures is not None:
            self.pictures = checked(self.pictures, "M×H×W×C", "TopImages.pictures")
            self.picture_indices = np.ascontiguousarray(self.picture_indices, np.int64)
            if not len(self.pictures) == len(self.picture_indices) == len(self.names):
                raise PluginError("TopImages.pictures must be as many as their numbers and names")

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
        """The numbers of the pictures to be seen: those of the first unit shown first."""
        return list(dict.fromkeys(int(index) for index in self.indices[self.shown].ravel()))

    def complete(self, pictures: np.ndarray, names: Sequence[str]) -> TopImages:
        """Return the same with the pictures to be seen, and ``facts["top"]`` that tells of them.

        Args:
            pictures: M×H×W×C, those of `wanted` in that order, or the first of them.
            names: their names.
        """
        import numpy as np

        indices = np.asarray(self.wanted[: len(pictures)], np.int64)
        full = replace(self, pictures=pictures, picture_indices=indices, names=list(names))
        full.facts = {**self.facts, "top": [full._row(row) for row in full.shown]}
        return full

    def _row(self, row: int) -> dict[str, Any]:
        """Return one unit's pictures, as JSON takes it."""
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
        """Return the row of a picture in ``pictures``; None where it was not kept."""
        if self.picture_indices is None:
            return None
        rows = (self.picture_indices == index).nonzero()[0]
        return int(rows[0]) if len(rows) else None

    def merge(self, other: Result) -> TopImages:
        """Return the result of this set's pictures followed by the other's.

        Raises:
            PluginError: the other is about other units.
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
        """Keep the halves' pictures where they have all that the whole wants."""
        import numpy as np

        found: list[tuple[np.ndarray, str]] = []
        for index in self.wanted:
            half, local = (one, index) if index < one.seen else (other, index - one.seen)
            row = half.picture(local)
            if row is None or half.pictures is None:
                return self
            found.append((half.pictures[row], half.names[row]))
        return self.complete(np.stack([p for p, _ in found]), [name for _, name in found])

    def meaning(self) -> dict[str, Any]:
        """Return all that is not an array, as JSON takes it."""
        return {**super().meaning(), "units": list(self.units), "names": list(self.names)}
