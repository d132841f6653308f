"""What the loader needs to know of a format."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar, Literal

from kerascnn.errors import one_line
from kerascnn.families import Keras, Model
from kerascnn.loading.named_errors import failing_as
from kerascnn.loading.scan import config, strict_json
from kerascnn.loading.scan.report import Report


@dataclass(frozen=True)
class Sniffed:
    """What a model file is, according to its bytes.

    Attributes:
        format: its name, such as ``"HDF5"``.
        content: ``"model"``, ``"architecture"`` (without weights) or ``"weights"`` (alone).
        keras_version: as the file says; None where it does not.
        family: ``"keras2"`` or ``"keras3"``; None where the bytes don't tell (weights alone).
        saved_as: a file name that Keras' own loaders, which go by the suffix, take it under.
    """

    format: str
    content: Literal["model", "architecture", "weights"]
    keras_version: str | None
    family: str | None
    saved_as: str = ""


class Format(ABC):
    """A format of model files. A new one is a subclass, and an entry in `sniffing.FORMATS`."""

    #: What to call a file of the format in errors: "the … is damaged".
    noun: ClassVar[str]
    #: What its files begin with.
    magic: ClassVar[tuple[bytes, ...]] = ()

    def begins(self, head: bytes) -> bool:
        """Tell whether a file that begins with ``head`` (512 bytes) may be of this format."""
        return head.startswith(self.magic)

    def sniff(self, stream: BinaryIO) -> Sniffed:
        """Tell what the file open as ``stream`` is.

        Raises:
            ModelError: it is damaged, or holds nothing of Keras.
        """
        with failing_as(f"the {self.noun} is damaged"):
            return self._sniff(stream)

    def scan(
        self,
        stream: BinaryIO,
        custom: Collection[str] = (),
        values: int = 0,
        weights_only: bool = False,
    ) -> Report:
        """Look through a file before Keras sees it.

        Args:
            stream: the file, open for reading.
            custom: names of the classes and functions that the caller supplies.
            values: how many weights the model may have beside those that the file stores.
            weights_only: Keras will be given the weights alone; the configuration is not scanned.

        Returns:
            What was found. A file without findings may be given to Keras.

        Raises:
            ModelError: the file is damaged.
        """
        report = Report(values=values)
        with failing_as(f"the {self.noun} is damaged"):
            texts = self._look_through(stream, report)
        for name, text in () if weights_only or report.findings else texts:
            parsed = strict_json.parse(text, name, report)
            if name == "training_config":
                config.scan_training(parsed, name, report)
            else:
                config.scan_model(parsed, name, report, custom)
        return report

    def load(self, keras: Keras, path: str, custom: dict[str, Any], trusted: bool) -> Model:
        """Let Keras load a scanned file, whatever it raises.

        Args:
            keras: the Keras that wrote it.
            path: the file, named as `Sniffed.saved_as` says.
            custom: name → class or function.
            trusted: Keras' own checks are to be switched off, too.
        """
        more = {"safe_mode": False} if trusted else {}
        return keras.models.load_model(path, compile=False, custom_objects=custom, **more)

    @abstractmethod
    def _sniff(self, stream: BinaryIO) -> Sniffed:
        """Tell what a file that begins as one of this format is."""

    @abstractmethod
    def _look_through(self, stream: BinaryIO, report: Report) -> list[tuple[str, str | bytes]]:
        """Check all of a file but its configurations; return those, each with its name.

        Where there are findings, nothing needs to be returned.
        """


def version_text(value: object) -> str | None:
    """Return a version that a file gives as one short line, or None where it is no text."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return one_line(value, 40) if isinstance(value, str) else None
