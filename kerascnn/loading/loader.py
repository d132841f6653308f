"""Load a model: the file is sniffed, scanned, and given to the Keras that wrote it."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerascnn.errors import ModelError, RefusedError, UsageError, one_line
from kerascnn.families import Model, keras_of
from kerascnn.loading import architecture as user_code
from kerascnn.loading import builtin
from kerascnn.loading.bounds import check_feature_maps, weights_bounded
from kerascnn.loading.digest import sha256_of_folder
from kerascnn.loading.formats import saved_model
from kerascnn.loading.loaded import Loaded
from kerascnn.loading.model_file import ModelFile
from kerascnn.loading.named_errors import naming
from kerascnn.loading.private_file import PrivateFile, is_folder, open_private
from kerascnn.loading.scan.limits import MAX_FEATURES, SLACK_ELEMENTS
from kerascnn.loading.scan.report import Report
from kerascnn.loading.sniffing import sniff


def load_model(
    path: str | Path,
    *,
    weights: str | Path | None = None,
    architecture: str | None = None,
    trust: bool = False,
    custom_objects: Mapping[str, Any] | None = None,
) -> Loaded:
    """Load the model at ``path`` with the Keras that wrote it, without compiling it.

    Args:
        path: a model file, a SavedModel directory, or ``builtin:NAME``.
        weights: the weights file that belongs to an architecture JSON.
        architecture: ``package.module:function`` that builds the model of a weights file.
        trust: load the file even if the scan would refuse it.
        custom_objects: name → class or function, for what is not Keras' own.

    Raises:
        UsageError: the arguments don't fit each other or the file.
        ModelError: the file can't be read as a model.
        RefusedError: the file holds something that could run code or touch other files.
    """
    text, custom = str(path), dict(custom_objects or {})
    more = weights is not None or architecture is not None
    if weights is not None and architecture is not None:
        raise UsageError("weights belong to an architecture JSON, or architecture to weights")
    if text.startswith(builtin.PREFIX):
        if more:
            raise UsageError(f"{one_line(text)}: takes neither weights nor an architecture")
        return builtin.load(text)
    if is_folder(Path(path)):
        if more:
            raise UsageError(f"{one_line(text)}: a SavedModel takes no weights or architecture")
        return _load_folder(Path(path), text, trust, custom)
    with open_private(Path(path)) as file:
        given = ModelFile(file)
        if architecture is not None:
            return _load_weights(given, text, architecture, trust)
        if given.what.content == "weights":
            raise ModelError(
                f"{file.shown}: holds weights alone; name the code that builds the model with "
                "--architecture package.module:function"
            )
        if given.what.content == "architecture":
            return _load_architecture(given, text, weights, trust, custom)
        if weights is not None:
            raise UsageError(f"{file.shown}: is a whole model and takes no other weights")
        report = given.scan(trust, custom)
        with _bounded(given, report):
            model = given.load(custom, report)
        return _finished(given, text, report, model, given.what.format)


def _load_architecture(
    given: ModelFile, text: str, weights: str | Path | None, trust: bool, custom: Mapping[str, Any]
) -> Loaded:
    """Load an architecture and the weights that belong to it."""
    if weights is None:
        raise ModelError(
            f"{given.shown}: is an architecture without weights; name the file that has them with "
            "--weights FILE"
        )
    with open_private(Path(weights)) as file:
        stored = ModelFile(file)
        if stored.what.content == "architecture":
            raise ModelError(f"{file.shown}: holds no weights, but {stored.what.format}")
        weighed = stored.scan(trust, weights_only=True)
        report = given.scan(trust, custom, weighed.values)
        report.findings.extend(weighed.findings)
        with _bounded(given, report):
            model = given.load(custom, report)
            stored.load_into(model)
        return _finished(given, text, report, model, "architecture JSON + weights", file)


def _load_weights(given: ModelFile, text: str, architecture: str, trust: bool) -> Loaded:
    """Build a model by the user's code and give it the weights of a file."""
    if given.what.content == "architecture":
        raise UsageError(f"{given.shown}: is an architecture itself; give its weights")
    report = given.scan(trust, weights_only=True)
    model, given.family = user_code.build(architecture)
    given.load_into(model)
    return _finished(given, text, report, model, "weights + architecture")


def _load_folder(folder: Path, text: str, trust: bool, custom: dict[str, Any]) -> Loaded:
    """Load a SavedModel, on trust alone."""
    what = sniff(folder)
    shown = one_line(text)
    if not trust:
        raise RefusedError(f"{shown}: {saved_model.FINDING}")
    keras = keras_of("keras2", shown)
    digest = functools.partial(str, sha256_of_folder(folder))
    with naming(shown):
        model = saved_model.load(keras, folder, what, custom)
    findings = (saved_model.FINDING,)
    warnings = (saved_model.OPAQUE,) if what.family is None else ()
    return Loaded(model, what.format, None, "keras2", text, digest, findings, warnings)


def _bounded(given: ModelFile, report: Report) -> contextlib.AbstractContextManager[None]:
    """Bound the weights that are made in the block, unless the user trusts the file."""
    if report.findings:
        return contextlib.nullcontext()
    keras = keras_of(given.family, given.shown)
    return weights_bounded(keras, 2 * report.values + SLACK_ELEMENTS, given.shown)


def _finished(
    given: ModelFile,
    text: str,
    report: Report,
    model: Model,
    form: str,
    weights: PrivateFile | None = None,
) -> Loaded:
    """Return the record of a model whose weights are in the file given, or in another."""
    if not report.findings:
        check_feature_maps(model, MAX_FEATURES, given.shown)
    digest = (weights or given.file).digest().result
    version, findings = given.what.keras_version, tuple(report.findings)
    return Loaded(model, form, version, given.family, text, digest, findings)
