"""A question asked of a network: the result, its picture, and the files of both."""

from __future__ import annotations

import dataclasses
import datetime
import importlib.metadata
import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kerascnn.errors import KerascnnError, ModelError, PluginError, UsageError, one_line
from kerascnn.images import Picture, iter_pictures, read_pictures, sample_pictures
from kerascnn.network.network import Network
from kerascnn.network.precision import computing_in
from kerascnn.network.target import Target
from kerascnn.network.units import Unit
from kerascnn.plugin.guard import guarded
from kerascnn.plugin.visualizer import Visualizer
from kerascnn.results.base import Result
from kerascnn.run.question import PREDICTED, Question
from kerascnn.storage.files import sha256, write_bytes, write_json
from kerascnn.storage.output_layout import ResultFiles

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Json = dict[str, object]
"""What `json` writes."""

_PHOTOGRAPH = 64  # pixels a side: models of smaller pictures are not for photographs


@dataclass(frozen=True)
class Run:
    """A question, the network it was asked of, and the result.

    Attributes:
        question: the visualizer with its options, and what it was asked about.
        network: what was queried.
        pictures: the pictures as the network sees them; empty for a visualizer of the network
            alone.
        scores: the model's logits for them, N × classes; None where nothing is a target.
        target: what was explained.
        result: what the visualizer returned.
        swept: of a streaming visualizer: the pictures it was run over, as JSON takes it;
            ``pictures`` are then those that its result shows.
        checkpoint: the file to remove once the result is written.
    """

    question: Question
    network: Network
    pictures: tuple[Picture, ...]
    scores: np.ndarray | None
    target: Target | None
    result: Result
    swept: Json | None = None
    checkpoint: Path | None = None

    @property
    def visualizer(self) -> Visualizer:
        """The visualizer with its options."""
        return self.question.visualizer

    def figure(self) -> Figure:
        """Draw the result.

        Raises:
            PluginError: a plugin's own kind of result can't be drawn.
        """
        from kerascnn.render import draw

        with guarded(f"plugin {self.visualizer.name!r} can't draw its result", KerascnnError):
            return draw(self.result, self.network.input.decode)

    def _repr_png_(self) -> bytes:
        """Return the picture that a notebook shows."""
        from kerascnn.render import to_png

        return to_png(self.figure())

    def save(self, folder: str | Path, **more: object) -> dict[str, Path]:
        """Write ``<name>.png``, ``<name>.npz`` and ``manifest.json``, each whole or not at all.

        A result that has files of its own (a film) has them beside these, as ``<name>.gif``.

        Args:
            folder: where to; made if it is not there.
            **more: further entries of the manifest, as JSON takes them.

        Returns:
            The paths, by ``png``, ``npz``, ``manifest``, and the suffix of each other file.

        Raises:
            OutputError: the folder can't be written to.
            PluginError: a plugin's own kind of result can't be drawn or written.
        """
        from kerascnn.render import to_png

        files = ResultFiles(Path(folder), self.visualizer.name)
        paths = {"png": files.named("png"), "npz": files.named("npz"), "manifest": files.manifest}
        image = to_png(self.figure())
        with guarded(f"plugin {files.plugin!r} can't write its result", KerascnnError):
            own = self.result.files(self.network.input.decode)
            self.result.save(paths["npz"])
        write_bytes(paths["png"], image)
        for suffix, data in own.items():
            paths[suffix] = files.named(suffix)
            write_bytes(paths[suffix], data)
        write_json(paths["manifest"], {**self.manifest(), **more})
        if self.checkpoint is not None:
            self.checkpoint.unlink(missing_ok=True)
        return paths

    def manifest(self) -> Json:
        """Return how the result was made, as JSON takes it."""
        return {
            "plugin": self.visualizer.name,
            "options": self.visualizer.model_dump(exclude={"seed"}),
            "seed": self.visualizer.seed,
            "target": _plain(self.target),
            "model": _origin(self.network),
            "input": self.network.input.to_dict(),
            "precision": dataclasses.asdict(self.network.precision),
            "images": [_picture_record(picture) for picture in self.pictures],
            "predictions": self.predictions(),
            **({} if self.swept is None else {"swept": self.swept}),
            "result": self.result.meaning(),
            "versions": _versions(self.network),
            "created": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        }

    def predictions(self) -> list[Json]:
        """Return each picture's predicted class, its score and probability, as JSON takes it."""
        if self.scores is None:
            return []
        chances = self.network.to_probabilities(self.scores)
        found: list[Json] = []
        for row, picture in enumerate(self.pictures):
            best = int(self.scores[row].argmax())
            found.append(
                {
                    "image": picture.name,
                    "class": best,
                    "name": self.network.class_name(best),
                    "score": float(self.scores[row, best]),
                    "probability": None if chances is None else float(chances[row, best]),
                }
            )
        return found

    def captions(self) -> list[str]:
        """Return a line for each picture: its name, what is explained, and its probability."""
        if self.scores is None or isinstance(self.target, Unit):
            return [f"{one_line(picture.name, 28)}: {self.target}" for picture in self.pictures]
        chances = self.network.to_probabilities(self.scores)
        best = self.scores.argmax(axis=-1)
        chosen = best if self.target is None else self.target
        lines = []
        for row, picture in enumerate(self.pictures):
            index, top = int(chosen[row]), int(best[row])
            score = f"score {self.scores[row, index]:.3g}"
            sure = score if chances is None else f"p = {chances[row, index]:.4f}"
            line = f"{one_line(picture.name, 28)}: {self.network.class_name(index)}, {sure}"
            if index != top:
                line += f" (predicted: {self.network.class_name(top)})"
            lines.append(line)
        return lines


