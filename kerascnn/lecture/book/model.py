"""`Book`: the chapters that are finished, and what they were made with."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kerascnn.errors import one_line
from kerascnn.lecture.book.chapter import Chapter
from kerascnn.lecture.book.claim_rows import claims_of
from kerascnn.lecture.book.content import Content
from kerascnn.lecture.book.settings import Settings

_MANIFEST = "chapter.json"


@dataclass(frozen=True)
class Made:
    """A finished chapter.

    Attributes:
        chapter: which.
        content: what it has come to.
        folder: where its files are.
        seconds: that it took.
        created: when, in UTC.
    """

    chapter: Chapter
    content: Content
    folder: Path
    seconds: float
    created: str


@dataclass(frozen=True)
class Book:
    """The book as it is now.

    Attributes:
        chapters: those that are finished.
        settings: what they were made with.
        versions: of all that computed.
        machine: what computed.
        training: seconds that each network's training took.
    """

    chapters: list[Made]
    settings: Settings
    versions: dict[str, str]
    machine: dict[str, Any]
    training: dict[str, float]

    def held(self) -> tuple[int, int]:
        """Return how many claims hold, and how many name a value at all."""
        held = [
            finding.holds
            for made in self.chapters
            for finding in made.content.findings
            if finding.holds is not None
        ]
        return sum(held), len(held)

    def table(self) -> str:
        """Return all claims as a table for the terminal, as wide as that is."""
        from kerascnn.lecture.experiments.report import terminal_table

        rows = [
            (f"{made.chapter.number}. {row['claim']}", row["says"], row["measured"], row["holds"])
            for made in self.chapters
            for row in claims_of(made.chapter.name, made.content, "en")
        ]
        held, of = self.held()
        return f"{terminal_table(rows)}\n{held} of {of} claims hold."

    def to_dict(self) -> dict[str, Any]:
        """Return what was measured as JSON takes it, in English; what ``book.json`` holds."""
        settings = asdict(self.settings)
        settings["data"] = None if self.settings.data is None else str(self.settings.data)
        return {
            "settings": settings,
            "versions": self.versions,
            "machine": self.machine,
            "training_seconds": self.training,
            "chapters": [
                {
                    "name": made.chapter.name,
                    "number": made.chapter.number,
                    "seconds": round(made.seconds, 1),
                    "created": made.created,
                    "claims": claims_of(made.chapter.name, made.content, "en"),
                }
                for made in self.chapters
            ],
        }


def machine() -> dict[str, Any]:
    """Return what computes here: processor, cores, memory, system."""
    import os
    import platform

    import psutil

    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "memory_gib": round(psutil.virtual_memory().total / (1 << 30), 1),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    import platform

    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return one_line(line.partition(":")[2], 80)
    return one_line(platform.processor() or platform.machine(), 80)
