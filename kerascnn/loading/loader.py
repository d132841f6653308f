"""A path in, a Keras model out: sniffed, scanned, and loaded by the Keras that wrote it."""

from __future__ import annotations

import contextlib
import functools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kerascnn.errors import KerascnnError, ModelError, RefusedError, UsageError, one_line
from kerascnn.families import keras_of
from kerascnn.loading import applications, rebuilding, saved_model
from kerascnn.loading.applications import BUILTINS
from kerascnn.loading.bounds import bounded, check_pictures
from kerascnn.loading.scan import Report, saved_model_findings, scan_stream
from kerascnn.loading.scan.allowlist import MAX_FEATURES, OPERATIONS, SLACK_ELEMENTS
from kerascnn.loading.snapshot import Snapshot, sha256_of_folder, take_snapshot
from kerascnn.loading.sniffing import (
    ARCHIVE,
    HDF5,
    JSON,
    LEGACY_WEIGHTS,
    SAVED_MODEL,
    WEIGHTS,
    Sniffed,
    is_folder,
    sniff,
    sniff_stream,
)

__all__ = ["BUILTINS", "Loaded", "load_model", "sniff"]

#: The names under which the stock loaders take each format.
_NAMES = {
    HDF5: "model.h5",
    LEGACY_WEIGHTS: "model.h5",
    WEIGHTS: "model.weights.h5",
    ARCHIVE: "model.keras",
}


@dataclass(frozen=True)
class Loaded:
    """A model and where it came from.

    Attributes:
        model: the live Keras model.
        format: ``"HDF5"``, ``"Keras archive"``, ``"SavedModel"``, ``"weights + architecture"``,
            ``"architecture JSON + weights"``, ``"keras.applications"`` or ``"built-in"``.
        keras_version: as the file says.
        family: ``"keras2"`` or ``"keras3"``: which Keras the model belongs to.
        path: as given by the user, or ``builtin:NAME``.
        digest: of the file that holds the weights, or None for a built-in; see ``sha256``.
        trusted: the file was loaded although the scan would have refused it.
        findings: what the scan would have refused, when trusted.
        warnings: what the user should know.
    """

    model: Any
    format: str
    keras_version: str | None
    family: str
    path: str
    digest: Callable[[], str] | None = field(default=None, repr=False, compare=False)
    trusted: bool = False
    findings: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def sha256(self) -> str | None:
        """The SHA-256 of the file with the weights (of a folder: of its sorted contents).

        That of a large file is computed in the background and waited for here.

        Raises:
            ModelError: the file was changed before it was read to its end.
        """
        return None if self.digest is None else self.digest()


def load_model(
    path: str | Path,
    *,
    weights: str | Path | None = None,
    architecture: str | None = None,
    trust: bool = False,
    custom_objects: dict[str, Any] | None = None,
) -> Loaded:
    """Load the model at ``path`` with the Keras that wrote it, without compiling it.

    Args:
        path: a model file, a SavedModel directory, or ``builtin:NAME``.
        weights: the weights file that belongs to an architecture JSON.
        architecture: ``package.module:function`` that rebuilds the model of a weights file.
        trust: load the file even if the scan would refuse it.
        custom_objects: name → class or function, for what is not Keras' own.

    Raises:
        UsageError: the arguments don't fit each other or the file.
        ModelError: the file can't be read as a model.
        RefusedError: the file holds something that could run code or touch other files.
    """
    text, custom = str(path), dict(custom_objects or {})
    if weights is not None and architecture is not None:
        raise UsageError("weights belong to an architecture JSON, or architecture to weights")
    if text.startswith(applications.PREFIX):
        if weights is not None or architecture is not None:
            raise UsageError(f"{one_line(text)}: takes neither weights nor an architecture")
        return _load_builtin(text)
    if is_folder(Path(path)):
        if weights is not None or architecture is not None:
            raise UsageError(f"{one_line(text)}: a SavedModel takes no weights or architecture")
        return _load_folder(Path(path), text, trust, custom)
    with take_snapshot(Path(path)) as file:
        with file.open() as stream:
            what = sniff_stream(stream, file.shown)
        if architecture is not None:
            return _load_weights(file, what, text, architecture, trust)
        if what.format in (LEGACY_WEIGHTS, WEIGHTS):
            raise ModelError(
                f"{file.shown}: holds weights alone; say what rebuilds the model with "
                "--architecture package.module:function"
            )
        if what.format == JSON:
            return _load_json(file, what, text, weights, trust, custom)
        if weights is not None:
            raise UsageError(f"{file.shown}: is a whole model and takes no other weights")
        return _load_file(file, what, text, trust, custom)


