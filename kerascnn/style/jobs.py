"""The work of ``kerascnn style``: contents painted one by one, saved whatever interrupts it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerascnn.errors import ImageError, OutputError, UsageError, one_line
from kerascnn.images import iter_picture_paths
from kerascnn.network.precision import computing_in
from kerascnn.storage.checkpoint import Checkpoint
from kerascnn.storage.files import output_folder
from kerascnn.storage.output_layout import STYLE
from kerascnn.style.forecast import duration
from kerascnn.style.pictures import (
    DEFAULT_CONTENT,
    DEFAULT_STYLE,
    SAMPLE,
    SUFFIXES,
    check_suffix,
    write_picture,
)
from kerascnn.style.session import PaintingSession, Step
from kerascnn.style.settings import StyleSettings
from kerascnn.style.transfer import StyleTransfer
from kerascnn.terminal.progress import progress, say


@dataclass(frozen=True)
class StyleJob:
    """What to paint, and where to write it.

    Attributes:
        settings: how to paint.
        pictures: the content (or a folder of contents), then the styles.
        out: a file, or a folder; None for ``kerascnn-out/style/``.
        masks: where each style goes.
        style_masks: which part of each style's picture counts.
        memory: bytes for the process, or None.
        preview: write the painting so far every so many steps; 0: never.
        save_every: save the state every so many steps.
        resume: go on where a run of the same job was stopped.
    """

    settings: StyleSettings
    pictures: Sequence[str] = ()
    out: Path | None = None
    masks: Sequence[str] = ()
    style_masks: Sequence[str] = ()
    memory: int | None = None
    preview: int = 0
    save_every: int = 20
    resume: bool = False

    @property
    def content(self) -> str:
        """The content, or the folder of contents."""
        return self.pictures[0] if self.pictures else DEFAULT_CONTENT

    @property
    def styles(self) -> Sequence[str]:
        """The styles' pictures."""
        return self.pictures[1:] or (DEFAULT_STYLE,)


@dataclass(frozen=True)
class SavedImage:
    """A painting that was written.

    Attributes:
        path: where.
        seconds: how long it took, since it was begun or resumed.
        history: the steps.
    """

    path: Path
    seconds: float
    history: list[Step]


def paint(job: StyleJob) -> list[SavedImage]:
    """Paint all contents of a job; each painting is written when it is done.

    Raises:
        KeyboardInterrupt: Ctrl-C; the painting so far and its state are written.
        KerascnnError: wrong input, found before the first step where that is possible.
    """
    for what, number, taken in (("content", 0, job.content), ("style", 1, job.styles[0])):
        if len(job.pictures) <= number:
            say(f"no {what} given: took the packaged {taken.removeprefix(SAMPLE)}.jpg")
    plan = _plan(job)
    _check(job, plan)
    with output_folder(plan[0][1].parent), computing_in(_precision(job.settings)):
        transfer = StyleTransfer(
            job.settings, job.styles, style_masks=job.style_masks, memory=job.memory
        )
        saved = []
        for content, out in plan:
            try:
                saved.append(_paint_one(transfer, content, out, job))
            except ImageError as error:
                if len(plan) == 1:
                    raise
                say(f"left out: {error}")
        if not saved:
            raise ImageError(f"nothing in {one_line(job.content)} could be painted")
    return saved


def _plan(job: StyleJob) -> list[tuple[str, Path]]:
    """Return each content and the file that its painting is written to."""
    content = Path(job.content.removeprefix(SAMPLE))
    out = STYLE if job.out is None else job.out
    if job.content.startswith(SAMPLE) or not content.is_dir():
        whole = out / f"{content.stem}.png" if job.out is None or out.is_dir() else out
        return [(job.content, whole)]
    if job.masks:
        raise UsageError("--mask goes with one content, not with a folder of them")
    if out.suffix.lower() in SUFFIXES and not out.is_dir():
        raise UsageError(f"-o must be a folder where the content is one. Received: {one_line(out)}")
    contents = list(iter_picture_paths([content]))
    # Folders inside the folder stay, so that pictures of the same name do.
    names = _names([path.relative_to(content) for path in contents])
    return [(str(path), out / name) for path, name in zip(contents, names, strict=True)]


def _names(contents: Sequence[Path]) -> list[Path]:
    """Return a PNG's name for each content, all different even where case makes no difference."""
    stems = Counter(str(content.with_suffix("")).casefold() for content in contents)
    found: dict[str, Path] = {}
    for content in contents:
        alone = stems[str(content.with_suffix("")).casefold()] == 1
        base, number = content.stem if alone else content.name, 1
        name = content.with_name(f"{base}.png")
        while str(name).casefold() in found:
            number += 1
            name = content.with_name(f"{base}-{number}.png")
        found[str(name).casefold()] = name
    return list(found.values())


