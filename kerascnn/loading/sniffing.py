"""Find out what a model file is: from its bytes, never from its name."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from kerascnn.errors import ModelError, one_line
from kerascnn.loading.formats import saved_model
from kerascnn.loading.formats.architecture_json import ArchitectureJson
from kerascnn.loading.formats.archive import Archive
from kerascnn.loading.formats.format import Format, Sniffed
from kerascnn.loading.formats.hdf5 import Hdf5
from kerascnn.loading.named_errors import naming
from kerascnn.loading.private_file import is_folder, open_regular

#: The formats of model files. (A SavedModel is a folder.)
FORMATS: tuple[Format, ...] = (Hdf5(), Archive(), ArchitectureJson())

#: What people take for a model, and what it is.
_OTHERS = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    ((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"), "a Python pickle"),
    (b"\x1f\x8b", "a gzip file; unpack it first"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"version https://git-lfs", "a Git LFS pointer; fetch the file itself (git lfs pull)"),
)


def sniff(path: str | Path) -> Sniffed:
    """Tell what the model file (or SavedModel folder) at ``path`` is, without TensorFlow.

    Raises:
        ModelError: it is no model file of a known format, or can't be read.
    """
    path = Path(path)
    if is_folder(path):
        with naming(one_line(path)):
            return saved_model.sniff(path)
    with open_regular(path) as stream, naming(one_line(path)):
        return format_of(stream).sniff(stream)


def format_of(stream: BinaryIO) -> Format:
    """Tell which format the file open as ``stream`` begins like.

    Raises:
        ModelError: none.
    """
    head = stream.read(512)
    stream.seek(0)
    for form in FORMATS:
        if form.begins(head):
            return form
    if not head:
        raise ModelError("the file is empty")
    for magic, name in _OTHERS:
        if head.startswith(magic):
            raise ModelError(f"is {name}, not a saved Keras model")
    raise ModelError(
        "is not a saved Keras model (neither HDF5, a .keras archive, architecture JSON nor a "
        "SavedModel directory)"
    )
