"""The wall before Keras: nothing a model file asks for is done before it was looked at here.

The loaders of Keras 2 run Python code kept in a file, call any function of any module, read and
write other files, and allocate what a file declares. So every file is read here first, with the
standard library and h5py alone, and compared with the lists in ``kerascnn.scan.allowed``.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from typing import Any, BinaryIO

from kerascnn.errors import KerascnnError, ModelError, one_line
from kerascnn.scan import allowed, archive, config, hdf5, strict_json
from kerascnn.scan.report import Report
from kerascnn.sniffing import ARCHIVE, HDF5, JSON, LEGACY_WEIGHTS, SAVED_MODEL, WEIGHTS, Sniffed

__all__ = ["Report", "saved_model_findings", "scan_stream"]


def scan_stream(
    stream: BinaryIO,
    what: Sniffed,
    custom: Collection[str] = (),
    values: int = 0,
    weights_only: bool = False,
) -> Report:
    """Look through a model file before Keras sees it.

    Args:
        stream: the file, open for reading.
        what: what it was found to be.
        custom: names of the classes and functions that the caller supplies.
        values: how many weights the model may have, where another file stores them.
        weights_only: Keras will be given the weights alone, so the configuration does not matter.

    Returns:
        What was found. A file without findings may be given to Keras.

    Raises:
        ModelError: the file is damaged.
    """
    report = Report(values=values)
    try:
        if what.format in (HDF5, LEGACY_WEIGHTS, WEIGHTS):
            _scan_hdf5(stream, what, report, None if weights_only else custom)
        elif what.format == ARCHIVE:
            _scan_archive(stream, report, None if weights_only else custom)
        elif what.format == JSON:
            stream.seek(0)
            text = stream.read(allowed.MAX_CONFIG_BYTES + 1)
            parsed = strict_json.parse(text, "configuration", report)
            config.scan_model(parsed, "configuration", report, custom)
        else:
            raise ModelError(f"{what.format} can't be scanned")
    except KerascnnError:
        raise
    except Exception as error:  # h5py and zipfile raise a dozen kinds on damaged files
        raise ModelError(f"the file is damaged: {one_line(error, 120)}") from error
    finally:
        stream.seek(0)
    return report


def saved_model_findings() -> list[str]:
    """Return what speaks against a SavedModel: its graphs can do anything TensorFlow can."""
    return [f"TensorFlow graphs, which can read and write files, at saved_model.pb ({SAVED_MODEL})"]


def _scan_hdf5(
    stream: BinaryIO, what: Sniffed, report: Report, custom: Collection[str] | None
) -> None:
    import h5py

    with h5py.File(stream, "r") as file:
        if what.structure is None:
            hdf5.scan(file, stream, "", report)
        else:
            report.findings.extend(what.structure.findings)
            report.values += what.structure.values
        if report.findings or custom is None:
            return
        for name in ("model_config", "training_config"):
            text = file.attrs.get(name)
            if text is None:
                continue
            if not isinstance(text, (str, bytes)):
                raise ModelError(f"the {name} is damaged: it is no text")
            _scan_text(text, name, report, custom)


def _scan_text(text: str | bytes, name: str, report: Report, custom: Collection[str]) -> None:
    parsed: Any = strict_json.parse(text, name, report)
    if name == "training_config":
        config.scan_training(parsed, name, report)
    else:
        config.scan_model(parsed, name, report, custom)


def _scan_archive(stream: BinaryIO, report: Report, custom: Collection[str] | None) -> None:
    import h5py

    with zipfile.ZipFile(stream) as zipped:
        archive.scan(zipped, report)
        if report.findings:
            return
        weights = archive.open_weights(zipped, stream)
        if weights is not None:
            with weights, h5py.File(weights, "r") as file:
                hdf5.scan(file, weights, archive.WEIGHTS, report)
        if custom is None:
            return
        text = archive.read(zipped, archive.CONFIG, allowed.MAX_CONFIG_BYTES)
        _scan_text(text, archive.CONFIG, report, custom)
