"""Read pictures from files and folders, as a model sees them."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from kerascnn.errors import ImageError, UsageError, one_line
from kerascnn.images.arrays import pictures_of, read_array
from kerascnn.images.decoding import decode
from kerascnn.images.file_kinds import kind_of, not_a_picture, read_bytes
from kerascnn.images.fitting import Notice
from kerascnn.images.notices import Notices
from kerascnn.images.paths import listed
from kerascnn.images.picture import Picture
from kerascnn.network.input_spec import InputSpec
from kerascnn.terminal.progress import say

MAX_TOTAL_BYTES = 1 << 31
"""The most that `read_pictures` holds at once (2 GiB of the models' values)."""


def read_picture(path: Path, spec: InputSpec) -> Picture:
    """Read one picture and fit it to the model.

    A picture file (PNG, JPEG, GIF, BMP, TIFF, WebP, PPM) is turned upright, converted to sRGB, put
    on a white ground where it is transparent, scaled to cover the model's height and width, and
    cropped around its centre (see `kerascnn.images.decoding`). A grey model gets its luminance;
    nothing is ever inverted. A ``.npy`` or ``.npz`` array of uint8 is such a picture too. One of
    floats holds the model's own values, which are not changed, and must have the model's size.

    Args:
        path: the file; its bytes count, not its suffix.
        spec: what the model takes.

    Raises:
        ImageError: the file is no picture, damaged, too large, does not fit the model, or holds
            several.
    """
    found = list(read_each(Path(path), spec, lambda _kind, text: say(text)))
    if len(found) != 1:
        raise ImageError(f"{one_line(path)} holds {len(found)} pictures where one is meant")
    return found[0]


def read_pictures(
    paths: Sequence[Path], spec: InputSpec, *, limit: int | None = None
) -> list[Picture]:
    """Read pictures and folders of pictures.

    Args:
        paths: files as of `read_picture`, arrays of several pictures, and folders; see
            `iter_pictures`.
        spec: what the model takes.
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
    pictures = iter_pictures(paths, spec)
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


def iter_pictures(paths: Sequence[Path], spec: InputSpec) -> Generator[Picture, None, None]:
    """Yield pictures one by one, so that memory holds any number of them.

    A file that is named must be a picture. One that lies in a folder and is none, or damaged, is
    skipped; a line on stderr shows how many were.

    Args:
        paths: files and folders; folders are read with the folders inside them.
        spec: what the model takes.

    Raises:
        ImageError: a file named is missing or no picture (missing ones are found before anything
            is read), or a folder holds none.
    """
    notices = Notices()
    try:
        for path, tally in listed(paths):
            if tally is None:
                yield from read_each(path, spec, notices)
                continue
            try:
                pictures = list(read_each(path, spec, notices))
            except ImageError as error:
                tally.skip(error)
                continue
            tally.taken += 1
            yield from pictures
    finally:
        notices.close()


def read_each(path: Path, spec: InputSpec, notice: Notice) -> Iterator[Picture]:
    """Yield the picture of a file, or those of an array, as of `read_picture`.

    Args:
        path: the file.
        spec: what the model takes.
        notice: is called with what was done to a picture: the kind of it, and a line.

    Raises:
        ImageError: as of `read_picture`.
    """
    data = read_bytes(path)
    name = one_line(path)
    kind = kind_of(data[:64])
    if kind is None:
        raise not_a_picture(data, name)
    if kind in ("NPY", "NPZ"):
        yield from pictures_of(read_array(data, kind, name), path, spec, notice)
        return
    if spec.channels not in (1, 3):
        raise ImageError(
            f"{name} has no {spec.channels} channels, as the model takes them; give it a .npy "
            "array of shape (H, W, C)"
        )
    unit, size = decode(data, kind, name, spec.shape, notice)
    yield Picture(spec.encode(unit), one_line(path.stem, 60), name, None, size)
