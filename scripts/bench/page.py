"""The figures as a page: docs/benchmarks.md, and how cost grows as a plot."""

from __future__ import annotations

import inspect
import statistics
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.growth import GROWTHS
from bench.measured import ROWS, Bar, Json, Measured, ratios

_HEAD = """# Benchmarks

Made by `python scripts/benchmark.py` (tox environment `bench`), which anyone can run again; one
row by its name. Seconds are medians with the lowest and highest in brackets. What a row is compared
with is timed in the same process, in turns; a peer in an environment of its own, where it takes
turns with the same bare code as ours, and is compared through that. Machines are noisy: ratios
travel, seconds do not. A bar that is missed is marked **missed**.

"""


def write(record: Json, page: Path, plot: Path) -> None:
    """Write the page and its plot.

    Args:
        record: what `scripts/benchmark.py` saves: ``rows``, ``growth``, ``machine``, ``whole``.
        page: the Markdown file.
        plot: the picture.
    """
    about = dict(record["machine"])
    if "whole" in record:
        about["a whole run"] = (
            f"{record['whole']['minutes']:.0f} minutes, {record['whole']['date']}"
        )
    parts = [_HEAD, _facts(about), "## Rows\n\n", _rows(record["rows"])]
    parts.append(_notes(record["rows"]))
    parts += ["\n## Peers\n\n", _peers(record["rows"]), "\n## What the rows do\n\n", _meanings()]
    if record["growth"]:
        _plot(record["growth"], plot)
        parts += ["\n## How cost grows\n\n", _growth(record["growth"])]
        parts.append(f"\n![Seconds against size, both axes logarithmic]({_relative(plot, page)})\n")
    page.write_text("".join(parts), encoding="utf-8")


def _facts(facts: Mapping[str, str]) -> str:
    return "".join(f"- {name}: {value}\n" for name, value in facts.items()) + "\n"


def _rows(rows: Json) -> str:
    lines = [
        "| row | ours | theirs | ratio | bar | | of the matrix peak | peak memory | measured |\n",
        "|---|---|---|---|---|---|---|---|---|\n",
    ]
    for name in ROWS:
        if name not in rows:
            lines.append(f"| `{name}` | not measured | | | | | | | |\n")
            continue
        row = rows[name]
        found = measured(row)
        against = ratios(found.ours, found.theirs) if found.theirs else []
        share = row["flops"] / statistics.median(found.ours) / row["peak"] if row["flops"] else 0
        cells = [
            f"`{name}`",
            _seconds(found.ours),
            _seconds(found.theirs) if found.theirs else "–",
            _spread(against, " ×") if against else "–",
            found.bar.text(),
            _verdict(found.bar.held(found.ours, found.theirs), row),
            f"{share:.0%}" if share else "–",
            f"{row['memory']:.0f} MiB",
            row["date"],
        ]
        lines.append("| " + " | ".join(cells) + " |\n")
    return "".join(lines)


def _notes(rows: Json) -> str:
    said = [(name, note) for name in ROWS for note in rows.get(name, {}).get("notes", ())]
    return "\n" + "".join(f"- `{name}`: {note}\n" for name, note in said) if said else ""


def measured(row: Json) -> Measured:
    """Return a row of the record as it was measured."""
    return Measured(row["ours"], row["theirs"], Bar(**row["bar"]), row["flops"])


def times_as_fast(row: Json, peer: Json) -> float:
    """Return how many times as fast as a peer ours is, each relative to bare code in its process.

    Where the bare code is another framework's, or ours has none, seconds are compared.
    """
    ours = float(statistics.median(row["ours"]))
    theirs = float(statistics.median(peer["peer"]))
    if peer["framework"] != "TensorFlow" or not row["theirs"]:
        return theirs / ours
    bare = float(statistics.median(peer["bare"]) / statistics.median(row["theirs"]))
    return theirs / bare / ours


def _verdict(held: bool | None, row: Json) -> str:
    said = [] if held is None else [held]
    for name, factor in row["bar"]["peers"].items():
        peer = row["peers"].get(name, {})
        if "peer" in peer:
            said.append(times_as_fast(row, peer) >= factor)
    if not said:
        return "–"
    return "kept" if all(said) else "**missed**"


def _peers(rows: Json) -> str:
    lines = [
        "| row | peer | peer's | bare code beside it | ours is … times as fast | through |\n",
        "|---|---|---|---|---|---|\n",
    ]
    for name in ROWS:
        for peer, found in rows.get(name, {}).get("peers", {}).items():
            if "error" in found:
                lines.append(f"| `{name}` | {peer} | could not be measured | | | |\n")
                continue
            through = "seconds" if found["framework"] != "TensorFlow" else "bare TensorFlow"
            cells = [
                f"`{name}`",
                peer,
                _seconds(found["peer"]),
                f"{_seconds(found['bare'])} ({found['framework']})",
                f"{times_as_fast(rows[name], found):.2f}",
                through,
            ]
            lines.append("| " + " | ".join(cells) + " |\n")
    return "".join(lines)


def _meanings() -> str:
    return "".join(f"- `{name}`: {_first(function)}\n" for name, function in ROWS.items())


def _growth(growth: Json) -> str:
    parts = []
    for name, found in growth.items():
        parts.append(f"{_first(GROWTHS[name])}\n\n| {found['along']} |")
        parts.append(" | ".join(f" {size} " for size, _ in found["points"]) + " |\n|---|")
        parts.append("---|" * len(found["points"]) + "\n| seconds | ")
        parts.append(" | ".join(_seconds(seconds) for _, seconds in found["points"]) + " |\n\n")
    return "".join(parts)


def _plot(growth: Json, path: Path) -> None:
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    figure = Figure((2.7 * len(growth), 2.6), layout="constrained")
    all_axes = figure.subplots(1, len(growth), squeeze=False)[0]
    for axes, found in zip(all_axes, growth.values(), strict=True):
        sizes = [size for size, _ in found["points"]]
        axes.loglog(sizes, [statistics.median(s) for _, s in found["points"]], "o-")
        axes.set_xticks(sizes, [str(size) for size in sizes])
        # Seconds as one says them; within a decade the powers of ten alone would name one or none.
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.minorticks_off()
        axes.set_xlabel(found["along"])
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("seconds")
    figure.savefig(path, dpi=110)


def _first(function: Callable[..., object]) -> str:
    text = inspect.getdoc(function) or ""
    return " ".join(text.split("\n\n")[0].split())


def _seconds(values: list[float]) -> str:
    return _spread(values, " s")


def _spread(values: list[float], unit: str) -> str:
    middle = statistics.median(values)
    places = 2 if middle >= 0.1 else 3
    low, high = (f"{value:.{places}f}" for value in (min(values), max(values)))
    return f"{middle:.{places}f}{unit} ({low}–{high})"


def _relative(path: Path, page: Path) -> str:
    return path.relative_to(page.parent).as_posix()
