"""`Book`: the chapters that are finished, and what they were made with."""

from __future__ import annotations

import io
import os
import platform
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from kerascnn.errors import one_line
from kerascnn.lecture.book.builder import Chapter
from kerascnn.lecture.book.catalogue import Texts
from kerascnn.lecture.book.claim_row import ClaimRow, claim_rows
from kerascnn.lecture.book.content import Content, Json
from kerascnn.lecture.book.settings import Settings


@dataclass(frozen=True)
class Made:
    """A finished chapter.

    Attributes:
        chapter: which.
        content: its blocks and claims.
        folder: where its files are.
        seconds: how long it took to make.
        created: when, in UTC.
    """

    chapter: Chapter
    content: Content
    folder: Path
    seconds: float
    created: str

    def rows(self) -> list[ClaimRow]:
        """Return its claims in words."""
        return claim_rows(self.chapter.name, self.content.claims)


@dataclass(frozen=True)
class Book:
    """The book as it is now.

    Attributes:
        chapters: those that are finished.
        settings: what they were made with.
        versions: of all that computed.
        machine: processor, cores, memory and system.
        training: seconds that each network's training took.
    """

    chapters: list[Made]
    settings: Settings
    versions: dict[str, str]
    machine: dict[str, Json]
    training: dict[str, float]

    def held(self) -> dict[str, int]:
        """Return how many claims hold, of how many that name a value, and how many do not."""
        verdicts = [claim.verdict for made in self.chapters for claim in made.content.claims]
        held, failed = verdicts.count(True), verdicts.count(False)
        return {"held": held, "of": held + failed, "failed": failed}

    def table(self) -> str:
        """Return all claims as a table for the terminal, as wide as that is."""
        from rich import box
        from rich.console import Console
        from rich.table import Table

        texts = Texts("book")
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for part in ("claim", "says", "measured", "holds"):
            table.add_column(texts.one("en", "word", part))
        for made in self.chapters:
            for row in made.rows():
                _, claim, says, measured, _ = row.to_dict().values()
                holds = texts.one("en", "word", row.mark)
                table.add_row(f"{made.chapter.number}. {claim}", says, measured, holds)
        width = max(60, shutil.get_terminal_size((120, 24)).columns)
        written = io.StringIO()
        Console(file=written, width=width, highlight=False, markup=False).print(table)
        return f"{written.getvalue().rstrip()}\n{texts.one('en', 'held', **self.held())}"

    def to_dict(self) -> dict[str, Json]:
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
                    "claims": [row.to_dict() for row in made.rows()],
                }
                for made in self.chapters
            ],
        }


def machine() -> dict[str, Json]:
    """Return what this machine is: processor, cores, memory, system."""
    import psutil

    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "memory_gib": round(psutil.virtual_memory().total / (1 << 30), 1),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return one_line(line.partition(":")[2], 80)
    return one_line(platform.processor() or platform.machine(), 80)
