"""The book: its chapters made, or taken where they are finished, and the page of them all."""

from __future__ import annotations

import datetime
import functools
import hashlib
import importlib.resources
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kerascnn.errors import DataError, one_line
from kerascnn.files import output_folder, sha256, write_json, write_text
from kerascnn.lecture.chapters import NAMES, Chapter, chosen, load
from kerascnn.lecture.content import Content
from kerascnn.lecture.settings import Settings
from kerascnn.lecture.work import Networks, Work
from kerascnn.progress import say

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
        from kerascnn.lecture.page import claims_of
        from kerascnn.lecture.report import terminal_table

        rows = [
            (f"{made.chapter.number}. {row['claim']}", row["says"], row["measured"], row["holds"])
            for made in self.chapters
            for row in claims_of(made, "en")
        ]
        held, of = self.held()
        return f"{terminal_table(rows)}\n{held} of {of} claims hold."

    def to_dict(self) -> dict[str, Any]:
        """Return what was measured as JSON takes it, in English; what ``book.json`` holds."""
        from kerascnn.lecture.page import claims_of

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
                    "claims": claims_of(made, "en"),
                }
                for made in self.chapters
            ],
        }


def make_book(out: Path, settings: Settings, chapters: Sequence[str] = ()) -> Book:
    """Make chapters, those that are not finished already, and write the book.

    Writes ``index.html`` and ``book.json``; a chapter's figures and raw values are in
    ``chapters/<name>/``. What stands in the book are the chapters named, and all others that are
    finished for the same settings and versions.

    Args:
        out: the folder.
        settings: what it is made with.
        chapters: names of `kerascnn.lecture.chapters.NAMES`; none for all.

    Raises:
        UsageError: no such chapter, or a setting is wrong.
        DataError: an option names a file or folder that is not there.
        OutputError: ``out`` can't be written to.
        KerascnnError: what a chapter came to grief with.
    """
    from kerascnn.lecture import check_numbers, reproduce
    from kerascnn.lecture.experiment import versions

    wanted = chosen(chapters)
    check_numbers(seeds=settings.seeds, epochs=settings.epochs, examples=settings.examples)
    _check_options(wanted, settings)
    out = Path(out)
    found = versions()
    with output_folder(out):
        inputs = {name: _inputs(load(name), settings, found) for name in NAMES}
        open_ = [c for c in wanted if _finished(out, c, inputs[c.name]) is None]
        if any("networks" in chapter.uses for chapter in open_):
            reproduce(
                out,
                seeds=settings.seeds,
                epochs=settings.epochs,
                examples=settings.examples,
                data=settings.data,
            )
        networks = Networks(out)
        for chapter in open_:
            say(f"chapter {chapter.number}, {chapter.name} …")
            _make(chapter, out, settings, networks, inputs[chapter.name])
        made = [_finished(out, load(name), inputs[name]) for name in NAMES]
        book = Book(
            [chapter for chapter in made if chapter is not None],
            settings,
            found,
            machine(),
            _training(out),
        )
        write(book, out)
    return book


def _check_options(chapters: Sequence[Chapter], settings: Settings) -> None:
    """See that what options name is there: the chapters that read it come last."""
    used = {name for chapter in chapters for name in chapter.uses}
    for name, given in settings.options.items():
        if name not in used:
            say(f"--{name} changes none of these chapters")
        elif not Path(given).exists():
            raise DataError(f"--{name}: there is no {one_line(given)}")


def write(book: Book, out: Path) -> None:
    """Write ``index.html`` and ``book.json``.

    Raises:
        OutputError: they can't be written.
    """
    from kerascnn.lecture.page import page

    write_text(out / "index.html", page(book))
    write_json(out / "book.json", book.to_dict())


def _make(chapter: Chapter, out: Path, settings: Settings, networks: Networks, inputs: str) -> None:
    work = Work(chapter.name, out, settings, networks)
    manifest = work.folder / _MANIFEST
    manifest.unlink(missing_ok=True)
    start = time.perf_counter()
    chapter.make(work)
    seconds = time.perf_counter() - start
    for path in work.folder.glob("*"):
        if path.name not in work.files:  # of an earlier version
            path.unlink()
    # Last of all: where it is, everything beside it is whole and belongs to it.
    write_json(
        manifest,
        {
            "inputs": inputs,
            "seconds": seconds,
            "created": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "files": {name: sha256(work.folder / name) for name in dict.fromkeys(work.files)},
            "content": work.content.to_dict(),
        },
    )
    say(f"chapter {chapter.number}, {chapter.name}: {seconds:.0f} s")


def _finished(out: Path, chapter: Chapter, inputs: str) -> Made | None:
    """Return a chapter that an earlier call has finished with the same inputs."""
    folder = out / "chapters" / chapter.name
    manifest = folder / _MANIFEST
    if not manifest.exists():
        return None
    try:
        stored = json.loads(manifest.read_text(encoding="utf-8"))
        if stored["inputs"] != inputs:
            return None
        content = Content.from_dict(stored["content"])
        for name, digest in stored["files"].items():
            if sha256(folder / name) != digest:
                raise ValueError(f"{name} has been changed")
        return Made(chapter, content, folder, float(stored["seconds"]), str(stored["created"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        say(f"{one_line(manifest)} can't be used: {one_line(error, 120)}")
        return None


def _inputs(chapter: Chapter, settings: Settings, versions: dict[str, str]) -> str:
    """Return a digest of all that a chapter's numbers depend on."""
    record = {
        "name": chapter.name,
        "number": chapter.number,
        "settings": settings.used(chapter.uses),
        "versions": versions,
        "program": _program(),
    }
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


@functools.cache
def _program() -> str:
    """Return a digest of the whole package: its code, its data and the plugins that it asks.

    A chapter draws on so much of it that to say which parts would be to get it wrong one day.
    """
    digest = hashlib.sha256()
    for package in ("kerascnn", "kerascnn_plugins"):
        folder = Path(str(importlib.resources.files(package)))
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".pyc" and "texts" not in path.parts:
                digest.update(f"{path.relative_to(folder).as_posix()} {sha256(path)}\n".encode())
    return digest.hexdigest()


def _training(out: Path) -> dict[str, float]:
    path = out / "results.json"
    if not path.exists():
        return {}
    seconds: dict[str, float] = {}
    for run in json.loads(path.read_text(encoding="utf-8"))["runs"]:
        seconds[run["network"]] = seconds.get(run["network"], 0.0) + run["seconds"]
    return seconds


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
