"""What a chapter holds: blocks and claims, in no language yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from kerascnn.lecture.experiments.spread import Spread

#: What a JSON file takes; see `plain`.
Json: TypeAlias = Any
#: Whether a claim holds; None where the documents name no value.
Verdict: TypeAlias = bool | None


@dataclass(frozen=True)
class Block:
    """One piece of a chapter, in the order in which it is read.

    Attributes:
        kind: ``text``, ``figure``, ``table`` or ``play`` (something to click through).
        key: its place in the catalogues; of ``play`` also the script that moves it.
        values: numbers and words for the texts' ``{name}``.
        data: of a figure: ``png``, ``npz``, ``width``, ``height``, ``command``; of a table:
            ``rows``; of a play: what its script takes.
    """

    kind: str
    key: str
    values: dict[str, Json] = field(default_factory=dict)
    data: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """One thing that the documents say, and what was measured of it.

    The words are in the catalogues: ``claim.KEY.claim``, ``.says`` and ``.measured``.

    Attributes:
        key: its place in the catalogues.
        verdict: whether the two agree.
        measured: numbers for the ``{name}`` of the three texts.
        said: the value that the documents name, ``{said}`` of the texts; None where they name it
            in words alone, or not at all.
    """

    key: str
    verdict: Verdict
    measured: dict[str, Json] = field(default_factory=dict)
    said: Json = None


@dataclass
class Content:
    """All of a chapter.

    Attributes:
        blocks: what is read.
        claims: the table at its end.
    """

    blocks: list[Block] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Json]) -> Content:
        """Make it again out of what `dataclasses.asdict` gave.

        Raises:
            KeyError, TypeError: it is not that.
        """
        return cls(
            [Block(**block) for block in stored["blocks"]],
            [Claim(**claim) for claim in stored["claims"]],
        )


def plain(value: object) -> Json:
    """Return a value as JSON takes it: NumPy's numbers and arrays as Python's.

    A `Spread` becomes ``{"spread": VALUES}``, which `Texts` takes for one again.
    """
    if isinstance(value, Spread):
        return {"spread": list(value.values)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.tolist() if hasattr(value, "tolist") else value
