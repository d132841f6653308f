"""`Record`: a class of values whose arrays are declared as fields, and checked by that declaration.

    class Spread(Result):
        counts: np.ndarray = array("N×P")
        edges: np.ndarray = array("P | N×P")
        names: Sequence[str] = items("N")

One letter stands for one length: here there are as many names as rows of counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import Field, dataclass, field, fields
from types import EllipsisType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from typing_extensions import dataclass_transform

from kerascnn.errors import PluginError

if TYPE_CHECKING:
    import numpy as np

Dtype = Literal["float32", "int64"]
Lengths = dict[str, int]
"""Axis letter → its length, as far as it is known from the arrays before."""


def array(
    axes: str,
    *,
    dtype: Dtype = "float32",
    saved_as: str = "",
    default: EllipsisType | None = ...,
) -> Any:
    """Declare a field of a `Record` that holds an array.

    Args:
        axes: the array's axes, as ``"N×H×W×C"``: a letter for each length, the same letter for the
            same length in all arrays of the record, or a number; ``"P | N×P"`` allows two shapes.
        dtype: what the values are converted to; ``"int64"`` takes whole numbers alone, and
            ``"float32"`` only numbers that are finite.
        saved_as: the array's name in the NPZ file; the field's name if empty.
        default: None makes the array optional.

    Returns:
        A field for the body of the class, typed as whatever it is assigned to.
    """
    shapes = tuple(tuple(shape.strip().split("×")) for shape in axes.split("|"))
    metadata = {_DECLARED: ArrayField(shapes, dtype, saved_as, optional=default is None)}
    return field(metadata=metadata) if default is ... else field(default=None, metadata=metadata)


def items(
    axis: str = "",
    *,
    of: type[str] | type[int] = str,
    default: tuple[()] | EllipsisType = ...,
) -> Any:
    """Declare a field of a `Record` that holds a list: a text or a number for each item of an axis.

    Args:
        axis: the letter of the axis (see `array`); empty where any number of items is right.
        of: what each item is converted to.
        default: ``()`` makes the list optional: it is then either empty or of the axis' length.
    """
    metadata = {_DECLARED: ItemsField(axis, of, optional=default is not ...)}
    return field(metadata=metadata) if default is ... else field(default=(), metadata=metadata)


@dataclass(frozen=True)
class ArrayField:
    """What `array` declares: one or several shapes, the dtype, the name in the file."""

    shapes: tuple[tuple[str, ...], ...]
    dtype: Dtype
    saved_as: str
    optional: bool

    def checked(self, value: object, label: str, lengths: Lengths) -> np.ndarray:
        """Return the array in its dtype, and add the lengths of its axes to ``lengths``.

        Raises:
            PluginError: another shape, no element, not real, not whole, or not finite.
        """
        import numpy as np

        found = np.asarray(value)
        axes = next((axes for axes in self.shapes if _fits(found.shape, axes, lengths)), None)
        if axes is None or found.size == 0:
            raise PluginError(
                f"{label} must be {self._text(lengths)}. Received the shape {found.shape}"
            )
        lengths.update(zip(axes, found.shape, strict=True))
        whole = self.dtype == "int64"
        if found.dtype.kind not in ("iub" if whole else "fiub"):
            kind = "whole" if whole else "real"
            raise PluginError(f"{label} must be {kind} numbers. Received the dtype {found.dtype}")
        found = np.ascontiguousarray(found, self.dtype)
        if not np.isfinite(found).all():
            raise PluginError(
                f"{label} has NaN or infinite numbers (kerascnn inspect tells whether the "
                "network's weights are finite)"
            )
        return found

    def _text(self, lengths: Lengths) -> str:
        """Return the shapes in words, with the lengths that are known."""
        words = " or ".join("×".join(axes) for axes in self.shapes)
        if not any(axis in lengths or axis.isdecimal() for axes in self.shapes for axis in axes):
            return words
        shapes = (tuple(str(lengths.get(axis, axis)) for axis in axes) for axes in self.shapes)
        return f"{words}: {' or '.join(_tuple_text(shape) for shape in shapes)}"


@dataclass(frozen=True)
class ItemsField:
    """What `items` declares: the axis that is listed, and what each item is."""

    axis: str
    of: Callable[[Any], str | int]
    optional: bool

    def checked(self, value: Sequence[object], label: str, lengths: Lengths) -> list[str | int]:
        """Return the list; raise `PluginError` where it has another length than its axis."""
        found = [self.of(item) for item in value]
        if self.axis and (found or not self.optional):
            count = lengths.setdefault(self.axis, len(found))
            if len(found) != count:
                raise PluginError(f"{label} must be {count}. Received {len(found)}")
        return found


_DECLARED = "kerascnn"
"""Where a dataclass field keeps its `ArrayField` or `ItemsField`."""


@dataclass_transform(field_specifiers=(field, array, items))
class Record:
    """A class of values: every subclass is a dataclass, without a decorator.

    A subclass declares its fields, arrays by `array` and lists by `items`; they are checked and
    converted when the record is made, in the order of the declaration. What else must hold is
    checked by overriding `check`.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    _declared: ClassVar[dict[str, ArrayField | ItemsField]] = {}

    def __init_subclass__(cls, *, kw_only: bool = False) -> None:
        """Make a dataclass of the subclass."""
        super().__init_subclass__()
        dataclass(eq=False, kw_only=kw_only)(cls)
        # Kept apart: a second `@dataclass`, written by habit, would lose the fields' metadata.
        cls._declared = {
            each.name: each.metadata[_DECLARED]
            for each in fields(cls)
            if _DECLARED in each.metadata
        }

    def __post_init__(self) -> None:
        """Check the fields by their declarations."""
        lengths: Lengths = {}
        for name, declared in self._declared.items():
            value = getattr(self, name)
            if value is not None or not declared.optional:
                label = f"{self.label}.{name}"
                setattr(self, name, declared.checked(value, label, lengths))
        self.check()

    def check(self) -> None:
        """Check what the declarations can't say; for subclasses to override.

        Raises:
            PluginError: what is wrong, in one line.
        """

    @property
    def label(self) -> str:
        """What errors call the record."""
        return type(self).__name__


def _fits(shape: tuple[int, ...], axes: tuple[str, ...], lengths: Lengths) -> bool:
    known = [int(axis) if axis.isdecimal() else lengths.get(axis) for axis in axes]
    return len(shape) == len(axes) and all(
        length in (None, given) for length, given in zip(known, shape, strict=True)
    )


def _tuple_text(shape: tuple[str, ...]) -> str:
    return f"({', '.join(shape)}{',' if len(shape) == 1 else ''})"
