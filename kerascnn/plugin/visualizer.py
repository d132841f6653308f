"""`Visualizer`: a typed record whose fields are its options.

One declaration gives the command's flags, the checks, ``--help`` and the table of
``kerascnn plugins show``.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pydantic
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from kerascnn.errors import PluginError, UsageError, nearest, one_line

if TYPE_CHECKING:
    import numpy as np
    from typing_extensions import Self

    from kerascnn.network.network import Network
    from kerascnn.network.target import Target
    from kerascnn.results.base import Result

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def option(default: Any, help: str, **bounds: Any) -> Any:
    """Declare an option of a visualizer: its default, what it does, and its bounds.

    Args:
        default: the value taken where the user gives none; it must keep the bounds itself.
        help: one line for ``--help`` and the documentation.
        **bounds: of `pydantic.Field`: ``ge``, ``gt``, ``le``, ``lt``, ``multiple_of``,
            ``min_length``, ``max_length``, ``pattern``.

    Returns:
        A field for the body of a `Visualizer`, typed as whatever it is assigned to.
    """
    return pydantic.Field(default, description=help, **bounds)


class OptionRecord(pydantic.BaseModel):
    """A record whose fields are options: one declaration gives flags, checks, help and pages.

    Attributes:
        name: whose options they are, for what is said of them.
    """

    # The defaults are left unchecked here and checked once by the registry, so that a wrong one
    # is reported as the plugin's mistake, not as the user's.
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=False)

    name: ClassVar[str] = ""

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Make the record from values as typed by a user.

        Args:
            values: option name → value; strings are converted to the field's type.

        Raises:
            UsageError: a value is wrong: the flag, what it takes and what it got.
        """
        unknown = [name for name in values if name not in cls.model_fields]
        if unknown:
            raise UsageError(
                f"{cls.name} has no option {flag(unknown[0])}"
                f"{nearest(flag(unknown[0]), [o.flag for o in options(cls)])}"
            )
        try:
            return cls.model_validate(dict(values))
        except pydantic.ValidationError as error:
            raise UsageError(_explain(cls, error, values)) from error


class Visualizer(OptionRecord):
    """A question to a network: its fields are the options, `visualize` gives the answer.

    A subclass sets ``name``, declares options as typed fields, and writes `visualize`. Instances
    are immutable, comparable and picklable: ``Saliency(smooth=25)``.

    Attributes:
        name: what ``--plugin`` takes: lower case words joined by hyphens.
        reads_images: False for a visualizer of the network alone; `visualize` then gets None for
            the images and the target.
        streams: True for a visualizer that sweeps over any number of pictures. `visualize` is then
            called with some of them at a time (and None for the target), and the results are put
            together by their ``merge``: memory does not grow with the set, and an interrupted sweep
            goes on where it stopped.
        any_size: True for a visualizer that runs only layers whose filters slide: the picture comes
            in its own size, one at a time, whatever the model's, and the target is None.
        variants: options that a report shows it with, each with a page's worth to say; by default
            its defaults alone.
    """

    variants: ClassVar[tuple[Mapping[str, Any], ...]] = ({},)
    reads_images: ClassVar[bool] = True
    streams: ClassVar[bool] = False
    any_size: ClassVar[bool] = False

    seed: int = option(0, "seed of whatever is random: same seed, same numbers", ge=0, lt=2**32)

    def visualize(
        self, network: Network, images: np.ndarray | None, target: Target | None
    ) -> Result:
        """Answer the question: arguments in, values out; nothing printed, drawn or written.

        Args:
            network: the model, ready to be asked.
            images: N×H×W×C float32, as the model sees them (channels last whatever the model
                uses), or None where ``reads_images`` is False. Not to be changed.
            target: what to explain: one class index for each image, or a `Unit`; None where
                ``reads_images`` is False or the network has nothing to be a target.

        Returns:
            Values with their meaning: a `Heatmap`, `Images`, ….
        """
        raise PluginError(f"visualizer {self.name!r} has no method 'visualize'")


@dataclass(frozen=True)
class Option:
    """One option of a visualizer, as flags, help and documentation show it."""

    name: str
    flag: str
    takes: str
    default: Any
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
    """Return a record's options in the order of declaration, the common ones last.

    Raises:
        PluginError: an option has a type that flags can't carry, or no help.
    """
    fields = record.model_fields
    common = [name for name in fields if name in Visualizer.model_fields]
    own = [name for name in fields if name not in common]
    return [_option(record.name, name, fields[name]) for name in [*own, *common]]


def variants_of(visualizer: type[Visualizer], given: Visualizer) -> list[Visualizer]:
    """Return what a report asks: what the user said, in each variant that leaves that alone."""
    said = {name: getattr(given, name) for name in given.model_fields_set}
    free = [variant for variant in visualizer.variants if not set(said) & set(variant)]
    return [visualizer(**said, **variant) for variant in free] or [given]


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


def summary(visualizer: type[Visualizer]) -> str:
    """Return the first sentence of a visualizer's docstring, for lists."""
    lines = inspect.cleandoc(visualizer.__doc__ or "").partition("\n\n")[0]
    return one_line(lines, 120).rstrip(".")


_SCALARS = {int: "a whole number", float: "a number", str: "text"}


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


def _kind(annotation: Any, where: str) -> tuple[bool, tuple[str, ...], type]:
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
    if annotation in (bool, int, float, str):
        return False, (), annotation
    raise PluginError(
        f"{where} has the type {one_line(annotation, 80)}; flags carry bool, int, float, str, a "
        "Literal of strings, tuple[…, ...] of one of these, and each of them or None"
    )


def _bounds(field: FieldInfo) -> str:
    words = {
        "ge": "at least {}",
        "gt": "greater than {}",
        "le": "at most {}",
        "lt": "less than {}",
        "multiple_of": "a multiple of {}",
        "min_length": "of at least {} characters",
        "max_length": "of at most {} characters",
        "pattern": "like {}",
    }
    found = []
    for item in field.metadata:
        for key, text in words.items():
            value = getattr(item, key, None)
            if value is not None:
                found.append(text.format(value))
    return "".join(f", {text}" for text in found)


def _explain(
    cls: type[OptionRecord], error: pydantic.ValidationError, values: Mapping[str, Any]
) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if name not in cls.model_fields:
        # Raised by a validator of the whole record: its words are all there is.
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