def visualize(
    visualizer: Visualizer,
    network: Network,
    images: Sequence[str | Path | Picture] = (),
    target: str = PREDICTED,
    resume: str | Path | None = None,
) -> Run:
    """Ask one question of a network.

    Args:
        visualizer: the question with its options, such as ``Saliency(signed=True)``.
        network: the network to query.
        images: paths of pictures and folders, or pictures read before; none takes a packaged
            sample that fits.
        target: ``predicted``, a class index or name, or ``layer:channel``.
        resume: a folder where a streaming visualizer keeps what it has found, in case it is
            interrupted; the same question resumes from there.

    Raises:
        KerascnnError: what went wrong, in one line; a failure of the plugin is a `PluginError`.
    """
    return ask(Question(visualizer, tuple(images), target), network, resume)


def ask(question: Question, network: Network, resume: str | Path | None = None) -> Run:
    """Ask a question of a network; arguments and errors are those of `visualize`."""
    visualizer = question.visualizer
    if visualizer.streams:
        return _sweep(question, network, None if resume is None else Path(resume))
    pictures: tuple[Picture, ...] = ()
    values, scores, target = None, None, None
    if visualizer.reads_images:
        pictures = gather(network, question.images, visualizer.any_size)
        values = np.stack([picture.values for picture in pictures])
        if visualizer.takes_target():
            scores = network.scores(values)
            target = network.target(question.target, scores)
        # A visualizer that writes into its images would change what the next one sees.
        values.setflags(write=False)
    result = call(visualizer, network, values, target)
    run = Run(question, network, pictures, scores, target, result)
    if pictures and not result.captions and result.count == len(pictures):
        result.captions = run.captions()
    return run


