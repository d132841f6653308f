"""One visualizer on one network: values, their picture, and the files of both."""

from __future__ import annotations

import dataclasses
import datetime
import importlib.metadata
import platform
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascnn.errors import KerascnnError, ModelError, PluginError, UsageError, one_line
from kerascnn.images import Picture, iter_pictures, read_pictures, sample_pictures
from kerascnn.network.network import Network
from kerascnn.network.precision import computing_in
from kerascnn.network.target import Target
from kerascnn.network.units import Unit
from kerascnn.plugin.visualizer import Visualizer, given_flags
from kerascnn.results.base import Result
from kerascnn.storage.files import sha256, write_bytes, write_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_PHOTOGRAPH = 64  # pixels a side: models of smaller pictures are not for photographs


@dataclass(frozen=True)
class Run:
    """What one visualizer said of one network.

    Attributes:
        visualizer: with its options.
        network: what was asked.
        pictures: what it was asked about; empty for a visualizer of the network alone.
        scores: the model's logits for them, N × classes; None without pictures.
        target: what was explained.
        result: the answer.
        swept: of a streaming visualizer: what it swept over, as JSON takes it; ``pictures`` are
            then those that its result shows.
        checkpoint: what is to be removed when the answer is written.
    """

    visualizer: Visualizer
    network: Network
    pictures: tuple[Picture, ...]
    scores: np.ndarray | None
    target: Target | None
    result: Result
    swept: dict[str, Any] | None = None
    checkpoint: Path | None = None

    def figure(self) -> Figure:
        """Draw the result."""
        from kerascnn.render import draw

        return draw(self.result, self.network.input.decode)

    def _repr_png_(self) -> bytes:
        """Show it in a notebook, in the model's own colours."""
        from kerascnn.render import to_png

        return to_png(self.figure())

    def save(self, folder: str | Path, **more: Any) -> dict[str, Path]:
        """Write ``<name>.png``, ``<name>.npz`` and ``manifest.json``, each whole or not at all.

        A result that has files of its own (a film) is written beside them, as ``<name>.gif``.

        Args:
            folder: where to; made if it is not there.
            **more: further entries of the manifest.

        Returns:
            The paths, by ``png``, ``npz``, ``manifest``, and the suffix of each other file.

        Raises:
            OutputError: the folder can't be written to.
        """
        from kerascnn.render import to_png

        folder = Path(folder)
        name = self.visualizer.name
        paths = {
            "png": folder / f"{name}.png",
            "npz": folder / f"{name}.npz",
            "manifest": folder / "manifest.json",
        }
        image = to_png(self.figure())
        own = self.result.files(self.network.input.decode)
        self.result.save(paths["npz"])
        write_bytes(paths["png"], image)
        for suffix, data in own.items():
            paths[suffix] = folder / f"{name}.{suffix}"
            write_bytes(paths[suffix], data)
        write_json(paths["manifest"], {**self.manifest(), **more})
        if self.checkpoint is not None:
            self.checkpoint.unlink(missing_ok=True)
        return paths

    def manifest(self) -> dict[str, Any]:
        """Return how the result came about, as JSON takes it."""
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

    def predictions(self) -> list[dict[str, Any]]:
        """Return each picture's predicted class, its score and probability, as JSON takes it."""
        if self.scores is None:
            return []
        chances = self.network.to_probabilities(self.scores)
        found = []
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
        """Return a line a picture: its name, what is explained, and how sure the model is."""
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
    images: Sequence[str | Path] | Sequence[Picture] = (),
    target: str = "predicted",
    resume: str | Path | None = None,
) -> Run:
    """Ask one question of a network.

    Args:
        visualizer: the question with its options, such as ``Saliency(signed=True)``.
        network: whom to ask.
        images: paths of pictures and folders, or pictures read before; none takes a packaged
            sample that fits.
        target: ``predicted``, a class index or name, or ``layer:channel``.
        resume: a folder where a streaming visualizer keeps what it has found, in case it is
            interrupted; the same question goes on from there.

    Raises:
        KerascnnError: what went wrong, in one line; a failure of the plugin is a `PluginError`.
    """
    if visualizer.streams:
        if target != "predicted":
            raise UsageError(f"{visualizer.name} explains no class, so it takes no --target")
        return _sweep(visualizer, network, images, None if resume is None else Path(resume))
    pictures: tuple[Picture, ...] = ()
    values, scores, wanted = None, None, None
    if visualizer.reads_images:
        if visualizer.any_size and target != "predicted":
            raise UsageError(f"{visualizer.name} explains no class, so it takes no --target")
        pictures = gather(network, images, visualizer.any_size)
        values = np.stack([picture.values for picture in pictures])
        if not visualizer.any_size:
            scores = network.scores(values)
            wanted = network.target(target, scores)
        # A visualizer that writes into its images would change what the next one sees.
        values.setflags(write=False)
    result = answer(visualizer, network, values, wanted)
    run = Run(visualizer, network, pictures, scores, wanted, result)
    if pictures and not result.captions and result.count == len(pictures):
        result.captions = run.captions()
    return run


