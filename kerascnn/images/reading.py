"""Pictures as a model sees them: from files, folders, arrays or the packaged samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from kerascnn.errors import ImageError, UsageError, one_line
from kerascnn.images.arrays import read_array
from kerascnn.images.decoding import Notice, decode, kind_of, not_a_picture, read_bytes, to_unit
from kerascnn.images.folders import Tally, candidates, is_folder
from kerascnn.network.input_spec import InputSpec
from kerascnn.terminal.progress import say

MAX_TOTAL_BYTES = 1 << 31
"""The most that `read_pictures` holds at once (2 GiB of the models' values)."""

_NOTICES_OF_A_KIND = 3
_DIGITS_UP_TO = 40


@dataclass(frozen=True)
class Picture:
    """One picture as the model sees it.

    Attributes:
        values: the model's own values, float32 of shape (H, W, C).
        name: a short name, for captions; not unique.
        source: the path it was read from, or ``"sample …"``.
        label: the class it is known to show, as its data set numbers or names it; None where that
            is not known.
        original_size: height and width of the picture before it was fitted to the model, in pixels.
    """

    values: np.ndarray
    name: str
    source: str
    label: str | None
    original_size: tuple[int, int]


class Notices:
    """Says what was done to pictures on stderr: the first few of a kind, then how many more."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def __call__(self, kind: str, text: str) -> None:
        """Say a line, unless enough of its kind were said."""
        self._counts[kind] += 1
        if self._counts[kind] <= _NOTICES_OF_A_KIND:
            say(text)

    def close(self) -> None:
        """Say how many lines were left out."""
        more = sum(max(0, count - _NOTICES_OF_A_KIND) for count in self._counts.values())
        if more:
            say(f"and {more} more notices of the same kinds")


def read_picture(path: Path, contract: InputSpec) -> Picture:
    """Read one picture and fit it to the model.

    A picture file (PNG, JPEG, GIF, BMP, TIFF, WebP, PPM) is turned upright, brought to sRGB, laid
    on white where it is transparent, scaled to cover the model's height and width and cropped
    around its centre (see `kerascnn.images.decoding`). For grey models it is the luminance;
    nothing is ever inverted. A ``.npy`` or ``.npz`` array of uint8 is such a picture too; one of
    floats is taken as the model's own values, as they are, and must have the model's size.

    Args:
        path: the file; its bytes count, not its suffix.
        contract: what the model wants.

    Raises:
        ImageError: the file is no picture, damaged, too large, does not fit the model, or holds
            several.
    """
    found = list(read_each(Path(path), contract, lambda _kind, text: say(text)))
    if len(found) != 1:
        raise ImageError(f"{one_line(path)} holds {len(found)} pictures where one is meant")
    return found[0]


def read_pictures(
    paths: Sequence[Path], contract: InputSpec, *, limit: int | None = None
) -> list[Picture]:
    """Read pictures and folders of pictures.

    Args:
        paths: files as of `read_picture`, arrays of several pictures, and folders; see
            `iter_pictures`.
        contract: what the model wants.
        limit: stop after so many pictures.

    Returns:
        The pictures in the order named; folders naturally sorted (2 before 10).

    Raises:
        ImageError: as `iter_pictures`, or they come to more than `MAX_TOTAL_BYTES`.
        UsageError: the limit is below 1.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"the number of pictures must be at least 1. Received: {limit}")
    found: list[Picture] = []
    size = 0
    pictures = iter_pictures(paths, contract)
    for picture in pictures:
        size += picture.values.nbytes
        if size > MAX_TOTAL_BYTES:
            raise ImageError(
                f"more than {len(found)} pictures take over {MAX_TOTAL_BYTES >> 30} GiB at once; "
                "name fewer, or set a limit"
            )
        found.append(picture)
        if len(found) == limit:
            break
    pictures.close()
    return found


