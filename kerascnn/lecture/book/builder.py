"""`Chapter`, its place in the book and what makes it; `ChapterBuilder`, what it is made with."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from kerascnn.lecture.book.content import Block, Claim, Content, Verdict, plain
from kerascnn.lecture.book.settings import Settings
from kerascnn.storage.files import replacing, write_bytes

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from kerascnn.images import Picture
    from kerascnn.lecture.experiments.mnist import Results
    from kerascnn.lecture.experiments.runner import Builder, Trials
    from kerascnn.lecture.experiments.task import Task
    from kerascnn.network.network import Network
    from kerascnn.run.run import Run

# How often chapters train networks of their own at least, without --quick.
_SEEDS = 3
# Figures are drawn finer than a page shows them.
_FINER = 1.5

#: What a visualizer is run on: paths, or pictures read before.
Images: TypeAlias = "Sequence[str | Path] | Sequence[Picture]"
#: Options of a visualizer, or fields of a result, by name.
Fields: TypeAlias = "Mapping[str, Any]"


@dataclass(frozen=True)
class Chapter:
    """One chapter: its place in the book, and what makes it.

    Attributes:
        name: of its module, its catalogues, its folder, and its anchor on the page.
        number: in the book, from 1.
        make: computes everything and gives it to the `ChapterBuilder`.
        uses: what its numbers depend on: ``"networks"``, ``"seeds"``, names of options.
    """

    name: str
    number: int
    make: Callable[[ChapterBuilder], None]
    uses: tuple[str, ...] = ()


class Networks:
    """The networks that chapters visualize, each opened once.

    Args:
        out: the folder with the trained ones.
        results: of the lecture's experiment; None where no chapter uses it.
    """

    def __init__(self, out: Path, results: Results | None = None) -> None:
        self.out, self.results = out, results
        self._open: dict[str, Network] = {}

    def __getitem__(self, name: str) -> Network:
        """Return a network: ``dnn``, ``cnn`` or ``cnn-as-written``, trained; or ``builtin:…``."""
        if name not in self._open:
            from kerascnn.network.network import Network

            self._open[name] = Network.load(self.path(name))
        return self._open[name]

    def path(self, name: str) -> str:
        """Return how the command line names a network."""
        return name if name.startswith("builtin:") else str(self.out / f"{name}.h5")


class ChapterBuilder:
    """A chapter that is being made.

    Args:
        chapter: which.
        out: the book's folder.
        settings: what the book is made with.
        networks: the networks at hand.

    Attributes:
        content: what was made up to now.
        files: names of the files that belong to the chapter, in `folder`.
        folder: the chapter's own.
    """

    def __init__(self, chapter: Chapter, out: Path, settings: Settings, networks: Networks) -> None:
        self.chapter = chapter
        self.settings = settings
        self.folder = out / "chapters" / chapter.name
        self.content = Content()
        self.files: list[str] = []
        self._networks = networks

    @property
    def quick(self) -> bool:
        """Whether to make a small version."""
        return self.settings.quick

    @property
    def seeds(self) -> int:
        """How often to train networks of the chapter's own: at least three times, if not quick."""
        return self.settings.seeds if self.quick else max(_SEEDS, self.settings.seeds)

    def option(self, name: str) -> Path | None:
        """Return the path that was given for one of the chapter's options."""
        given = self.settings.options.get(name)
        return None if given is None else Path(given)

    def network(self, name: str) -> Network:
        """Return a trained network (``dnn``, ``cnn``, ``cnn-as-written``) or ``builtin:vgg16``.

        The trained ones are there for chapters that have ``"networks"`` in their ``uses``.
        """
        return self._networks[name]

    @property
    def results(self) -> Results:
        """The lecture's experiment, for chapters that have ``"networks"`` in their ``uses``."""
        if self._networks.results is None:
            raise LookupError(f"chapter {self.chapter.name} does not say that it uses networks")
        return self._networks.results

    def train(
        self, networks: Mapping[str, Builder], task: Task, *, epochs: int, batch: int
    ) -> Trials:
        """Train networks of the chapter's own, and write those of the first seed beside the book.

        Args:
            networks: what builds them, by name.
            task: what they learn.
            epochs: how often each network sees all examples.
            batch: how many examples a step takes.
        """
        from kerascnn.lecture.experiments.runner import run

        out, seeds = self._networks.out, self.seeds
        folder = out / "checkpoints" / self.chapter.name
        trials = run(networks, task, folder, seeds=seeds, epochs=epochs, batch=batch)
        trials.save(out)
        return trials

    # --- what is put on the page --------------------------------------------------------------

    def text(self, key: str, **values: object) -> None:
        """Put prose: ``text.KEY`` of the catalogues, with values for its ``{name}``."""
        self._add("text", key, values)

    def figure(
        self,
        key: str,
        picture: Figure | np.ndarray,
        arrays: Mapping[str, object],
        values: Mapping[str, object] | None = None,
        *,
        command: str | None = None,
        pixels: int = 1,
    ) -> None:
        """Put a picture with its raw values: ``KEY.png`` and ``KEY.npz``.

        Args:
            key: of the caption (``figure.KEY.caption``) and of the text for those who can't see it
                (``.alt``).
            picture: a Matplotlib figure, or H×W, H×W×1 or H×W×3 values in [0, 1] or uint8.
            arrays: the raw values by name.
            values: for the caption's and alt text's ``{name}``.
            command: what makes it again; the chapter's own by default.
            pixels: how many pixels wide and high each of an array's is drawn.
        """
        import numpy as np

        png = _png(picture, pixels)
        write_bytes(self._file(f"{key}.png"), png)
        stored: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
        with replacing(self._file(f"{key}.npz")) as temporary:
            np.savez_compressed(temporary, **stored)
        finer = 1.0 if isinstance(picture, np.ndarray) else _FINER
        own = self.settings.command(self.chapter.uses, "--chapter", self.chapter.name)
        data = {
            "png": f"{key}.png",
            "npz": f"{key}.npz",
            # A PNG file has its width and height in bytes 16 to 24.
            "width": round(int.from_bytes(png[16:20], "big") / finer),
            "height": round(int.from_bytes(png[20:24], "big") / finer),
            "command": command or own,
        }
        self._add("figure", key, values or {}, data)

    def table(self, key: str, rows: Sequence[Sequence[object]], **values: object) -> None:
        """Put a table; ``table.KEY.columns`` heads it.

        Args:
            key: of its caption.
            rows: numbers, texts that are the same in all languages, and ``{"word": KEY}`` for one
                of the catalogue.
            **values: for the caption's ``{name}``.
        """
        self._add("table", key, values, {"rows": rows})

    def play(self, key: str, data: Mapping[str, object]) -> None:
        """Put something to click through, moved by the page's script of that name.

        Args:
            key: ``play.KEY`` of the catalogues has its words.
            data: what the script takes, as JSON takes it.
        """
        self._add("play", key, {}, data)

    def claim(self, key: str, verdict: Verdict, *, said: object = None, **measured: object) -> None:
        """Put something that the documents say, and what was measured of it.

        Args:
            key: ``claim.KEY`` of the catalogues has ``claim``, ``says`` and ``measured``.
            verdict: whether the two agree; None where the documents name no value.
            said: the value that the documents name: ``{said}`` of the texts.
            **measured: the measured numbers: their ``{name}``.
        """
        known = None if verdict is None else bool(verdict)
        self.content.claims.append(Claim(key, known, plain(measured), plain(said)))

    def ask(
        self,
        key: str,
        plugin: str,
        network: str,
        images: Images = (),
        *,
        target: str = "predicted",
        options: Fields | None = None,
        show: Fields | None = None,
    ) -> Run:
        """Run a visualizer, put its picture, and return the run.

        The command below the picture gives the same on the command line.

        Args:
            key: as of `figure`.
            plugin: the visualizer's name, as on the command line.
            network: which network, as of `network`.
            images: paths, or pictures read before; none takes the packaged sample that fits.
            target: what is explained.
            options: of the visualizer.
            show: fields of the result to draw otherwise, such as ``{"captions": …}``. Texts in the
                picture itself stay English: leave them few.
        """
        from kerascnn.run.command_line import command_line

        run = self.answer(plugin, self.network(network), images, target=target, options=options)
        command = command_line(run.question, self._networks.path(network))
        self.figure(key, self.drawn(run, show), packed(run), command=command)
        return run

    def answer(
        self,
        plugin: str,
        network: Network,
        images: Images = (),
        *,
        target: str = "predicted",
        options: Fields | None = None,
    ) -> Run:
        """Run a visualizer on any network, and put nothing."""
        from kerascnn.plugin.registry import Registry
        from kerascnn.run.run import visualize

        chosen = Registry().discover().get(plugin).visualizer(**(options or {}))
        return visualize(chosen, network, images, target)

    def drawn(self, run: Run, show: Fields | None = None) -> Figure:
        """Draw a run without its title, which the caption has in the page's language."""
        shown: dict[str, Any] = {"title": "", "unit": "", **(show or {})}
        return replace(run, result=replace(run.result, **shown)).figure()

    def picture_file(self, name: str, values: np.ndarray) -> Path:
        """Write a picture that a figure's command takes: H×W×C in [0, 1] or uint8 as PNG."""
        path = self._file(name)
        write_bytes(path, _png(values, 1))
        return path

    def _add(
        self,
        kind: str,
        key: str,
        values: Mapping[str, object],
        data: Mapping[str, object] | None = None,
    ) -> None:
        self.content.blocks.append(Block(kind, key, plain(values), plain(data or {})))

    def _file(self, name: str) -> Path:
        self.files.append(name)
        return self.folder / name


def packed(run: Run) -> dict[str, np.ndarray]:
    """Return the arrays of a run's result by name."""
    return {name: array for name, array in run.result.pack().items() if name != "meaning"}


def _png(picture: Figure | np.ndarray, pixels: int) -> bytes:
    import numpy as np
    from PIL import Image

    if not isinstance(picture, np.ndarray):
        from kerascnn.render import to_png

        return to_png(picture)
    values = picture
    if values.dtype != np.uint8:
        values = (np.clip(values, 0, 1) * 255).round().astype(np.uint8)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    values = values.repeat(pixels, axis=0).repeat(pixels, axis=1)
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
