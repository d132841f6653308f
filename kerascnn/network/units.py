"""Filters and neurons: one as a target, several by numbers and ranges.

Plugins import this when they are loaded, so it loads nothing slow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kerascnn.errors import UsageError, one_line

_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


@dataclass(frozen=True)
class Unit:
    """A target inside the network: a channel of a layer, or a whole layer.

    Its score is the sum over the channel's map: the lecture's "degree of activation" a^k.

    Attributes:
        layer: the layer's name.
        channel: which filter or neuron; None for all of them.
    """

    layer: str
    channel: int | None = None

    def __str__(self) -> str:
        """Return it as a target is typed: ``LAYER`` or ``LAYER:CHANNEL``."""
        return self.layer if self.channel is None else f"{self.layer}:{self.channel}"


def parse_units(units: Sequence[str], count: int, layer: str, *, option: str = "unit") -> list[int]:
    """Read numbers and ranges of units, and return each number once, in the order given.

    Args:
        units: ``"3"``, ``"0-11"`` (both ends are meant), or ``"all"``.
        count: how many units the layer has.
        layer: its name, for errors.
        option: what the user calls the option, for errors: ``--unit`` on a command line.

    Raises:
        UsageError: another text, or a unit that the layer does not have.
    """
    found: dict[int, None] = {}
    for text in units:
        if text == "all":
            found.update(dict.fromkeys(range(count)))
            continue
        match = _RANGE.fullmatch(text)
        first, last = (0, -1) if match is None else (int(match[1]), int(match[2] or match[1]))
        if last < first:
            raise UsageError(
                f"{option} takes numbers, ranges like 0-11, or all. "
                f"Received: {one_line(text, 40)!r}"
            )
        if last >= count:
            raise UsageError(
                f"{option}: layer {one_line(layer, 60)!r} has the units 0 to {count - 1}. "
                f"Received: {one_line(text, 40)!r}"
            )
        found.update(dict.fromkeys(range(first, last + 1)))
    return list(found)
