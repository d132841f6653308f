"""The wall before Keras: nothing a model file asks for is done before it was looked at here.

The loaders of Keras 2 run Python code kept in a file, call any function of any module, read and
write other files, and allocate what a file declares. So every file is read here first, with the
standard library and h5py alone, and compared with the lists in ``kerascnn.loading.scan.allowlist``.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from typing import BinaryIO

from kerascnn.errors import KerascnnError, ModelError, one_line
from kerascnn.loading.scan import allowlist, archive, config, hdf5, strict_json
from kerascnn.loading.scan.report import Report
from kerascnn.loading.sniffing import (
    ARCHIVE,
    HDF5,
    JSON,
    LEGACY_WEIGHTS,
    SAVED_MODEL,
    WEIGHTS,
    Sniffed,
)

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
        texts = _texts(stream, what, report)
    except KerascnnError:
        raise
    except Exception as error:  # h5py and zipfile raise a dozen kinds on damaged files
        raise ModelError(f"the file is damaged: {one_line(error, 120)}") from error
    finally:
        stream.seek(0)
    if weights_only or report.findings:
        return report
    for name, text in texts:
        parsed = strict_json.parse(text, name, report)
        if name == "training_config":
            config.scan_training(parsed, name, report)
        else:
            config.scan_model(parsed, name, report, custom)
    return report


def saved_model_findings() -> list[str]:
    """Return what speaks against a SavedModel: its graphs can do anything TensorFlow can."""
    return [f"TensorFlow graphs, which can read and write files, at saved_model.pb ({SAVED_MODEL})"]


def _texts(stream: BinaryIO, what: Sniffed, report: Report) -> list[tuple[str, str | bytes]]:
    """Scan the file around the configurations; return those, each with its name."""
    if what.format in (HDF5, LEGACY_WEIGHTS, WEIGHTS):
        return _of_hdf5(stream, what, report)
    if what.format == ARCHIVE:
        return _of_archive(stream, report)
    if what.format == JSON:
        stream.seek(0)
        return [("configuration", stream.read(allowlist.MAX_CONFIG_BYTES + 1))]
    raise ModelError(f"{what.format} can't be scanned")


def _of_hdf5(stream: BinaryIO, what: Sniffed, report: Report) -> list[tuple[str, str | bytes]]:
    import h5py

    if what.structure is None:
        hdf5.scan(stream, "", report)
    else:
        report.findings.extend(what.structure.findings)
        report.values += what.structure.values
    texts: list[tuple[str, str | bytes]] = []
    if report.findings:
        return texts
    stream.seek(0)
    with h5py.File(stream, "r") as file:
        for name in ("model_config", "training_config"):
            text = file.attrs.get(name)
            if isinstance(text, (str, bytes)):
                texts.append((name, text))
            elif text is not None:
                raise ModelError(f"the {name} is damaged: it is no text")
    return texts


def _of_archive(stream: BinaryIO, report: Report) -> list[tuple[str, str | bytes]]:
    with zipfile.ZipFile(stream) as zipped:
        archive.scan(zipped, report)
        if report.findings:
            return []
        with archive.open_weights(zipped, stream) as weights:
            hdf5.scan(weights, archive.WEIGHTS, report)
        text = archive.read(zipped, archive.CONFIG, allowlist.MAX_CONFIG_BYTES)
        return [(archive.CONFIG, text)]
