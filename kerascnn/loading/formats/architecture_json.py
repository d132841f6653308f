"""Architectures as JSON, without weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, BinaryIO

from kerascnn.errors import ModelError, one_line
from kerascnn.families import Keras, Model, family_of_version
from kerascnn.loading.formats.format import Format, Sniffed, version_text
from kerascnn.loading.scan.limits import MAX_CONFIG_BYTES
from kerascnn.loading.scan.report import Report


class ArchitectureJson(Format):
    """What ``model.to_json()`` returns."""

    noun = "JSON"

    def begins(self, head: bytes) -> bool:
        """Tell whether a file may be a JSON object; a byte order mark and blanks may come first."""
        return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")

    def _sniff(self, stream: BinaryIO) -> Sniffed:
        text = stream.read(MAX_CONFIG_BYTES + 1)
        if len(text) > MAX_CONFIG_BYTES:
            raise ModelError("is JSON, but far too large for the architecture of a model")
        try:
            config = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ModelError(f"looks like JSON but is not: {one_line(error, 120)}") from None
        if not isinstance(config, dict) or "class_name" not in config or "config" not in config:
            raise ModelError("is JSON, but not the architecture of a Keras model")
        version = version_text(config.get("keras_version"))
        family = family_of_version(version)
        if version is None and "module" in config:
            family = "keras3"
        return Sniffed("architecture JSON", "architecture", version, family, "model.json")

    def _look_through(self, stream: BinaryIO, report: Report) -> list[tuple[str, str | bytes]]:
        return [("configuration", stream.read(MAX_CONFIG_BYTES + 1))]

    def load(self, keras: Keras, path: str, custom: dict[str, Any], trusted: bool) -> Model:
        """Let Keras build a model without weights."""
        config = json.loads(Path(path).read_bytes())
        config.pop("compile_config", None)
        if not trusted:
            return keras.models.model_from_json(json.dumps(config), custom_objects=custom)
        config = {"module": "keras"} | config  # Keras 2 writes none
        return keras.saving.deserialize_keras_object(config, custom_objects=custom, safe_mode=False)
