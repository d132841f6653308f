"""The experiment's results as files: for programs, for readers, for slides."""

from __future__ import annotations

import dataclasses
import functools
import io
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerascnn.lecture.drawing import accuracy
from kerascnn.lecture.experiments.claims import (
    Claim,
    Step,
    channels_first,
    difference,
    on_test,
    on_training,
    spread,
)
from kerascnn.lecture.experiments.mnist import Run, Trained
from kerascnn.sizes import size_text
from kerascnn.storage.files import sha256, write_json, write_text, write_with

_RESULTS = "results.json"
_LISTING = (
    "The listing sets `data_format='channels_first'` on its first convolution alone. What follows "
    "takes its 25 maps for rows: it pools over them, and drops the last. Sizes in Keras' order; "
    "in brackets the lecture's, channels first."
)
_HELD = {True: "yes", False: "no", None: "–"}


@dataclass(frozen=True)
class Results:
    """What a reproduction measured.

    Attributes:
        runs: every training.
        claims: what the lecture says, held against them.
        traces: what each layer makes of a picture, by network.
        settings: seeds, epochs, examples, batch.
        data: where the digits come from, and their SHA-256.
        versions: of all that computed.
    """

    runs: list[Run]
    claims: list[Claim]
    traces: dict[str, list[Step]]
    settings: dict[str, int]
    data: dict[str, str]
    versions: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values; what ``results.json`` holds."""
        keys = ("network", "seed", "parameters", "train_accuracy", "test_accuracy", "seconds")
        return {
            "runs": [{key: getattr(run, key) for key in keys} for run in self.runs],
            "claims": [dataclasses.asdict(claim) for claim in self.claims],
            "curves": [
                {"network": run.network, "seed": run.seed, **run.curves} for run in self.runs
            ],
            "traces": {
                name: [dataclasses.asdict(step) | {"shape": list(step.shape)} for step in steps]
                for name, steps in self.traces.items()
            },
            "settings": self.settings,
            "data": self.data,
            "versions": self.versions,
        }

    def table(self) -> str:
        """Return the claims as a table for the terminal, as wide as that is."""
        return terminal_table([(c.claim, c.says, c.measured, c.holds) for c in self.claims])


def terminal_table(rows: Sequence[tuple[str, str, str, bool | None]]) -> str:
    """Return claims (claim, says, measured, holds) as a table as wide as the terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("claim", "the lecture says", "we measured", "holds"):
        table.add_column(heading)
    for claim, says, measured, holds in rows:
        table.add_row(claim, says, measured, _HELD[holds])
    width = max(60, shutil.get_terminal_size((120, 24)).columns)
    written = io.StringIO()
    Console(file=written, width=width, highlight=False, markup=False).print(table)
    return written.getvalue().rstrip()


def _rows(claims: Sequence[Claim]) -> list[tuple[str, str, str, str]]:
    return [(row.claim, row.says, row.measured, _HELD[row.holds]) for row in claims]


def write(results: Results, trained: Trained, out: Path) -> None:
    """Write all files of a reproduction into ``out``.

    ``results.json`` goes first and comes last: where it is, all files beside it belong to it, and
    it holds their digests.

    Raises:
        OutputError: a file can't be written.
    """
    (out / _RESULTS).unlink(missing_ok=True)
    written: list[Path] = []
    with warnings.catch_warnings():
        # Keras 2 calls its own format of eight years "legacy" each time it is written.
        warnings.simplefilter("ignore")
        for name, model in trained.models.items():
            for suffix in (".h5", ".keras"):
                written.append(out / f"{name}{suffix}")
                write_with(written[-1], model.save)
    for name, draw in (("training-curves", accuracy.curves), ("accuracy", accuracy.accuracy)):
        written.append(out / f"{name}.png")
        save = functools.partial(draw(results.runs).savefig, dpi=accuracy.DPI)
        write_with(written[-1], save)
    written.append(out / "results.md")
    write_text(written[-1], markdown(results))
    digests = {path.name: sha256(path) for path in written}
    write_json(out / _RESULTS, results.to_dict() | {"files": digests})


def markdown(results: Results) -> str:
    """Return the results as a page in Markdown."""
    settings = results.settings
    held = [claim.holds for claim in results.claims if claim.holds is not None]
    gained = difference(results.runs)
    parts = [
        "# The lecture's experiment, measured",
        f"{settings['examples']:,} training digits, batches of {settings['batch']}, "
        f"{_counted(settings['epochs'], 'epoch')}, {_counted(settings['seeds'], 'seed')}. "
        f"Data: {results.data['source']}. "
        + ", ".join(f"{name} {version}" for name, version in results.versions.items())
        + ".",
        "## Claims",
        f"{sum(held)} of {len(held)} hold.",
        _markdown_table(
            ("claim", "the lecture says", "we measured", "holds"), _rows(results.claims)
        ),
        "## Networks",
        _markdown_table(
            ("network", "parameters", "training digits", "test digits", "seconds"),
            [_summary(results.runs, name) for name in results.traces],
        ),
        f"CNN − DNN on test digits, seed by seed: {gained.percent('+', ' points')}.",
        "![Accuracy](accuracy.png)",
        "![Training curves](training-curves.png)",
        "## What each layer makes of a picture",
        _LISTING,
        _side_by_side(results.traces["cnn"], results.traces["cnn-as-written"]),
    ]
    return "\n\n".join(parts) + "\n"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _summary(runs: Sequence[Run], network: str) -> tuple[str, ...]:
    parameters = next(run.parameters for run in runs if run.network == network)
    seconds = spread(runs, network, lambda run: run.seconds)
    return (
        network,
        f"{parameters:,}",
        spread(runs, network, on_training).percent(),
        spread(runs, network, on_test).percent(),
        f"{seconds.mean:.0f}",
    )


def _side_by_side(taught: Sequence[Step], written: Sequence[Step]) -> str:
    rows = []
    for ours, theirs in zip(taught, written, strict=True):
        named = f"{size_text(ours.shape)}"
        if channels_first(ours) != ours.shape:
            named += f" ({size_text(channels_first(ours))})"
        rows.append(
            (
                ours.kind,
                named,
                f"{ours.parameters:,}",
                size_text(theirs.shape),
                f"{theirs.parameters:,}",
            )
        )
    return _markdown_table(
        ("layer", "as taught", "parameters", "as the listing does it", "parameters"), rows
    )


def _markdown_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in lines)