def _load_builtin(text: str) -> Loaded:
    model, form, family = applications.load(text)
    version = keras_of(family).__version__
    return Loaded(model, form, version, family, text)


def _load_file(
    file: Snapshot, what: Sniffed, text: str, trust: bool, custom: dict[str, Any]
) -> Loaded:
    """Load a whole model: HDF5 or a Keras archive."""
    report = _scanned(file, what, trust, custom)
    keras = keras_of(what.family or "keras2", file.shown)
    path = str(file.named(_NAMES[what.format]))
    with _keras_errors(file.shown, keras), _limits(keras, report, file.shown):
        model = keras.models.load_model(
            path,
            compile=False,
            custom_objects=_named(custom, report),
            **_trusting(report, keras, what),
        )
    return _finished(file, what, text, report, model, what.format)


def _trusting(report: Report, keras: Any, what: Sniffed) -> dict[str, Any]:
    # Keras' own safe mode stays on unless the user trusts the file; HDF5 knows it in Keras 3 only.
    if not report.findings or (keras.__name__ == "tf_keras" and what.format == HDF5):
        return {}
    return {"safe_mode": False}


def _load_json(
    file: Snapshot,
    what: Sniffed,
    text: str,
    weights: str | Path | None,
    trust: bool,
    custom: dict[str, Any],
) -> Loaded:
    """Load an architecture and the weights that belong to it."""
    if weights is None:
        raise ModelError(
            f"{file.shown}: is an architecture without weights; name the file that has them with "
            "--weights FILE"
        )
    with take_snapshot(Path(weights)) as other:
        kind, weighed = _scanned_weights(other, trust)
        report = _scanned(file, what, trust, custom, weighed.values)
        report.findings.extend(weighed.findings)
        keras = keras_of(what.family or "keras2", file.shown)
        with file.open() as stream:
            config = json.load(stream)
        config.pop("compile_config", None)
        path = str(other.named(_NAMES[kind.format]))
        with _limits(keras, report, file.shown):
            with _keras_errors(file.shown, keras):
                model = _from_config(keras, config, _named(custom, report), bool(report.findings))
            with _weight_errors(other.shown):
                model.load_weights(path)
        return _finished(other, what, text, report, model, "architecture JSON + weights")


def _from_config(keras: Any, config: Any, custom: dict[str, Any], trusted: bool) -> Any:
    if trusted:
        config = {"module": "keras"} | config  # Keras 2 writes none
        return keras.saving.deserialize_keras_object(config, custom_objects=custom, safe_mode=False)
    return keras.models.model_from_json(json.dumps(config), custom_objects=custom)


def _load_weights(
    file: Snapshot, what: Sniffed, text: str, architecture: str, trust: bool
) -> Loaded:
    """Rebuild a model by the user's code and give it the weights of a file."""
    if what.format == JSON:
        raise UsageError(f"{file.shown}: is an architecture itself; give its weights")
    with file.open() as stream:
        report = _judged(stream, what, file.shown, trust, {}, weights_only=True)
    model, family = rebuilding.rebuild(architecture)
    with _weight_errors(file.shown):
        model.load_weights(str(file.named(_NAMES[what.format])))
    known = Sniffed(what.format, what.keras_version, family)
    return _finished(file, known, text, report, model, "weights + architecture")


