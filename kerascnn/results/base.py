"""`Result`: arrays with their meaning, open to kinds of a plugin's own.

No pixels here: a result is drawn from its meaning elsewhere (`kerascnn.render`), and its values go
into an NPZ file untouched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from kerascnn.errors import DataError, PluginError, one_line
from kerascnn.results.validation import checked

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

    def __init_subclass__(cls, **more: Any) -> None:
        """Make a kind of result known by its name, so that it can be read back; ours stay ours."""
        super().__init_subclass__(**more)
        known = _KINDS.get(cls.__name__)
        if known is None or not known.__module__.startswith("kerascnn."):
            _KINDS[cls.__name__] = cls

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

    def files(self, decode: Callable[[np.ndarray], np.ndarray]) -> dict[str, bytes]:
        """Return files of this result's own, beside its picture and NPZ: suffix → content.

        Args:
            decode: turns the model's values into [0, 1] RGB or grey.
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
        """Return arrays and meaning as `save` writes them, by name."""
        return {"meaning": json.dumps(self.meaning(), ensure_ascii=False), **self.arrays()}

    @staticmethod
    def unpack(arrays: Mapping[str, np.ndarray]) -> Result:
        """Make the result again out of what `pack` gave.

        Raises:
            KeyError, TypeError, ValueError, PluginError: it is not that.
        """
        meaning = json.loads(str(arrays["meaning"]))
        kind = _KINDS[meaning.pop("kind")]
        return kind._from(meaning, {name: a for name, a in arrays.items() if name != "meaning"})

    @classmethod
    def _from(cls, meaning: dict[str, Any], arrays: dict[str, np.ndarray]) -> Result:
        given: dict[str, Any] = {
            attribute: arrays[name] for attribute, name in cls._ARRAYS.items() if name in arrays
        }
        return cls(**given, **meaning)

    @property
    def wanted(self) -> Sequence[int]:
        """Of a sweep's result: the numbers of the pictures that are to be seen with it."""
        return ()

    def complete(self, pictures: np.ndarray, names: Sequence[str]) -> Result:
        """Return the same with the pictures that are `wanted`, and their names."""
        return self

    def merge(self, other: Result) -> Result:
        """Return what the pictures of this result and then those of ``other`` give together.

        Where a kind has it, ``a.merge(b).merge(c)`` equals ``a.merge(b.merge(c))``, so that a sweep
        over many pictures can be cut anywhere.

        Raises:
            PluginError: this kind of result can't be merged, or the two don't fit each other.
        """
        raise PluginError(f"a {type(self).__name__} can't be merged with another one")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """Show it where a notebook's cell ends in one; see `display_with`."""
        return {} if _display is None else _display(self)

    @staticmethod
    def load(path: str | Path) -> Result:
        """Read a result back from its NPZ file.

        Raises:
            DataError: the file is not one that `save` wrote.
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

    def _array(self, attribute: str, shape: str) -> None:
        """Check an array: its rank (``N×H×W``), real and finite numbers; make it float32."""
        label = f"{type(self).__name__}.{attribute}"
        value = checked(getattr(self, attribute), shape, label)
        setattr(self, attribute, value)

    def _counted(self, count: int) -> None:
        if self.captions and len(self.captions) != count:
            raise PluginError(
                f"{type(self).__name__}.captions must be {count}. Received {len(self.captions)}"
            )


_KINDS: dict[str, type[Result]] = {}
_display: Callable[[Result], dict[str, Any]] | None = None


def display_with(display: Callable[[Result], dict[str, Any]]) -> None:
    """Say how notebooks draw results: values know nothing of pictures.

    Args:
        display: a result → its MIME bundle, as IPython takes it.
    """
    global _display
    _display = display
