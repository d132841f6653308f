"""JSON as Keras reads it, and what no honest configuration has in it."""

from __future__ import annotations

import json
from typing import TypeAlias

from kerascnn.errors import ModelError, one_line
from kerascnn.loading.scan.limits import MAX_CONFIG_BYTES
from kerascnn.loading.scan.report import Report

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


def parse(text: str | bytes, source: str, report: Report) -> Json:
    """Parse a configuration as Keras will; report what no honest one has.

    Args:
        text: the configuration, as Keras will hand it to ``json.loads``.
        source: where in the file it stands, for findings.
        report: takes the findings.

    Returns:
        The value; None for a text too large or nested too deeply.

    Raises:
        ModelError: it is no JSON.
    """
    if len(text) > MAX_CONFIG_BYTES:
        report.find(f"a configuration of {len(text) >> 20} MiB", source)
        return None

    def unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        found = dict(pairs)
        if len(found) != len(pairs):
            report.find("a JSON object with the same key twice", source)
        return found

    def constant(name: str) -> float:
        if name == "NaN":
            report.find("NaN as a number", source)
        return float(name)

    try:
        value: Json = json.loads(text, object_pairs_hook=unique, parse_constant=constant)
    except RecursionError:
        report.find("JSON nested too deeply", source)
        return None
    except ValueError as error:
        raise ModelError(f"the {source} is damaged: {one_line(error, 120)}") from None
    return value
