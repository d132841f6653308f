"""From the command line's words to files: contents painted one by one, kept whatever happens."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kerascnn.errors import ImageError, KerascnnError, OutputError, UsageError, one_line
from kerascnn.images import iter_picture_paths
from kerascnn.network.precision import computing_in
from kerascnn.storage.checkpoint import Checkpoint
from kerascnn.storage.files import output_folder
from kerascnn.style.forecast import duration
from kerascnn.style.pictures import SAMPLE, SUFFIXES, check_suffix, write_picture
from kerascnn.style.run import DEFAULT_CONTENT, DEFAULT_STYLE, describe
from kerascnn.style.session import PaintingSession, Step
from kerascnn.style.settings import StyleSettings
from kerascnn.style.transfer import StyleTransfer
from kerascnn.terminal.progress import progress, say


@dataclass(frozen=True)
class StyleJob:
    """What to paint and where to.

    Attributes:
        settings: how.
        pictures: the content (or a folder of contents), then the styles.
        out: a file, or a folder; None for ``kerascnn-out/style/``.
        masks: where each style goes.
        style_masks: what counts of each style's picture.
        memory: bytes for the process, or None.
        preview: write the painting so far every so many steps; 0: never.
        save_every: save the state every so many steps.
        resume: go on where a run of the same order was stopped.
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


@dataclass
class SavedImage:
    """A painting that was written.

    Attributes:
        path: where.
        history: the steps.
        seconds: that it took, since it was begun or taken up.
    """

    path: Path
    seconds: float
    history: list[Step] = field(default_factory=list)


def paint(order: StyleJob) -> list[SavedImage]:
    """Paint all that an order names; each painting is written when it is done.

    Raises:
        KeyboardInterrupt: Ctrl-C; what there was of the painting, and its state, are written.
        KerascnnError: wrong input, found before the first step where that is possible.
    """
    content, styles = _sources(order)
    contents, out = _plan(order, content)
    with output_folder(out[0].parent), computing_in(_precision(order.settings)):
        painter = StyleTransfer(
            order.settings, styles, style_masks=order.style_masks, memory=order.memory
        )
        found: list[SavedImage] = []
        for source, path in zip(contents, out, strict=True):
            try:
                found.append(_paint_one(painter, source, path, order))
            except ImageError as error:
                if len(contents) == 1:
                    raise
                say(f"left out: {error}")
        if not found:
            raise ImageError(f"nothing in {one_line(content)} could be painted")
    return found


def _sources(order: StyleJob) -> tuple[str, list[str]]:
    content, *styles = order.pictures or (DEFAULT_CONTENT,)
    if not order.pictures:
        say(f"no content given: took the packaged {content.removeprefix(SAMPLE)}.jpg")
    if not styles:
        styles = [DEFAULT_STYLE]
        say(f"no style given: took the packaged {styles[0].removeprefix(SAMPLE)}.jpg")
    return content, styles


def _plan(order: StyleJob, content: str) -> tuple[list[str], list[Path]]:
    """Return the contents and where each one's painting goes."""
    several = not content.startswith(SAMPLE) and Path(content).is_dir()
    contents = [str(p) for p in iter_picture_paths([Path(content)])] if several else [content]
    if several and order.masks:
        raise UsageError("--mask goes with one content, not with a folder of them")
    folder = Path("kerascnn-out") / "style" if order.out is None else order.out
    if several or order.out is None or folder.is_dir():
        if several and folder.suffix.lower() in SUFFIXES and not folder.is_dir():
            raise UsageError(
                f"-o must be a folder where the content is one. Received: {one_line(folder)}"
            )
        # Folders inside the folder stay, so that pictures of the same name do.
        names = [
            Path(source).relative_to(content) if several else Path(Path(source).name)
            for source in (some.removeprefix(SAMPLE) for some in contents)
        ]
        stems = [name.with_suffix("") for name in names]
        out = [
            folder / name.with_name(f"{name.stem if stems.count(stem) == 1 else name.name}.png")
            for name, stem in zip(names, stems, strict=True)
        ]
    else:
        out = [folder]
    given = {Path(picture).absolute() for picture in (*contents, *order.pictures[1:])}
    for path in out:
        check_suffix(path)
        if path.is_dir():
            raise OutputError(f"can't write {one_line(path)}: it is a folder")
        if path.absolute() in given:
            raise UsageError(f"-o would write over {one_line(path)}, which is to be painted from")
    return contents, out


