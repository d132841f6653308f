"""`ClaimRow`: a claim in words, its record and the catalogues brought together."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

from kerascnn.lecture.book.catalogue import Texts, Words
from kerascnn.lecture.book.content import Claim, Json, Verdict
from kerascnn.pages import prose

# The catalogues' word for each verdict.
_MARKS: dict[Verdict, str] = {True: "yes", False: "no", None: "dash"}


@dataclass(frozen=True)
class ClaimRow:
    """A row of the tables of claims.

    Attributes:
        key: of the claim, in its chapter.
        claim: what it is about, in each language, as inline Markdown.
        says: what the documents say.
        measured: what came out here.
        verdict: whether the two agree.
    """

    key: str
    claim: Words
    says: Words
    measured: Words
    verdict: Verdict

    @property
    def mark(self) -> str:
        """The verdict's word in the book's catalogues."""
        return _MARKS[self.verdict]

    def to_dict(self, language: str = "en") -> dict[str, Json]:
        """Return the row in one language, without Markdown's marks, as JSON takes it."""
        texts = {"claim": self.claim, "says": self.says, "measured": self.measured}
        plain = {part: plain_text(words[language]) for part, words in texts.items()}
        return {"key": self.key, **plain, "holds": self.verdict}


def claim_rows(chapter: str, claims: Iterable[Claim]) -> list[ClaimRow]:
    """Return a chapter's claims in words.

    Args:
        chapter: its name.
        claims: what it measured.
    """
    texts = Texts(chapter)

    def row(claim: Claim) -> ClaimRow:
        title, says, measured = (
            texts("claim", claim.key, part, said=claim.said, **claim.measured)
            for part in ("claim", "says", "measured")
        )
        return ClaimRow(claim.key, title, says, measured, claim.verdict)

    return [row(claim) for claim in claims]


def plain_text(markdown: str) -> str:
    """Return inline Markdown without its marks."""
    return html.unescape(re.sub(r"<[^>]+>", "", str(prose(markdown, inline=True))))
