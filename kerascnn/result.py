"""Arrays with their meaning: what a visualizer gives back.

No pixels and no files here: `kerascnn.render` draws a result from its meaning, and its values go
into an NPZ file untouched.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from kerascnn.errors import DataError, PluginError, one_line

if TYPE_CHECKING:
    import numpy as np


@dataclass(eq=False, kw_only=True)
class Result:
    """What all results have in common.

    Attributes:
        title: what the values are, over the picture.
        unit: what they are measured in, beside the colour bar.
        captions: a line for each item; filled with the predictions where a visualizer of images
            leaves it empty.
        notes: what the reader should know; printed, and kept in the NPZ.
        facts: numbers worth keeping beside the arrays, as JSON takes them.
    """

    title: str = ""
    unit: str = ""
    captions: Sequence[str] = ()
    notes: Sequence[str] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    _ARRAYS: ClassVar[dict[str, str]] = {}
    """Which attributes are arrays, and the name of each in the NPZ."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the values by the name they have in the NPZ."""
        found = {name: getattr(self, attribute) for attribute, name in self._ARRAYS.items()}
        return {name: array for name, array in found.items() if array is not None}

    @property
    def count(self) -> int:
        """How many items there are: along the first axis of the first array."""
        return len(next(iter(self.arrays().values())))

    def meaning(self) -> dict[str, Any]:
        """Return all that is not an array, as JSON takes it."""
        plain = {
            item.name: getattr(self, item.name)
            for item in fields(self)
            if item.name not in self._ARRAYS
        }
        plain["captions"], plain["notes"] = list(self.captions), list(self.notes)
        return {"kind": type(self).__name__, **plain}

    def save(self, path: Path) -> None:
        """Write arrays and meaning to an NPZ file, whole or not at all.

        The meaning is a JSON string in the array ``meaning``.
        """
        import numpy as np

        from kerascnn.files import replacing

        text = json.dumps(self.meaning(), ensure_ascii=False)
        with replacing(path, ".npz") as temporary:
            np.savez_compressed(temporary, allow_pickle=False, meaning=text, **self.arrays())

    @staticmethod
    def load(path: str | Path) -> Result:
        """Read a result back from its NPZ file.

        Raises:
            DataError: the file is not one that `save` wrote.
        """
        import zipfile

        import numpy as np

        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            meaning = json.loads(str(arrays.pop("meaning")))
            kind = _KINDS[meaning.pop("kind")]
            given = {
                attribute: arrays[name]
                for attribute, name in kind._ARRAYS.items()
                if name in arrays
            }
            return kind(**given, **meaning)
        except (OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
            raise DataError(
                f"{one_line(path)} is no result of kerascnn: {one_line(error)}"
            ) from error

    def _array(self, attribute: str, shape: str) -> None:
        """Check an array: its rank (``N×H×W``), real and finite numbers; make it float32."""
        import numpy as np

        value = np.asarray(getattr(self, attribute))
        label = f"{type(self).__name__}.{attribute}"
        if value.ndim != shape.count("×") + 1 or value.size == 0:
            raise PluginError(f"{label} must be {shape}. Received the shape {value.shape}")
        if value.dtype.kind not in "fiub":
            raise PluginError(f"{label} must be real numbers. Received the dtype {value.dtype}")
        value = np.ascontiguousarray(value, np.float32)
        if not np.isfinite(value).all():
            raise PluginError(
                f"{label} holds NaN or infinite numbers: the network gives none that are finite "
                "for this picture (kerascnn inspect tells whether its weights are)"
            )
        setattr(self, attribute, value)

    def _counted(self, count: int) -> None:
        if self.captions and len(self.captions) != count:
            raise PluginError(
                f"{type(self).__name__}.captions must be {count}. Received {len(self.captions)}"
            )


@dataclass(eq=False)
class Heatmap(Result):
    """A number for each pixel of each picture.

    Attributes:
        values: N×H×W; H and W may be smaller than the picture's (a coarse map).
        over: the pictures, N×H×W×C in the model's values.
        signed: whether the sign has a meaning; drawn by a diverging scale centred on zero.
        clip: percentile of the absolute values at which the picture's scale ends; the values
            stay as they are.
        low_is_notable: whether the small values are the message (a score that falls where
            something is hidden).
    """

    values: np.ndarray
    over: np.ndarray
    signed: bool = False
    clip: float = 99.5
    low_is_notable: bool = False

    _ARRAYS: ClassVar[dict[str, str]] = {"values": "values", "over": "images"}

    def __post_init__(self) -> None:
        """Check the arrays against each other."""
        self._array("values", "N×H×W")
        self._array("over", "N×H×W×C")
        if len(self.values) != len(self.over):
            raise PluginError(
                f"Heatmap.values must be as many as the pictures ({len(self.over)}). "
                f"Received {len(self.values)}"
            )
        self._counted(len(self.values))


@dataclass(eq=False)
class Images(Result):
    """Pictures to look at.

    Attributes:
        values: N×H×W×C in the model's values; one channel is grey, three are a colour.
    """

    values: np.ndarray

    _ARRAYS: ClassVar[dict[str, str]] = {"values": "values"}

    def __post_init__(self) -> None:
        """Check the array."""
        self._array("values", "N×H×W×C")
        self._counted(len(self.values))


@dataclass(eq=False)
class Kernels(Result):
    """Filters of a layer, as weights.

    Attributes:
        values: K×h×w×C: K filters; C = 3 is drawn in colour, any other C as one picture each
            channel, zero in the middle of the scale.
        colour: whether three channels are the picture's own colours (red, green, blue).
    """

    values: np.ndarray
    colour: bool = False

    _ARRAYS: ClassVar[dict[str, str]] = {"values": "values"}

    def __post_init__(self) -> None:
        """Check the array."""
        self._array("values", "K×h×w×C")
        self._counted(len(self.values))


_KINDS: dict[str, type[Result]] = {kind.__name__: kind for kind in (Heatmap, Images, Kernels)}