def _precision(settings: StyleSettings) -> str:
    chosen = settings.computed_in
    if settings.precision == "auto":
        why = "the processor has" if chosen == "bfloat16" else "the processor has no"
        say(f"computing in {chosen}: {why} bfloat16 arithmetic")
    return chosen


def _paint_one(painter: StyleTransfer, source: str, path: Path, order: StyleJob) -> SavedImage:
    work = PaintingSession(painter, painter.scene(source, order.masks))
    keep = Checkpoint(path.with_name(f"{path.name}.state.npz"), work.configuration())
    preview = path.with_name(f"{path.stem}.preview{path.suffix}")
    _take_up(work, keep, order, path)
    height, width = work.scene.size
    count = len(work.scene.stages)
    sizes = "at one size" if count == 1 else f"in {count} sizes"
    say(f"{work.scene.name}: {width}×{height} {sizes}, {work.forecast().text()}")
    began = time.perf_counter()
    with _ctrl_c() as asked:
        for _ in _steps(work):
            count = len(work.history)
            if order.preview and count % order.preview == 0:
                write_picture(preview, work.picture(), _record(work, source, order))
            if asked:
                _keep(work, keep, source, path, order)
                raise KeyboardInterrupt
            if count % order.save_every == 0:
                keep.save(*work.state())
    write_picture(path, work.picture(), _record(work, source, order))
    for left in (keep.path, preview):
        left.unlink(missing_ok=True)
    seconds = time.perf_counter() - began
    step = work.history[-1]
    say(f"{len(work.history)} steps in {duration(seconds)}, loss {step.loss:.4g}")
    return SavedImage(path, seconds, work.history)


def _steps(work: PaintingSession) -> Iterator[Step]:
    """Show how far it is and how long it will take; each step counts as its picture is large."""

    def cost(stage: int) -> int:
        height, width = work.scene.stages[stage].size
        return max(1, height * width // 1000)

    ahead = work.scene.stages[work.stage :]
    total = sum(cost(work.stage + i) * stage.steps for i, stage in enumerate(ahead))
    done = len(work.history)
    with progress("painting", total) as bar:
        bar.advance(sum(cost(step.stage) for step in work.history if step.stage == work.stage))
        for step in work.steps():
            bar.advance(cost(step.stage), describe(step))
            yield step
    if len(work.history) == done:
        say("the painting was finished already")


def _take_up(work: PaintingSession, keep: Checkpoint, order: StyleJob, path: Path) -> None:
    if not order.resume:
        return
    try:
        found = keep.load()
    except KerascnnError as error:
        raise OutputError(f"can't resume {one_line(path)}: {error}") from error
    if found is None:
        say(f"nothing to resume for {one_line(path)}; starting anew")
        return
    work.restore(*found)
    say(f"resumed after {len(work.history)} steps")


def _keep(
    work: PaintingSession, keep: Checkpoint, source: str, path: Path, order: StyleJob
) -> None:
    keep.save(*work.state())
    write_picture(path, work.picture(), {**_record(work, source, order), "finished": False})
    say(f"stopped after {len(work.history)} steps; the picture so far is in {one_line(path)}, "
        "--resume goes on")  # fmt: skip


def _record(work: PaintingSession, source: str, order: StyleJob) -> dict[str, Any]:
    """Return what is written into the file: how the painting came about."""
    _, styles = order.pictures[:1], order.pictures[1:]
    return {
        "settings": work.painter.settings.model_dump(mode="json"),
        "content": Path(source.removeprefix(SAMPLE)).name,
        "styles": [Path(style).name for style in styles or (DEFAULT_STYLE.removeprefix(SAMPLE),)],
        "size": list(work.scene.size),
        "steps": len(work.history),
        "loss": work.history[-1].loss if work.history else None,
        "digest": work.configuration()["content"][:16],
    }


@contextlib.contextmanager
def _ctrl_c() -> Iterator[list[bool]]:
    """Hear Ctrl-C between two steps: the list given is no longer empty. The second one kills."""
    asked: list[bool] = []
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def hear(_number: int, _frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(True)
        say("stopping after this step; once more to stop at once")

    before = signal.signal(signal.SIGINT, hear)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