def _sweep(question: Question, network: Network, folder: Path | None) -> Run:
    from kerascnn.images.picture_sets import open_pictures
    from kerascnn.run.sweep import sweep

    visualizer = question.visualizer
    source = open_pictures(question.images, network.input)
    checkpoint = None
    if folder is not None and network.loaded is not None:
        checkpoint = ResultFiles(folder, visualizer.name).checkpoint
    result, pictures = sweep(
        visualizer,
        network,
        source,
        lambda values: call(visualizer, network, values, None),
        checkpoint,
    )
    swept: Json = {"from": source.label, "sha256": source.fingerprint(), "skipped": source.skipped}
    return Run(question, network, pictures, None, None, result, swept, checkpoint)


def call(
    visualizer: Visualizer, network: Network, values: np.ndarray | None, target: Target | None
) -> Result:
    """Call a visualizer; whatever it raises becomes an error of one line.

    Args:
        visualizer: with its options.
        network: what it queries.
        values: the pictures, N×H×W×C in the network's values, or None.
        target: what to explain, or None.

    Raises:
        KerascnnError: what it refuses.
        ModelError: there is not enough memory.
        PluginError: it fails, or returns no `Result`.
    """
    try:
        with (
            guarded(f"plugin {visualizer.name!r} failed", KerascnnError),
            computing_in(network.precision.name),
        ):
            result = visualizer.visualize(network, values, target)
    except MemoryError as error:
        raise ModelError(
            "there is not enough memory for this; a smaller memory limit makes smaller batches"
        ) from error
    if not isinstance(result, Result):
        raise PluginError(
            f"plugin {visualizer.name!r} must return a Heatmap, Images or another Result. "
            f"Received: {one_line(type(result), 80)}"
        )
    return result


def gather(
    network: Network, images: Sequence[str | Path | Picture], any_size: bool = False
) -> tuple[Picture, ...]:
    """Read the pictures of a question, or take packaged samples; all in one size.

    Args:
        network: whose input they are for.
        images: paths, or pictures read before.
        any_size: leave the picture its own size, whatever the network's.

    Raises:
        ImageError: a picture can't be read, or does not fit the model.
        UsageError: several are given, and ``any_size`` allows one.
    """
    contract = network.input
    if any_size:
        small = max(n or _PHOTOGRAPH for n in contract.shape[:2]) < _PHOTOGRAPH
        # A packaged digit stays a digit; it has no larger original.
        if images or not small:
            contract = replace(contract, shape=(None, None, contract.channels))
    ready = [image for image in images if isinstance(image, Picture)]
    if ready:
        return tuple(ready)
    if not images:
        samples = tuple(sample_pictures(contract))
        return samples[:1] if any_size else samples
    paths = [Path(image) for image in images if not isinstance(image, Picture)]
    if any_size and (len(paths) > 1 or paths[0].is_dir()):
        raise UsageError("this visualizer takes one image at a time: each keeps its own size")
    if None in contract.shape:
        # A model of any size accepts each picture in its own; in one array all have the first's.
        height, width, channels = next(iter_pictures(paths, contract)).values.shape
        contract = replace(contract, shape=(height, width, channels))
    return tuple(read_pictures(paths, contract))


def _plain(target: Target | None) -> object:
    if target is None:
        return None
    return str(target) if isinstance(target, Unit) else [int(index) for index in target]


def _origin(network: Network) -> Json:
    loaded = network.loaded
    if loaded is None:
        return {"path": None, "family": network.family}
    return {
        "path": loaded.path,
        "sha256": loaded.sha256,
        "format": loaded.format,
        "family": loaded.family,
        "keras_version": loaded.keras_version,
        "trusted": loaded.trusted,
        "findings": list(loaded.findings),
    }


def _picture_record(picture: Picture) -> Json:
    path = Path(picture.source)
    return {
        "name": picture.name,
        "source": picture.source,
        "sha256": sha256(path) if path.is_file() else None,
        "original_size": list(picture.original_size),
    }


def _versions(network: Network) -> dict[str, str]:
    names = ["kerascnn", "tensorflow", "keras" if network.family == "keras3" else "tf_keras"]
    found = {"python": platform.python_version(), "numpy": np.__version__}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
