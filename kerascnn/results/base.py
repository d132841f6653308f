"""`Result`: arrays with their meaning; plugins add kinds of their own.

No pixels here: a result is drawn from its meaning elsewhere (`kerascnn.render`), and its values go
into an NPZ file unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerascnn.errors import DataError, PluginError, one_line
from kerascnn.results.record import ArrayField, ItemsField, Record, items

if TYPE_CHECKING:
    import numpy as np


class Result(Record, kw_only=True):
    """What all results have in common; a plugin makes a kind of its own by subclassing it.

    Arrays and lists are declared as `kerascnn.results.record` describes. A kind is known by the
    name of its class, which must be imported before a file of that kind can be read.

    Attributes:
        title: what the values are; written above the picture.
        unit: what they are measured in; written beside the colour bar.
        captions: a line for each item; of a visualizer that reads images and leaves them empty,
            they are filled with the predictions.
        notes: what a reader of the result should know; printed, and kept in the NPZ file.
        facts: numbers worth keeping beside the arrays; anything that JSON can hold.
    """

    title: str = ""
    unit: str = ""
    captions: Sequence[str] = items(default=())
    notes: Sequence[str] = items(default=())
    facts: dict[str, Any] = field(default_factory=dict)

    def __init_subclass__(cls, **more: bool) -> None:
        """Register the kind by its name, so that files of it can be read; ours stay ours."""
        super().__init_subclass__(**more)
        known = _KINDS.get(cls.__name__)
        if known is None or not known.__module__.startswith("kerascnn."):
            _KINDS[cls.__name__] = cls

    def __post_init__(self) -> None:
        """Check the fields by their declarations, and count the captions."""
        super().__post_init__()
        if self.captions and len(self.captions) != self.count:
            raise PluginError(
                f"{self.label}.captions must be {self.count}. Received {len(self.captions)}"
            )

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the values by the name that they have in the NPZ file."""
        found = {saved: getattr(self, name) for name, saved in self._saved_names().items()}
        return {name: array for name, array in found.items() if array is not None}

    @classmethod
    def _saved_names(cls) -> dict[str, str]:
        """Return the arrays' names in the file by the names of their fields."""
        return {
            name: declared.saved_as or name
            for name, declared in cls._declared.items()
            if isinstance(declared, ArrayField)
        }

    @property
    def count(self) -> int:
        """How many items there are: the length of the first array."""
        return len(next(iter(self.arrays().values())))

    def meaning(self) -> dict[str, Any]:
        """Return all that is not an array, in values that JSON can hold."""
        plain: dict[str, Any] = {"kind": type(self).__name__}
        for name in (each.name for each in fields(self)):
            declared = self._declared.get(name)
            if declared is None:
                plain[name] = getattr(self, name)
            elif isinstance(declared, ItemsField):
                plain[name] = list(getattr(self, name))
        return plain

    def files(self, decode: Callable[[np.ndarray], np.ndarray]) -> dict[str, bytes]:
        """Return further files of this result, beside its picture and NPZ: suffix → content.

        Args:
            decode: converts the model's values to [0, 1], RGB or grey.
        """
        return {}

    def save(self, path: Path) -> None:
        """Write arrays and meaning to an NPZ file, whole or not at all.

        The meaning is a JSON string in the array ``meaning``.
        """
        import numpy as np

        from kerascnn.storage.files import replacing

        with replacing(path, ".npz") as temporary:
            np.savez_compressed(temporary, **self.pack())

    def pack(self) -> dict[str, Any]:
        """Return arrays and meaning by name, as `save` writes them."""
        return {"meaning": json.dumps(self.meaning(), ensure_ascii=False), **self.arrays()}

    @staticmethod
    def unpack(packed: Mapping[str, np.ndarray]) -> Result:
        """Make a result from what `pack` returned.

        Raises:
            DataError: its kind is unknown.
            KeyError, TypeError, ValueError, PluginError: it was not made by `pack`.
        """
        arrays = dict(packed)
        meaning = json.loads(str(arrays.pop("meaning")))
        kind = meaning.pop("kind")
        if kind not in _KINDS:
            raise DataError(
                f"the kind {one_line(kind, 60)!r} is unknown; import the plugin that defines it"
            )
        return _KINDS[kind].from_saved(meaning, arrays)

    @classmethod
    def from_saved(cls, meaning: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> Result:
        """Make a result of this kind from its meaning and its arrays by their names in the file."""
        saved = cls._saved_names().items()
        return cls(**meaning | {name: arrays[key] for name, key in saved if key in arrays})

    @property
    def wanted(self) -> Sequence[int]:
        """Of a result of a sweep: the numbers of the pictures that should be shown with it."""
        return ()

    def complete(self, pictures: np.ndarray, names: Sequence[str]) -> Result:
        """Return the same with the pictures that are `wanted`, and their names."""
        return self

    def merge(self, other: Result) -> Result:
        """Return the result of this one's pictures followed by those of ``other``.

        A kind that overrides this keeps ``a.merge(b).merge(c)`` equal to ``a.merge(b.merge(c))``,
        so that a sweep over many pictures can be cut anywhere.

        Raises:
            PluginError: this kind of result can't be merged, or the two don't fit each other.
        """
        raise PluginError(f"a {self.label} can't be merged with another result")

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, str | bytes]:
        """Show the result at the end of a notebook's cell; see `display_with`."""
        return {} if _display is None else _display(self)

    @staticmethod
    def load(path: str | Path) -> Result:
        """Read a result from its NPZ file.

        Raises:
            DataError: `save` did not write the file, or its kind is unknown.
        """
        import numpy as np

        try:
            with np.load(path, allow_pickle=False) as stored:
                return Result.unpack({name: stored[name] for name in stored.files})
        except MemoryError:
            raise
        except Exception as error:  # a damaged file makes NumPy's reader raise nearly anything
            raise DataError(
                f"{one_line(path)} is no result of kerascnn: {one_line(error)}"
            ) from error


_KINDS: dict[str, type[Result]] = {}
_display: Callable[[Result], dict[str, str | bytes]] | None = None


def display_with(display: Callable[[Result], dict[str, str | bytes]]) -> None:
    """Tell how notebooks show results: values know nothing of pictures.

    Args:
        display: returns a result's MIME bundle, as IPython takes it.
    """
    global _display
    _display = display
