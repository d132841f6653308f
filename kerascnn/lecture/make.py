"""The book made: the networks trained, the chapters computed, the page of them all written."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import hashlib
import importlib.resources
import json
import time
from collections.abc import Sequence
from pathlib import Path

from kerascnn.datasets import load_mnist
from kerascnn.errors import DataError, one_line
from kerascnn.lecture.book.builder import Chapter, ChapterBuilder, Networks
from kerascnn.lecture.book.content import Content
from kerascnn.lecture.book.model import Book, Made, machine
from kerascnn.lecture.book.page import page
from kerascnn.lecture.book.settings import EPOCHS, EXAMPLES, Settings
from kerascnn.lecture.chapters import NAMES, chosen, load
from kerascnn.lecture.experiments import mnist
from kerascnn.lecture.experiments.versions import versions
from kerascnn.storage.files import check_writable, output_folder, sha256, write_json, write_text
from kerascnn.terminal.progress import say

_MANIFEST = "chapter.json"


def reproduce(
    out: Path,
    *,
    seeds: int = 1,
    epochs: int = EPOCHS,
    examples: int = EXAMPLES,
    data: Path | None = None,
) -> mnist.Results:
    """Train the lecture's three networks, and write them and their numbers to a folder.

    A training that an earlier call has finished for the same settings, digits and versions is not
    repeated. One that was interrupted resumes after its last whole epoch, and ends with the numbers
    that it would have had without the interruption.

    Args:
        out: the folder: models (``.h5`` and ``.keras``, of the first seed), ``results.json`` and
            ``checkpoints/``.
        seeds: how often each network is trained; seeds are 0, 1, …
        epochs: passes over the training digits.
        examples: training digits, the first of the data set. Up to 10,000 are in the package.
        data: a data set in the layout of Keras' ``mnist.npz``; None for MNIST.

    Raises:
        UsageError: a number is too small.
        DataError: the data set can't be read, or is not what it should be.
        OutputError: ``out`` can't be written to.
    """
    Settings(seeds=seeds, epochs=epochs, examples=examples)  # sees that there are enough of each
    out = Path(out)
    digits = load_mnist(examples, None if data is None else Path(data))
    check_writable(out / "checkpoints")
    return mnist.reproduce(digits, out, seeds=seeds, epochs=epochs)


def make_book(out: Path, settings: Settings, chapters: Sequence[str] = ()) -> Book:
    """Make chapters, those that are not finished already, and write the book.

    Writes ``index.html`` and ``book.json``; a chapter's figures and raw values are in
    ``chapters/<name>/``. The book has the chapters named, and all others that are finished for the
    same settings and versions.

    Args:
        out: the folder.
        settings: what it is made with.
        chapters: names of `kerascnn.lecture.chapters.NAMES`; none for all.

    Raises:
        UsageError: no such chapter, or a setting is wrong.
        DataError: an option names a file or folder that is not there.
        OutputError: ``out`` can't be written to.
        KerascnnError: what a chapter failed with.
    """
    wanted = chosen(chapters)
    _check_options(wanted, settings)
    out = Path(out)
    found = versions()
    with output_folder(out):
        inputs = {name: _inputs(load(name), settings, found) for name in NAMES}
        open_ = [c for c in wanted if _finished(out, c, inputs[c.name]) is None]
        networks = Networks(out)
        if any("networks" in chapter.uses for chapter in open_):
            networks.results = reproduce(
                out,
                seeds=settings.seeds,
                epochs=settings.epochs,
                examples=settings.examples,
                data=settings.data,
            )
        for chapter in open_:
            say(f"chapter {chapter.number}, {chapter.name} …")
            _make(chapter, out, settings, networks, inputs[chapter.name])
        made = [_finished(out, load(name), inputs[name]) for name in NAMES]
        book = Book(
            [chapter for chapter in made if chapter is not None],
            settings,
            found,
            machine(),
            _training_seconds(out),
        )
        write_text(out / "index.html", page(book))
        write_json(out / "book.json", book.to_dict())
    return book


def _check_options(chapters: Sequence[Chapter], settings: Settings) -> None:
    """See that what options name is there: the chapters that read it come last."""
    used = {name for chapter in chapters for name in chapter.uses}
    for name, given in settings.options.items():
        if name not in used:
            say(f"--{name} changes none of these chapters")
        elif not Path(given).exists():
            raise DataError(f"--{name}: there is no {one_line(given)}")


def _make(chapter: Chapter, out: Path, settings: Settings, networks: Networks, inputs: str) -> None:
    builder = ChapterBuilder(chapter, out, settings, networks)
    manifest = builder.folder / _MANIFEST
    manifest.unlink(missing_ok=True)
    start = time.perf_counter()
    chapter.make(builder)
    seconds = time.perf_counter() - start
    for path in builder.folder.glob("*"):
        if path.name not in builder.files:  # of an earlier version
            path.unlink()
    # Written last: where it is, everything beside it is whole and belongs to it.
    write_json(
        manifest,
        {
            "inputs": inputs,
            "seconds": seconds,
            "created": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "files": {name: sha256(builder.folder / name) for name in dict.fromkeys(builder.files)},
            "content": dataclasses.asdict(builder.content),
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
    """Return a digest of the whole package: its code, its data and its plugins.

    A chapter uses so much of it that a list of the parts would be wrong one day.
    """
    digest = hashlib.sha256()
    for package in ("kerascnn", "kerascnn_plugins"):
        folder = Path(str(importlib.resources.files(package)))
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".pyc" and "texts" not in path.parts:
                digest.update(f"{path.relative_to(folder).as_posix()} {sha256(path)}\n".encode())
    return digest.hexdigest()


def _training_seconds(out: Path) -> dict[str, float]:
    """Return how long the trainings of each network took that the folder has results of."""
    path = out / mnist.RESULTS
    if not path.exists():
        return {}
    seconds: dict[str, float] = {}
    for run in json.loads(path.read_text(encoding="utf-8"))["runs"]:
        seconds[run["network"]] = seconds.get(run["network"], 0.0) + run["seconds"]
    return seconds
