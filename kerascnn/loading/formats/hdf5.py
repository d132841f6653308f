"""HDF5 files: whole models, and weights alone in the old layout or the new one."""

from __future__ import annotations

import re
from typing import Any, BinaryIO

from kerascnn.errors import ModelError
from kerascnn.families import Keras, Model, family_of_version
from kerascnn.loading.formats.format import Format, Sniffed, version_text
from kerascnn.loading.scan.allowlist import OPERATIONS
from kerascnn.loading.scan.hdf5 import Hdf5File
from kerascnn.loading.scan.report import Report


class Hdf5(Format):
    """What ``model.save("model.h5")`` and ``model.save_weights`` write."""

    noun = "HDF5 file"
    magic = (b"\x89HDF\r\n\x1a\n",)

    def _sniff(self, stream: BinaryIO) -> Sniffed:
        with Hdf5File(stream) as file:
            version = version_text(file.text("keras_version"))
            family = family_of_version(version) if version else None
            if "model_config" in file.attributes:
                if version is None or version.startswith(("0.", "1.")):
                    raise ModelError(
                        "was saved by Keras 1, which no current Keras reads; load it with "
                        "Keras 2.2 and save it again, or rebuild the architecture in code"
                    )
                return Sniffed("HDF5", "model", version, family, "model.h5")
            if "layer_names" in file.attributes or "model_weights" in file.members:
                name = "weights (legacy HDF5)"
                return Sniffed(name, "weights", version, family, "model.h5")
            if file.members & {"layers", "_layer_checkpoint_dependencies", "vars"}:
                name = "weights (HDF5)"
                return Sniffed(name, "weights", None, None, "model.weights.h5")
            if not file.members and not file.attributes:
                raise ModelError("is an empty HDF5 file, as a save that failed leaves behind")
        raise ModelError("is an HDF5 file without a Keras model or Keras weights in it")

    def _look_through(self, stream: BinaryIO, report: Report) -> list[tuple[str, str | bytes]]:
        with Hdf5File(stream) as file:
            file.scan("", report)
            names = () if report.findings else ("model_config", "training_config")
            texts = [(name, file.text(name)) for name in names]
        return [(name, text) for name, text in texts if text is not None]

    def load(self, keras: Keras, path: str, custom: dict[str, Any], trusted: bool) -> Model:
        """Let Keras load a scanned file; Keras 2 has no safe mode for HDF5.

        Raises:
            ModelError: the model has operations for layers, which Keras 3 does not read from HDF5.
        """
        try:
            return super().load(keras, path, custom, trusted and keras.__name__ != "tf_keras")
        except ValueError as error:
            unknown = re.search(r"Unknown layer: '(\w+)'", str(error))
            if unknown is None or unknown[1] not in OPERATIONS:
                raise
            raise ModelError(
                f"Keras can't load operations (here {unknown[1]}) from HDF5; save the model as "
                ".keras"
            ) from error
