"""What a chapter has come to: blocks and claims, in no language yet."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Block:
    """One piece of a chapter, in the order in which it is read.

    Attributes:
        kind: ``text``, ``figure``, ``table`` or ``play`` (something to click through).
        key: its place in the catalogues; of ``play`` also which script moves it.
        values: numbers and words for the texts' ``{name}``.
        data: of a figure: ``png``, ``npz``, ``width``, ``height``, ``command``; of a table:
            ``rows``; of a play: what its script takes.
    """

    kind: str
    key: str
    values: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One thing that the documents say, held against what was measured.

    Attributes:
        key: its place in the catalogues, which have the words.
        holds: whether the two agree; None where the documents name no value.
        values: what was measured, for the texts' ``{name}``.
    """

    key: str
    holds: bool | None
    values: dict[str, Any] = field(default_factory=dict)


@dataclass
class Content:
    """All of a chapter.

    Attributes:
        blocks: what is read.
        findings: the table of claims at its end.
    """

    blocks: list[Block] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Content:
        """Make it again out of what `to_dict` gave.

        Raises:
            KeyError, TypeError: it is not that.
        """
        return cls(
            [Block(**block) for block in stored["blocks"]],
            [Finding(**finding) for finding in stored["findings"]],
        )