def _load_folder(folder: Path, text: str, trust: bool, custom: dict[str, Any]) -> Loaded:
    what = sniff(folder)
    shown = one_line(text)
    findings = saved_model_findings()
    if not trust:
        raise RefusedError(f"{shown}: {findings[0]}")
    digest = functools.partial(str, sha256_of_folder(folder))
    warnings: tuple[str, ...] = ()
    try:
        if what.family == "keras2":
            model = saved_model.load_keras(folder, custom)
        else:
            model = saved_model.load_graph(folder)
            warnings = ("a SavedModel without Keras' layers: its output can be looked at alone",)
    except KerascnnError:
        raise
    except Exception as error:
        raise ModelError(f"{shown}: TensorFlow can't load it: {one_line(error)}") from error
    return Loaded(
        model,
        SAVED_MODEL,
        what.keras_version,
        "keras2",
        text,
        digest,
        trusted=True,
        findings=tuple(findings),
        warnings=warnings,
    )


# --- scanning -------------------------------------------------------------------------------


def _scanned(
    file: Snapshot, what: Sniffed, trust: bool, custom: dict[str, Any], values: int = 0
) -> Report:
    with file.open() as stream:
        return _judged(stream, what, file.shown, trust, custom, values)


def _scanned_weights(file: Snapshot, trust: bool) -> tuple[Sniffed, Report]:
    with file.open() as stream:
        what = sniff_stream(stream, file.shown)
        if what.format not in _NAMES:
            raise ModelError(f"{file.shown}: holds no weights, but {what.format}")
        return what, _judged(stream, what, file.shown, trust, {}, weights_only=True)


def _judged(
    stream: Any,
    what: Sniffed,
    shown: str,
    trust: bool,
    custom: dict[str, Any],
    values: int = 0,
    weights_only: bool = False,
) -> Report:
    try:
        report = scan_stream(stream, what, custom, values, weights_only)
    except KerascnnError as error:
        raise type(error)(f"{shown}: {error}") from error
    if report.findings and not trust:
        more = len(report.findings) - 1
        rest = f" (and {more} more)" if more else ""
        raise RefusedError(f"{shown}: {report.findings[0]}{rest}")
    return report


def _named(custom: dict[str, Any], report: Report) -> dict[str, Any]:
    """Add the names under which the file asks for the caller's classes."""
    return custom | {alias: custom[name] for alias, name in report.aliases.items()}


# --- loading --------------------------------------------------------------------------------


@contextlib.contextmanager
def _limits(keras: Any, report: Report, shown: str) -> Iterator[None]:
    if report.findings:  # trusted, whatever it asks for
        yield
        return
    with bounded(keras, 2 * report.values + SLACK_ELEMENTS, shown):
        yield


@contextlib.contextmanager
def _keras_errors(shown: str, keras: Any) -> Iterator[None]:
    """Turn whatever Keras raises about a file into one line."""
    try:
        yield
    except KerascnnError:
        raise
    except Exception as error:
        name = f"{keras.__name__} {keras.__version__}"
        reason = _operations(str(error)) or one_line(error) or type(error).__name__
        raise ModelError(f"{shown}: {name} can't load it: {reason}") from error


def _operations(message: str) -> str | None:
    """Explain why Keras 3 misses a layer in HDF5 that is an operation, where that is so."""
    unknown = re.search(r"Unknown layer: '(\w+)'", message)
    if unknown is None or unknown.group(1) not in OPERATIONS:
        return None
    return f"it reads no operations (here {unknown.group(1)}) from HDF5; save the model as .keras"


@contextlib.contextmanager
def _weight_errors(shown: str) -> Iterator[None]:
    try:
        yield
    except KerascnnError:
        raise
    except Exception as error:
        reason = one_line(error) or type(error).__name__
        raise ModelError(f"{shown}: the weights don't fit the architecture: {reason}") from error


def _finished(
    file: Snapshot, what: Sniffed, text: str, report: Report, model: Any, form: str
) -> Loaded:
    if not report.findings:
        check_pictures(model, MAX_FEATURES, file.shown)
    return Loaded(
        model=model,
        format=form,
        keras_version=what.keras_version,
        family=what.family or "keras2",
        path=text,
        digest=file.digest().result,
        trusted=bool(report.findings),
        findings=tuple(report.findings),
        warnings=tuple(report.warnings),
    )
