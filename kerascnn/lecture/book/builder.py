"""`ChapterBuilder`: what a chapter computes with, and where it puts what it found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerascnn.lecture.book.content import Block, Content, Finding
from kerascnn.lecture.book.settings import Settings
from kerascnn.storage.files import replacing, write_bytes

if TYPE_CHECKING:
    import numpy as np

    from kerascnn.network.network import Network
    from kerascnn.run.run import Run


class Networks:
    """The networks that chapters ask, each opened once.

    Args:
        out: the folder with the trained ones.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self._open: dict[str, Network] = {}
        #: What chapters share with each other in one run, by name.
        self.shared: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Network:
        """Return a network: ``dnn``, ``cnn`` or ``cnn-as-written``, trained; or ``builtin:…``."""
        if name not in self._open:
            from kerascnn.network.network import Network

            self._open[name] = Network.load(self.path(name))
        return self._open[name]

    def path(self, name: str) -> str:
        """Return what names a network on the command line."""
        return name if name.startswith("builtin:") else str(self.out / f"{name}.h5")


class ChapterBuilder:
    """A chapter in the making.

    Args:
        name: the chapter's.
        uses: what its numbers depend on.
        out: the book's folder.
        settings: what the book is made with.
        networks: the networks at hand.

    Attributes:
        content: what was made up to now.
        files: names of the files that belong to it, in `folder`.
        folder: the chapter's own.
        keep: a folder for what should survive an interruption; it is not made by itself.
    """

    def __init__(
        self,
        name: str,
        uses: Sequence[str],
        out: Path,
        settings: Settings,
        networks: Networks,
    ) -> None:
        self.name, self.uses = name, tuple(uses)
        self.out = out
        self.settings = settings
        self.folder = out / "chapters" / name
        self.keep = out / "checkpoints" / name
        self.content = Content()
        self.files: list[str] = []
        self._networks = networks

    @property
    def quick(self) -> bool:
        """Whether a small version is asked for."""
        return self.settings.quick

    def option(self, name: str) -> str | None:
        """Return what was given for one of the chapter's options."""
        return self.settings.options.get(name)

    def network(self, name: str) -> Network:
        """Return a trained network (``dnn``, ``cnn``, ``cnn-as-written``) or ``builtin:vgg16``.

        The trained ones are there for chapters that have ``"networks"`` in their ``uses``.
        """
        return self._networks[name]

    def shared(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what some chapter of this run has made under a name, or make it."""
        if name not in self._networks.shared:
            self._networks.shared[name] = make()
        return self._networks.shared[name]

    # --- what is read -----------------------------------------------------------------------

    def text(self, key: str, **values: Any) -> None:
        """Put prose: ``text.KEY`` of the catalogues, with values for its ``{name}``."""
        self._add(Block("text", key, plain(values)))

    def _command(self) -> str:
        return self.settings.command(self.uses, "--chapter", self.name)

    def figure(
        self,
        key: str,
        picture: Any,
        arrays: Mapping[str, Any],
        values: Mapping[str, Any] | None = None,
        *,
        command: str | None = None,
        pixels: int = 1,
    ) -> None:
        """Put a picture with its raw values: ``KEY.png`` and ``KEY.npz``.

        Args:
            key: of the caption (``figure.KEY.caption``) and of the text for those who can't see it
                (``.alt``).
            picture: a Matplotlib figure, the bytes of a PNG file, or H×W, H×W×1 or H×W×3 values in
                [0, 1] or uint8.
            arrays: the raw values by name.
            values: for the caption's and alt text's ``{name}``.
            command: what makes it again; the chapter's own by default.
            pixels: how many pixels wide and high each of an array's is drawn.
        """
        png = _png(picture, pixels)
        write_bytes(self._file(f"{key}.png"), png)
        self._arrays(key, arrays)
        # Figures are drawn finer than a page shows them.
        finer = 1.5 if hasattr(picture, "savefig") else 1.0
        data = {
            "png": f"{key}.png",
            "npz": f"{key}.npz",
            "width": round(_size(png)[0] / finer),
            "height": round(_size(png)[1] / finer),
            "command": command or self._command(),
        }
        self._add(Block("figure", key, plain(values or {}), data))

    def table(
        self,
        key: str,
        rows: Sequence[Sequence[Any]],
        **values: Any,
    ) -> None:
        """Put a table; ``table.KEY.columns`` heads it.

        Args:
            key: of its caption.
            rows: numbers, texts that are the same in all languages, and ``{"word": KEY}`` for one
                of the catalogue.
            **values: for the caption's ``{name}``.
        """
        self._add(Block("table", key, plain(values), {"rows": plain(rows)}))

    def play(self, key: str, data: Mapping[str, Any], **values: Any) -> None:
        """Put something to click through, moved by the page's script of that name.

        Args:
            key: ``play.KEY`` of the catalogues has its words.
            data: what the script takes, as JSON takes it.
            **values: for the texts' ``{name}``.
        """
        self._add(Block("play", key, plain(values), plain(data)))

    def claim(self, key: str, holds: bool | None, **values: Any) -> None:
        """Hold something that the documents say against what was measured.

        Args:
            key: ``claim.KEY`` of the catalogues has ``claim``, ``says`` and ``measured``.
            holds: whether the two agree; None where the documents name no value.
            **values: the measured numbers.
        """
        held = None if holds is None else bool(holds)
        self.content.findings.append(Finding(key, held, plain(values)))

    def ask(
        self,
        key: str,
        plugin: str,
        network: str,
        images: Sequence[Any] = (),
        *,
        target: str = "predicted",
        options: Mapping[str, Any] | None = None,
        show: Mapping[str, Any] | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> Run:
        """Ask a visualizer, put its picture, and return its answer.

        The command that is told with it is the one that gives the same on the command line.

        Args:
            key: as of `figure`.
            plugin: the visualizer's name, as on the command line.
            network: whom to ask, as of `network`.
            images: paths, or pictures read before; none takes the packaged sample that fits.
            target: what is explained.
            options: of the visualizer.
            show: fields of the result to draw otherwise, such as ``{"captions": …}``. Texts in the
                picture itself stay English: leave them few.
            values: for the caption's ``{name}``.
        """
        from kerascnn.run.command_line import command_line

        run = self.answer(plugin, self.network(network), images, target=target, options=options)
        command = command_line(run.question, self._networks.path(network))
        self.figure(key, self.drawn(run, show), packed(run), values, command=command)
        return run

    def answer(
        self,
        plugin: str,
        network: Network,
        images: Sequence[Any] = (),
        *,
        target: str = "predicted",
        options: Mapping[str, Any] | None = None,
    ) -> Run:
        """Ask a visualizer of any network, and put nothing."""
        from kerascnn.plugin.registry import Registry
        from kerascnn.run.run import visualize

        chosen = Registry().discover().get(plugin).visualizer(**(options or {}))
        return visualize(chosen, network, images, target)

    def drawn(self, run: Run, show: Mapping[str, Any] | None = None) -> Any:
        """Draw an answer without its title, which the caption has in the reader's language."""
        quiet = {"title": "", "unit": "", **(show or {})}
        return replace(run, result=replace(run.result, **quiet)).figure()

    def picture_file(self, name: str, values: np.ndarray) -> Path:
        """Write a picture that a figure's command takes: H×W×C in [0, 1] or uint8 as PNG."""
        path = self._file(name)
        write_bytes(path, _png(values, 1))
        return path

    def _add(self, block: Block) -> None:
        self.content.blocks.append(block)

    def _file(self, name: str) -> Path:
        self.files.append(name)
        return self.folder / name

    def _arrays(self, key: str, arrays: Mapping[str, Any]) -> None:
        import numpy as np

        with replacing(self._file(f"{key}.npz")) as temporary:
            values: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
            np.savez_compressed(temporary, **values)


def plain(value: Any) -> Any:
    """Return a value as JSON takes it: NumPy's numbers and arrays as Python's."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    return value


def packed(run: Run) -> dict[str, Any]:
    """Return an answer's arrays by name."""
    return {name: array for name, array in run.result.pack().items() if name != "meaning"}


def _png(picture: Any, pixels: int) -> bytes:
    if isinstance(picture, bytes):
        return picture
    if hasattr(picture, "savefig"):
        from kerascnn.render import to_png

        return to_png(picture)
    import io

    import numpy as np
    from PIL import Image

    values = np.asarray(picture)
    if values.dtype != np.uint8:
        values = (np.clip(values, 0, 1) * 255).round().astype(np.uint8)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    values = values.repeat(pixels, axis=0).repeat(pixels, axis=1)
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _size(png: bytes) -> tuple[int, int]:
    """Return a PNG file's width and height."""
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
