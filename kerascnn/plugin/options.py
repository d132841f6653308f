"""`OptionRecord`: a typed record whose fields are options.

One declaration gives the command's flags, the checks, ``--help`` and the table of
``kerascnn plugins show``.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

import pydantic
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from kerascnn.errors import KerascnnError, PluginError, UsageError, nearest, one_line
from kerascnn.plugin.guard import guarded

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")

BOUNDS = {
    "ge": "at least {}",
    "gt": "greater than {}",
    "le": "at most {}",
    "lt": "less than {}",
    "multiple_of": "a multiple of {}",
    "min_length": "of at least {} characters",
    "max_length": "of at most {} characters",
    "pattern": "like {}",
}
"""The bounds that an option can have, and how help and errors name them."""

_SCALARS: dict[type, str] = {int: "a whole number", float: "a number", str: "text"}


def option(default: T, help: str, **bounds: Any) -> T:
    """Declare an option of a record: its default, what it does, and its bounds.

    Args:
        default: the value where the user gives none; it must be within the bounds itself.
        help: one line for ``--help`` and the documentation.
        **bounds: the `BOUNDS`, as of `pydantic.Field`: ``ge``, ``gt``, ``le``, ``lt``,
            ``multiple_of``, ``min_length``, ``max_length``, ``pattern``.

    Returns:
        A field for the body of a record; for type checkers it has the default's type.
    """
    field: T = pydantic.Field(default, description=help, **bounds)
    return field


class OptionRecord(pydantic.BaseModel):
    """A record whose fields are options: one declaration gives flags, checks, help and pages.

    Attributes:
        name: whose options they are, for error messages.
    """

    # The defaults are left unchecked here and checked once by the registry, so that a wrong one
    # is reported as the plugin's mistake, not as the user's.
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=False)

    name: ClassVar[str] = ""

    @classmethod
    def parse(cls, values: Mapping[str, object]) -> Self:
        """Make the record from values as typed by a user.

        Args:
            values: option name → value; strings are converted to the field's type.

        Raises:
            UsageError: a value is wrong: the flag, what it takes and what it got.
            PluginError: a check that the record's author wrote fails by itself.
        """
        unknown = [name for name in values if name not in cls.model_fields]
        if unknown:
            raise UsageError(
                f"{cls.name} has no option {flag(unknown[0])}"
                f"{nearest(flag(unknown[0]), [o.flag for o in options(cls)])}"
            )
        try:
            told = f"{cls.name}: its options can't be checked"
            with guarded(told, KerascnnError, pydantic.ValidationError):
                return cls.model_validate(dict(values))
        except pydantic.ValidationError as error:
            raise UsageError(_explain(cls, error, values)) from error


@dataclass(frozen=True)
class Option:
    """One option of a record, as flags, help and documentation show it."""

    name: str
    flag: str
    takes: str
    default: object
    help: str
    is_switch: bool
    is_list: bool
    choices: tuple[str, ...]

    @property
    def default_text(self) -> str:
        """The default as the terminal and the pages show it."""
        if self.default is None:
            return "–"
        if isinstance(self.default, tuple):
            return ",".join(str(item) for item in self.default) or "–"
        if isinstance(self.default, bool):
            return "on" if self.default else "off"
        return str(self.default)


def options(record: type[OptionRecord]) -> list[Option]:
    """Return a record's options in the order of declaration, the seed last.

    Raises:
        PluginError: an option has a type that flags can't carry, or no help.
    """
    fields = sorted(record.model_fields.items(), key=lambda item: item[0] == "seed")
    return [_option(record.name, name, field) for name, field in fields]


def given_flags(record: OptionRecord) -> list[str]:
    """Return the words on a command line that make a record again: what differs from defaults."""
    words = []
    for option in options(type(record)):
        value = getattr(record, option.name)
        if value == option.default:
            continue
        if option.is_switch:
            words.append(option.flag if value else f"--no-{option.flag[2:]}")
        else:
            items = value if isinstance(value, tuple) else (value,)
            words += [option.flag, ",".join(str(item) for item in items)]
    return words


def flag(name: str) -> str:
    """Return the command line flag of an option's name."""
    return "--" + name.replace("_", "-")


def _option(owner: str, name: str, field: FieldInfo) -> Option:
    where = f"option {name!r} of visualizer {one_line(owner, 60)!r}"
    if not field.description:
        raise PluginError(f"{where} has no help: declare it by option(default, help)")
    if field.default is PydanticUndefined:
        raise PluginError(f"{where} has no default: declare it by option(default, help)")
    is_list, choices, scalar = _kind(field.annotation, where)
    if scalar is bool:
        takes = "on or off"
    elif choices:
        takes = " | ".join(choices)
    else:
        takes = _SCALARS[scalar] + _bounds(field)
    return Option(
        name=name,
        flag=flag(name),
        takes=takes + (", repeatable or with commas" if is_list else ""),
        default=field.default,
        help=one_line(field.description),
        is_switch=scalar is bool,
        is_list=is_list,
        choices=choices,
    )


def _kind(annotation: object, where: str) -> tuple[bool, tuple[str, ...], type]:
    """Return whether it is a list, the choices, and the type of one value."""
    origin = typing.get_origin(annotation)
    arguments = [a for a in typing.get_args(annotation) if a is not type(None)]
    if origin in (typing.Union, types.UnionType) and len(arguments) == 1:
        return _kind(arguments[0], where)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        is_list, choices, scalar = _kind(arguments[0], where)
        if not is_list and scalar is not bool:
            return True, choices, scalar
    if origin is Literal and all(isinstance(a, str) for a in arguments):
        return False, tuple(arguments), str
    if origin is typing.Annotated:
        return _kind(arguments[0], where)
    for scalar in (bool, *_SCALARS):
        if annotation is scalar:
            return False, (), scalar
    raise PluginError(
        f"{where} has the type {one_line(annotation, 80)}; flags carry bool, int, float, str, a "
        "Literal of strings, tuple[…, ...] of one of these, and each of them or None"
    )


def _bounds(field: FieldInfo) -> str:
    found = []
    for item in field.metadata:
        for key, text in BOUNDS.items():
            value = getattr(item, key, None)
            if value is not None:
                found.append(f", {text.format(value)}")
    return "".join(found)


def _explain(
    cls: type[OptionRecord], error: pydantic.ValidationError, values: Mapping[str, object]
) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if name not in cls.model_fields:
        # Raised by a validator of the whole record: there is nothing but its message.
        return one_line(first["msg"].removeprefix("Value error, "))
    declared = _option(cls.name, name, cls.model_fields[name])
    reason = ""
    if first["type"] == "value_error":  # the author's own validator explains itself
        reason = " (" + one_line(first["msg"].removeprefix("Value error, ")) + ")"
    return f"{declared.flag} takes {declared.takes}{reason}. Received: {_shown(values[name])}"


def _shown(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_shown(item) for item in value)
    return repr(one_line(value, 80))