def _check(job: StyleJob, plan: Sequence[tuple[str, Path]]) -> None:
    """Check that paintings can be written, and not over each other or over what is read."""
    read = [content for content, _ in plan] + [*job.styles, *job.masks, *job.style_masks]
    read += [some for some in (job.settings.start_path, job.settings.weights) if some]
    taken = {key: f"{one_line(path)}, which is read" for path in read for key in _identity(path)}
    for content, out in plan:
        check_suffix(out)
        if out.is_dir():
            raise OutputError(f"can't write {one_line(out)}: it is a folder")
        previews = [_preview(out)] if job.preview or job.resume else []
        for path in (out, _state(out), *previews):
            for key in _identity(path):
                if key in taken:
                    raise UsageError(f"-o would write over {taken[key]}")
                taken[key] = f"the painting of {one_line(content)}"


def _identity(path: str | Path) -> list[object]:
    """Return what two paths share where they are one file, even if it is yet to be made."""
    real = os.path.realpath(path)
    try:  # links, and file systems where case makes no difference
        found = Path(real).stat()
    except OSError:
        return [real]
    return [real, (found.st_dev, found.st_ino)]


def _state(out: Path) -> Path:
    return out.with_name(f"{out.name}.state.npz")


def _preview(out: Path) -> Path:
    return out.with_name(f"{out.stem}.preview{out.suffix}")


def _precision(settings: StyleSettings) -> str:
    chosen = settings.computed_in
    if settings.precision == "auto":
        why = "the processor has" if chosen == "bfloat16" else "the processor has no"
        say(f"computing in {chosen}: {why} bfloat16 arithmetic")
    return chosen


def _paint_one(transfer: StyleTransfer, content: str, out: Path, job: StyleJob) -> SavedImage:
    session = PaintingSession(transfer, transfer.scene(content, job.masks))
    checkpoint = Checkpoint(_state(out), session.configuration())
    if job.resume:
        if checkpoint.resume(session.restore):
            say(f"resumed after {len(session.history)} steps")
        else:
            say(f"nothing to resume for {one_line(out)}; starting from the beginning")
    height, width = session.scene.size
    count = len(session.scene.stages)
    sizes = "at one size" if count == 1 else f"in {count} sizes"
    say(f"{session.scene.name}: {width}×{height} {sizes}, {session.forecast().text()}")
    began = time.perf_counter()
    with _ctrl_c() as stopping:
        for _ in _steps(session):
            count = len(session.history)
            if job.preview and count % job.preview == 0:
                write_picture(_preview(out), session.picture(), _record(session, content, job))
            if stopping or count % job.save_every == 0:
                checkpoint.save(*session.state())
            if stopping:
                record = {**_record(session, content, job), "finished": False}
                write_picture(out, session.picture(), record)
                say(
                    f"stopped after {count} steps; the picture so far is in "
                    f"{one_line(out)}, --resume goes on"
                )
                raise KeyboardInterrupt
    write_picture(out, session.picture(), _record(session, content, job))
    _state(out).unlink(missing_ok=True)
    if job.preview or job.resume:
        _preview(out).unlink(missing_ok=True)
    seconds = time.perf_counter() - began
    loss = session.history[-1].loss
    say(f"{len(session.history)} steps in {duration(seconds)}, loss {loss:.4g}")
    return SavedImage(out, seconds, session.history)


def _steps(session: PaintingSession) -> Iterator[Step]:
    """Show progress and the time left; a step counts as much as its picture has pixels."""

    def cost(stage: int) -> int:
        height, width = session.scene.stages[stage].size
        return max(1, height * width // 1000)

    now, done = session.stage, len(session.history)
    later = enumerate(session.scene.stages[now:], now)
    with progress("painting", sum(cost(number) * stage.steps for number, stage in later)) as bar:
        bar.advance(cost(now) * sum(step.stage == now for step in session.history))
        for step in session.steps():
            bar.advance(cost(step.stage), step.text())
            yield step
    if len(session.history) == done:
        say("the painting was finished already")


def _record(session: PaintingSession, content: str, job: StyleJob) -> dict[str, Any]:
    """Return what is written into the file: how the painting was made."""
    return {
        "settings": job.settings.model_dump(mode="json"),
        "content": Path(content.removeprefix(SAMPLE)).name,
        "styles": [Path(style).name for style in job.pictures[1:]]
        or [DEFAULT_STYLE.removeprefix(SAMPLE)],
        "size": list(session.scene.size),
        "steps": len(session.history),
        "loss": session.history[-1].loss if session.history else None,
        "digest": session.configuration()["content"][:16],
    }


@contextlib.contextmanager
def _ctrl_c() -> Iterator[list[bool]]:
    """Let Ctrl-C wait for the end of a step: it fills the list. The second one stops at once."""
    stopping: list[bool] = []
    if threading.current_thread() is not threading.main_thread():
        yield stopping
        return

    def hear(_number: int, _frame: object) -> None:
        if stopping:
            raise KeyboardInterrupt
        stopping.append(True)
        say("stopping after this step; once more to stop at once")

    before = signal.signal(signal.SIGINT, hear)
    try:
        yield stopping
    finally:
        signal.signal(signal.SIGINT, before)