def iter_pictures(paths: Sequence[Path], contract: InputSpec) -> Generator[Picture, None, None]:
    """Yield pictures one by one, so that any number can be swept over.

    What is named must be a picture. What only lies in a folder and is none, or a damaged one, is
    skipped; a line on stderr says how many were.

    Args:
        paths: files and folders; folders are read with the folders inside them.
        contract: what the model wants.

    Raises:
        ImageError: a file named is missing or no picture (missing ones are found before anything
            is read), or a folder holds none.
    """
    named = [Path(path) for path in paths]
    for path in named:
        is_folder(path)
    notices = Notices()
    try:
        for path in named:
            if not is_folder(path):
                yield from read_each(path, contract, notices)
                continue
            with Tally(path) as tally:
                for inside in candidates(path, tally):
                    try:
                        pictures = list(read_each(inside, contract, notices))
                    except ImageError as error:
                        tally.skip(error)
                        continue
                    tally.taken += 1
                    yield from pictures
    finally:
        notices.close()


def iter_picture_paths(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield paths of pictures one by one: files as named, folders opened and naturally sorted.

    Files in folders are told by their first bytes; what is no picture or array is skipped, and a
    line on stderr says how many were. Hidden files, and links to folders, are passed over.

    Raises:
        ImageError: a path is missing, or a folder can't be read or holds no picture.
    """
    for path in map(Path, paths):
        if not is_folder(path):
            yield path
            continue
        with Tally(path) as tally:
            for inside in candidates(path, tally):
                tally.taken += 1
                yield inside


def read_each(path: Path, contract: InputSpec, notice: Notice) -> Iterator[Picture]:
    """Yield the picture of a file, or those of an array, as of `read_picture`.

    Args:
        path: the file.
        contract: what the model wants.
        notice: is told of what was done to a picture: the kind of it, and a line.

    Raises:
        ImageError: as of `read_picture`.
    """
    data = read_bytes(path)
    name = one_line(path)
    kind = kind_of(data[:64])
    if kind is None:
        raise not_a_picture(data, name)
    if kind in ("NPY", "NPZ"):
        yield from _from_array(read_array(data, kind, name), path, contract, notice)
        return
    if contract.channels not in (1, 3):
        raise ImageError(
            f"{name} has no {contract.channels} channels, as the model takes them; give it a .npy "
            "array of shape (H, W, C)"
        )
    unit, size = decode(data, kind, name, contract.shape, notice)
    yield Picture(contract.encode(unit), one_line(path.stem, 60), name, None, size)


def _from_array(
    array: np.ndarray, path: Path, contract: InputSpec, notice: Notice
) -> Iterator[Picture]:
    stack = _stack(array, one_line(path), contract)
    for index, values in enumerate(stack):
        name, source = one_line(path.stem, 60), one_line(path)
        if len(stack) > 1:
            name, source = f"{name} {index}", f"{source}[{index}]"
        if values.dtype == np.uint8:
            fitted = contract.encode(_unit_of_bytes(values, source, contract, notice))
        else:
            fitted = _own_values(values, source, contract, notice)
        yield Picture(fitted, name, source, None, (values.shape[0], values.shape[1]))


def _stack(array: np.ndarray, name: str, contract: InputSpec) -> np.ndarray:
    """Return an array as (N, H, W, channels)."""
    channels = {contract.channels}
    if array.dtype == np.uint8 and contract.channels in (1, 3):
        channels = {1, 3, 4}
    if array.ndim == 4 and array.shape[-1] in channels:
        return array
    if array.ndim == 3 and array.shape[-1] in channels:
        return array[np.newaxis]
    if array.ndim == 3 and 1 in channels:
        return array[..., np.newaxis]
    if array.ndim == 2 and 1 in channels:
        return array[np.newaxis, ..., np.newaxis]
    raise ImageError(
        f"{name} must be of shape (H, W, {contract.channels}) or (N, H, W, {contract.channels}), "
        f"as the model takes it. Received: {array.shape}"
    )


def _unit_of_bytes(
    values: np.ndarray, name: str, contract: InputSpec, notice: Notice
) -> np.ndarray:
    from PIL import Image

    height, width, channels = contract.shape
    if channels in (1, 3):
        image = Image.fromarray(
            np.ascontiguousarray(values.squeeze(-1) if values.shape[-1] == 1 else values)
        )
        return to_unit(image, name, contract.shape, notice)
    planes = [
        to_unit(
            Image.fromarray(np.ascontiguousarray(values[..., c])), name, (height, width, 1), notice
        )
        for c in range(channels)
    ]
    return np.concatenate(planes, axis=-1)


def _own_values(values: np.ndarray, name: str, contract: InputSpec, notice: Notice) -> np.ndarray:
    for side, wanted in zip(values.shape, contract.shape, strict=True):
        if wanted is not None and side != wanted:
            shape = tuple("any" if wanted is None else wanted for wanted in contract.shape)
            raise ImageError(
                f"{name} holds the model's own values (floats), so it must be of shape {shape}. "
                f"Received: {values.shape}"
            )
    own = values.astype(np.float32)
    if not np.isfinite(own).all():
        raise ImageError(f"{name} has values that are not finite")
    slack = 0.01 * contract.noise_scale
    if (own < contract.low - slack).any() or (own > contract.high + slack).any():
        notice(
            "range",
            f"{name} has values from {own.min():.4g} to {own.max():.4g}, taken as they are; the "
            f"model's are from {contract.low.min():.4g} to {contract.high.max():.4g}",
        )
    return own


# Ours, in the order they are given: what a classifier of photographs knows best comes first.
_PHOTOGRAPHS = ("cat", "astronaut", "coffee", "rocket")


def sample_pictures(contract: InputSpec, count: int | None = None) -> list[Picture]:
    """Return packaged pictures that fit a model.

    Grey models of at most 40 × 40 pixels get MNIST test digits, the first of each class before the
    second of any; others get photographs: a cat, an astronaut, a cup of coffee, a rocket.

    Args:
        contract: what the model wants.
        count: how many at most; by default ten digits (one a class) or one photograph.

    Raises:
        ImageError: the model's channels are neither grey nor colour.
        UsageError: the count is below 1.
    """
    if count is not None and count < 1:
        raise UsageError(f"the number of pictures must be at least 1. Received: {count}")
    height, width, channels = contract.shape
    if channels not in (1, 3):
        raise ImageError(
            f"no packaged picture has the {channels} channels that the model takes; give one by "
            f"--image, as a .npy array of shape (H, W, {channels})"
        )
    if channels == 1 and height and width and max(height, width) <= _DIGITS_UP_TO:
        return _digits(contract, 10 if count is None else count)
    return [_photograph(name, contract) for name in _PHOTOGRAPHS[: 1 if count is None else count]]


def _photograph(name: str, contract: InputSpec) -> Picture:
    file = resources.files("kerascnn.images") / "samples" / f"{name}.jpg"
    try:
        data = file.read_bytes()
    except OSError as error:
        raise _incomplete(f"{name}.jpg", error) from error
    unit, size = decode(data, "JPEG", f"{name}.jpg", contract.shape, lambda *_: None)
    return Picture(contract.encode(unit), name, f"sample photograph {name}.jpg", None, size)


def _digits(contract: InputSpec, count: int) -> list[Picture]:
    embedded = resources.files("kerascnn") / "datasets" / "data" / "mnist-10000.npz"
    try:
        with resources.as_file(embedded) as path, np.load(path, allow_pickle=False) as data:
            digits, labels = data["x_test"], data["y_test"]
    except (OSError, KeyError, ValueError) as error:
        raise _incomplete("mnist-10000.npz", error) from error
    found = []
    for index in _one_a_class(labels)[:count]:
        source = f"sample MNIST test digit {index}"
        unit = _unit_of_bytes(digits[index][..., np.newaxis], source, contract, lambda *_: None)
        label = str(labels[index])
        found.append(Picture(contract.encode(unit), f"digit {label}", source, label, (28, 28)))
    return found


def _one_a_class(labels: np.ndarray) -> np.ndarray:
    """Return all indices: the first of each class, then the second of each, and so on."""
    rank = np.zeros(len(labels), np.intp)
    for label in np.unique(labels):
        members = labels == label
        rank[members] = np.arange(members.sum())
    return np.lexsort((labels, rank))


def _incomplete(name: str, error: Exception) -> ImageError:
    return ImageError(
        f"the packaged {name} can't be read ({one_line(error, 80)}); install kerascnn again, or "
        "give a picture by --image"
    )