def _sweep(
    visualizer: Visualizer, network: Network, images: Sequence[Any], folder: Path | None
) -> Run:
    from kerascnn.images.picture_sets import open_pictures
    from kerascnn.run.sweep import sweep

    source = open_pictures(images, network.input)
    checkpoint = None
    if folder is not None and network.loaded is not None:
        checkpoint = folder / f"{visualizer.name}.part.npz"
    result, pictures = sweep(
        visualizer,
        network,
        source,
        lambda values: answer(visualizer, network, values, None),
        checkpoint,
    )
    swept = {"from": source.label, "sha256": source.fingerprint(), "skipped": source.skipped}
    return Run(visualizer, network, pictures, None, None, result, swept, checkpoint)


def answer(
    visualizer: Visualizer, network: Network, values: np.ndarray | None, target: Target | None
) -> Result:
    """Call a visualizer; whatever it fails by becomes one line.

    Args:
        visualizer: whom to call.
        network: what it asks.
        values: the pictures, N×H×W×C in the network's values, or None.
        target: what to explain, or None.

    Raises:
        KerascnnError: what it refuses.
        PluginError: it fails, or gives no `Result`.
    """
    try:
        with computing_in(network.precision.name):
            result = visualizer.visualize(network, values, target)
    except KerascnnError:
        raise
    except MemoryError as error:
        raise ModelError("there is not enough memory for this; give less by --memory") from error
    except (Exception, SystemExit) as error:  # no plugin ends the whole program
        raise PluginError(
            f"plugin {visualizer.name!r} failed: {type(error).__name__}: {one_line(error)}"
        ) from error
    if not isinstance(result, Result):
        raise PluginError(
            f"plugin {visualizer.name!r} must return a Heatmap, Images or another Result. "
            f"Received: {one_line(type(result), 80)}"
        )
    return result


def gather(network: Network, images: Sequence[Any], any_size: bool = False) -> tuple[Picture, ...]:
    """Read what was named, or take a packaged sample; all in one size.

    Args:
        network: whose input they are for.
        images: paths, or pictures read before.
        any_size: leave the picture its own size, whatever the network's.

    Raises:
        ImageError: a picture can't be read, or does not fit the model.
        UsageError: several are given where each keeps its own size.
    """
    contract = network.input
    if any_size:
        small = max(n or _PHOTOGRAPH for n in contract.shape[:2]) < _PHOTOGRAPH
        # A packaged digit stays a digit; it has no larger original.
        if images or not small:
            contract = replace(contract, shape=(None, None, contract.channels))
    if images and isinstance(images[0], Picture):
        return tuple(images)
    if not images:
        samples = tuple(sample_pictures(contract))
        return samples[:1] if any_size else samples
    paths = [Path(path) for path in images]
    if any_size and (len(paths) > 1 or paths[0].is_dir()):
        raise UsageError("here one --image goes at a time: each keeps its own size")
    if None in contract.shape:
        # A model of any size takes each picture in its own; together they take the first one's.
        height, width, channels = next(iter_pictures(paths, contract)).values.shape
        contract = replace(contract, shape=(height, width, channels))
    return tuple(read_pictures(paths, contract))


def command_line(
    visualizer: Visualizer, model: str, images: Sequence[Any] = (), target: str = "predicted"
) -> str:
    """Return the command line that asks a question again.

    Args:
        visualizer: with its options.
        model: what the command line calls the network.
        images: paths, or pictures read before.
        target: as ``--target`` takes it.
    """
    words = ["kerascnn", "visualize", "--plugin", visualizer.name, model]
    if visualizer.reads_images:
        for image in images:
            words += ["--image", str(getattr(image, "source", image))]
    if target != "predicted":
        words += ["--target", target]
    return one_line(shlex.join([*words, *given_flags(visualizer)]), 2000)


def _plain(target: Target | None) -> Any:
    if target is None:
        return None
    return str(target) if isinstance(target, Unit) else [int(index) for index in target]


def _origin(network: Network) -> dict[str, Any]:
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


def _picture_record(picture: Picture) -> dict[str, Any]:
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
