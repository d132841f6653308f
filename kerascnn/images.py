"""Pictures as a model sees them: read from files, arrays or the packaged samples."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from kerascnn.contract import InputContract
from kerascnn.decoding import read_unit
from kerascnn.errors import ImageError, one_line


@dataclass(frozen=True)
class Picture:
    """One picture as the model sees it.

    Attributes:
        values: the model's own values, float32 of shape (H, W, C).
        name: a short name, for captions.
        source: the path it was read from, or ``"sample …"``.
        label: the class it is known to show, as its data set names it; None where not known.
        original_size: height and width of the picture before it was fitted to the model, in pixels.
    """

    values: np.ndarray
    name: str
    source: str
    label: str | None
    original_size: tuple[int, int]


def read_picture(path: Path, contract: InputContract) -> Picture:
    """Read one picture and fit it to the model."""
    unit, original = read_unit(Path(path), contract.shape)
    return Picture(contract.encode(unit), one_line(Path(path).stem, 60), str(path), None, original)


def read_pictures(
    paths: Sequence[Path], contract: InputContract, *, limit: int | None = None
) -> list[Picture]:
    """Read pictures and folders of pictures, and fit them to the model."""
    return [
        read_picture(path, contract) for path in itertools.islice(iter_picture_paths(paths), limit)
    ]


def iter_picture_paths(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the paths of pictures, folders opened and sorted naturally."""
    for path in map(Path, paths):
        if not path.is_dir():
            yield path
            continue
        yield from sorted(
            (p for p in path.iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg")),
            key=lambda p: [int(s) if s.isdigit() else s for s in re.split(r"(\d+)", p.name)],
        )


_PHOTOGRAPHS = ("cat", "astronaut", "coffee", "rocket")


def sample_pictures(contract: InputContract, count: int | None = None) -> list[Picture]:
    """Return packaged pictures that fit the model: digits for small grey inputs, else photographs.

    Args:
        contract: the model's input contract.
        count: how many at most; by default ten digits (one a class) or one photograph.
    """
    height, width, channels = contract.shape
    if channels not in (1, 3):
        raise ImageError(
            f"no packaged picture has the {channels} channels that the model takes; "
            "give --image a .npy array of shape (H, W, C)"
        )
    small = max(height or 1024, width or 1024) <= 40
    if channels == 1 and small:
        return _digits(contract, 10 if count is None else count)
    folder = resources.files("kerascnn") / "samples"
    found = []
    for name in _PHOTOGRAPHS[: 1 if count is None else count]:
        with resources.as_file(folder / f"{name}.jpg") as path:
            unit, original = read_unit(path, contract.shape)
        found.append(Picture(contract.encode(unit), name, f"sample {name}.jpg", None, original))
    return found


def _digits(contract: InputContract, count: int) -> list[Picture]:
    from kerascnn.decoding import fit_unit

    embedded = resources.files("kerascnn") / "datasets" / "data" / "mnist-10000.npz"
    with resources.as_file(embedded) as path, np.load(path, allow_pickle=False) as data:
        images, labels = data["x_test"], data["y_test"]
    found = []
    for index in _one_a_class(labels)[:count]:
        unit = fit_unit(images[index][..., None] / 255.0, contract.shape)
        found.append(
            Picture(
                contract.encode(unit),
                f"digit {labels[index]}",
                f"sample MNIST test digit {index}",
                str(labels[index]),
                (28, 28),
            )
        )
    return found


def _one_a_class(labels: np.ndarray) -> list[int]:
    # The first of each class, then the second of each, and so on.
    rank = np.zeros(len(labels), int)
    for label in np.unique(labels):
        members = labels == label
        rank[members] = np.arange(members.sum())
    return [int(index) for index in np.lexsort((labels, rank))]
