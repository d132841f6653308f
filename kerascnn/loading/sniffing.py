"""What a model file is, told from its bytes and never from its name."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from kerascnn.errors import ModelError, one_line

if TYPE_CHECKING:
    from kerascnn.loading.scan.report import Report

HDF5 = "HDF5"
ARCHIVE = "Keras archive"
SAVED_MODEL = "SavedModel"
JSON = "architecture JSON"
LEGACY_WEIGHTS = "weights (legacy HDF5)"
WEIGHTS = "weights (HDF5)"

_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_MOST_JSON = 16 << 20
_KNOWN = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
    (b"\x1f\x8b", "a gzip file; unpack it first"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"version https://git-lfs", "a Git LFS pointer; fetch the file itself (git lfs pull)"),
)


@dataclass(frozen=True)
class Sniffed:
    """What a file is.

    Attributes:
        format: one of the formats named at the top of this module.
        keras_version: as the file says; None where it does not.
        family: ``"keras2"`` or ``"keras3"``; None where the bytes don't tell (weights alone).
        structure: of an HDF5 file: what the walk through it found. It has to come before the first
            attribute is read, and need not come twice.
    """

    format: str
    keras_version: str | None
    family: str | None
    structure: Report | None = field(default=None, compare=False, repr=False)


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading; never wait for a pipe or a device.

    Raises:
        ModelError: there is no such file, it is no regular file, or it can't be read.
    """
    shown = one_line(path)
    try:
        # Opening a pipe for reading waits for a writer unless told not to.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        raise ModelError(f"{shown}: there is no such file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ModelError(f"{shown}: can't be read: {one_line(reason)}") from None
    kind = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(kind):
        os.close(descriptor)
        what = "a directory" if stat.S_ISDIR(kind) else "a pipe or a device"
        raise ModelError(f"{shown}: is {what}, not a model file")
    return os.fdopen(descriptor, "rb")


def is_folder(path: Path) -> bool:
    """Tell whether ``path`` is a directory; what can't be looked at is not."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def sniff(path: str | Path) -> Sniffed:
    """Tell what the model file (or SavedModel directory) at ``path`` is, without TensorFlow.

    Raises:
        ModelError: it is no model file of a kind we know, or can't be read.
    """
    path = Path(path)
    if is_folder(path):
        return _sniff_directory(path)
    with open_regular(path) as stream:
        return sniff_stream(stream, one_line(path))


def sniff_stream(stream: BinaryIO, shown: str) -> Sniffed:
    """Tell what the model file open as ``stream`` is; ``shown`` is its name in errors."""
    head = stream.read(512)
    stream.seek(0)
    if not head:
        raise ModelError(f"{shown}: the file is empty")
    if head.startswith(_HDF5_MAGIC):
        return _sniff_hdf5(stream, shown)
    if head.startswith(_ZIP_MAGIC):
        return _sniff_zip(stream, shown)
    for magic, name in _KNOWN:
        if head.startswith(magic):
            raise ModelError(f"{shown}: is {name}, not a saved Keras model")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _sniff_json(stream, shown)
    raise ModelError(
        f"{shown}: is not a saved Keras model (neither HDF5, a .keras archive, "
        "architecture JSON nor a SavedModel directory)"
    )


def family_of(version: str | None) -> str:
    """Return which Keras a version string belongs to: ``"keras2"`` or ``"keras3"``."""
    major = (version or "").strip().split(".")[0]
    return "keras3" if major.isdigit() and int(major) >= 3 else "keras2"


def _sniff_directory(path: Path) -> Sniffed:
    if (path / "config.json").is_file() and (path / "metadata.json").is_file():
        raise ModelError(
            f"{one_line(path)}: is an unpacked Keras archive; zip config.json, metadata.json and "
            "model.weights.h5 into one file and load that"
        )
    if not (path / "saved_model.pb").is_file():
        raise ModelError(
            f"{one_line(path)}: is a directory without a model (no saved_model.pb in it)"
        )
    old = (path / "keras_metadata.pb").is_file()
    return Sniffed(SAVED_MODEL, None, "keras2" if old else None)


@contextlib.contextmanager
def _hdf5_errors(shown: str) -> Iterator[None]:
    try:
        yield
    except ModelError as error:
        raise ModelError(str(error) if shown in str(error) else f"{shown}: {error}") from None
    except Exception as error:  # h5py raises what libhdf5 and NumPy come up with
        raise ModelError(f"{shown}: the HDF5 file is damaged: {one_line(error, 120)}") from None


def _sniff_hdf5(stream: BinaryIO, shown: str) -> Sniffed:
    import h5py

    from kerascnn.loading.scan import hdf5
    from kerascnn.loading.scan.report import Report

    structure = Report()
    with _hdf5_errors(shown):
        hdf5.scan(stream, "", structure)
        stream.seek(0)
    with _hdf5_errors(shown), h5py.File(stream, "r") as file:
        version = _text(file.attrs.get("keras_version"))
        known = family_of(version) if version else None

        def has(name: str) -> bool:
            return bool(file.id.links.exists(name.encode()))  # follows no link

        if "model_config" in file.attrs:
            if version is None or version.startswith(("0.", "1.")):
                raise ModelError(
                    f"{shown}: was saved by Keras 1, which no Keras of today reads; load it with "
                    "Keras 2.2 and save it again, or rebuild the architecture in code"
                )
            return Sniffed(HDF5, version, known, structure)
        if "layer_names" in file.attrs or has("model_weights"):
            return Sniffed(LEGACY_WEIGHTS, version, known, structure)
        if has("layers") or has("_layer_checkpoint_dependencies") or has("vars"):
            return Sniffed(WEIGHTS, None, None, structure)
        if not len(file) and not len(file.attrs):
            raise ModelError(f"{shown}: is an empty HDF5 file, as a save that failed leaves behind")
    raise ModelError(f"{shown}: is an HDF5 file without a Keras model or Keras weights in it")


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    # It is shown to people, and no version is long.
    return one_line(value, 40) if isinstance(value, str) else None


def _sniff_zip(stream: BinaryIO, shown: str) -> Sniffed:
    try:
        with zipfile.ZipFile(stream) as archive:
            names = archive.namelist()
            if "config.json" not in names:
                raise ModelError(f"{shown}: is a zip file without a Keras model (no config.json)")
            version = None
            # An encrypted member can't be read; the scan refuses it.
            if "metadata.json" in names and not archive.getinfo("metadata.json").flag_bits & 1:
                with archive.open("metadata.json") as member:
                    metadata = json.loads(member.read(1 << 16))
                version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    except ModelError:
        raise
    except Exception as error:  # zipfile raises a dozen kinds on damaged files
        raise ModelError(f"{shown}: the archive is damaged: {one_line(error, 120)}") from None
    version = _text(version)
    return Sniffed(ARCHIVE, version, family_of(version))


def _sniff_json(stream: BinaryIO, shown: str) -> Sniffed:
    text = stream.read(_MOST_JSON + 1)
    if len(text) > _MOST_JSON:
        raise ModelError(f"{shown}: is JSON, but far too large for the architecture of a model")
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{shown}: looks like JSON but is not: {one_line(error, 120)}") from None
    if not isinstance(config, dict) or "class_name" not in config or "config" not in config:
        raise ModelError(f"{shown}: is JSON, but not the architecture of a Keras model")
    version = _text(config.get("keras_version"))
    if version is not None:
        return Sniffed(JSON, version, family_of(version))
    return Sniffed(JSON, None, "keras3" if "module" in config else "keras2")
