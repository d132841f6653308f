"""One model file: what it is, what the scan finds in it, and the model that Keras makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerascnn.errors import RefusedError
from kerascnn.families import Model, keras_of
from kerascnn.loading.named_errors import failing_as, naming
from kerascnn.loading.private_file import PrivateFile
from kerascnn.loading.scan.report import Report
from kerascnn.loading.sniffing import format_of


class ModelFile:
    """A model file that no other program can change, to be scanned and then loaded.

    Attributes:
        file: the private file.
        shown: the user's name for it, for errors.
        what: it was found to be.
        family: of the Keras that loads it; Keras 2 where the file does not tell.

    Raises:
        ModelError: it is damaged, or of no known format.
    """

    def __init__(self, file: PrivateFile) -> None:
        self.file = file
        self.shown = file.shown
        with file.open() as stream, naming(file.shown):
            self._format = format_of(stream)
            self.what = self._format.sniff(stream)
        self.family = self.what.family or "keras2"

    def scan(
        self,
        trust: bool,
        custom: Mapping[str, Any] | None = None,
        values: int = 0,
        weights_only: bool = False,
    ) -> Report:
        """Scan the file, see `Format.scan`.

        Raises:
            ModelError: it is damaged.
            RefusedError: there are findings, and no trust.
        """
        with self.file.open() as stream, naming(self.shown):
            report = self._format.scan(stream, custom or {}, values, weights_only)
        if report.findings and not trust:
            more = len(report.findings) - 1
            rest = f" (and {more} more)" if more else ""
            raise RefusedError(f"{self.shown}: {report.findings[0]}{rest}")
        return report

    def load(self, custom: Mapping[str, Any], report: Report) -> Model:
        """Let Keras make a model of the scanned file.

        Raises:
            ModelError: Keras can't.
        """
        keras = keras_of(self.family, self.shown)
        named = {alias: custom[name] for alias, name in report.aliases.items()}
        self.file.digest()  # computed while Keras loads
        path = self.file.path(self.what.saved_as)
        failed = f"{keras.__name__} {keras.__version__} can't load it"
        with naming(self.shown), failing_as(failed):
            return self._format.load(keras, path, {**custom, **named}, bool(report.findings))

    def load_into(self, model: Model) -> None:
        """Load the weights of the scanned file into a model.

        Raises:
            ModelError: they don't fit.
        """
        self.file.digest()  # computed while Keras loads
        path = self.file.path(self.what.saved_as)
        with naming(self.shown), failing_as("the weights don't fit the architecture"):
            model.load_weights(path)
