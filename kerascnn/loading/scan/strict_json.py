"""JSON as Keras reads it, and what no honest configuration has in it."""

from __future__ import annotations

import json
from typing import Any

from kerascnn.errors import ModelError, one_line
from kerascnn.loading.scan import allowlist
from kerascnn.loading.scan.report import Report


def parse(text: str | bytes, source: str, report: Report) -> Any:
    """Parse a configuration as Keras will, and note what no honest one has.

    Args:
        text: JSON, as Keras will hand it to ``json.loads``.
        source: where it stands in the file, for findings.
        report: takes the findings.

    Raises:
        ModelError: it is no JSON.
    """
    if len(text) > allowlist.MAX_CONFIG_BYTES:
        report.find(f"a configuration of {len(text) >> 20} MiB", source)
        return None

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            report.find("a JSON object with the same key twice", source)
        return found

    def constant(name: str) -> float:
        if name == "NaN":
            report.find("NaN as a number", source)
        return float(name)

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=constant)
    except RecursionError:
        report.find("JSON nested too deeply", source)
        return None
    except ValueError as error:
        raise ModelError(f"the {source} is damaged: {one_line(error, 120)}") from None
