"""How long things take, as ratios to something else that is timed in the same process.

    python scripts/benchmark.py                       everything, and docs/benchmarks.md
    python scripts/benchmark.py lecture-training      one row, which replaces its line on the page
    python scripts/benchmark.py --repeat 5 ROW …
    python scripts/benchmark.py --no-peers

A row is a function that returns its measurements (``bench/``); each runs in a process of its own.
Both sides take turns, so that other load on the machine slows both; each ratio is that of a pair.
Other tools (peers) are timed in environments of their own, which are made on the first run (several
gigabytes; ``--environments DIR`` says where). Nothing is asserted: a bar that is missed is marked
on the page.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from bench import growth, machine, page, peers_at_work, styles, visualizers, whole_commands
from bench.measured import BY_NAME, ROWS, Json, ratios, shown

_ = (styles, visualizers, whole_commands)  # importing them puts their rows into the list

_DOCS = Path(__file__).resolve().parent.parent / "docs"
RECORD, PAGE, PLOT = (
    _DOCS / name for name in ("benchmarks.json", "benchmarks.md", "images/benchmark-growth.png")
)
_GROWTH_REPEAT = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rows that are named, print them, and update the page."""
    known = [*ROWS, *growth.GROWTHS]
    parser = argparse.ArgumentParser(description="Time the rows, or those that are named.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(known))
    parser.add_argument("--repeat", type=int, default=5, metavar="N", help="pairs a row (5)")
    parser.add_argument("--no-peers", action="store_true", help="without the peers")
    parser.add_argument("--no-page", action="store_true", help="print only; write nothing")
    parser.add_argument(
        "--environments",
        type=Path,
        default=Path(".bench"),
        help="folder of the peers' environments (.bench)",
    )
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.rows) - set(known))
    if unknown or given.repeat < 1:
        parser.error(f"no row {', '.join(unknown)}" if unknown else "--repeat must be at least 1")
    if given.inside is not None:
        given.inside.write_text(json.dumps(_measured(given.rows[0], given.repeat)))
        return 0
    record, began, failed = _record(), time.monotonic(), 0
    for name in given.rows or [name for name in known if name not in BY_NAME]:
        repeat = given.repeat if name in ROWS else min(given.repeat, _GROWTH_REPEAT)
        found = _in_its_own_process(name, repeat)
        if found is None:
            failed += 1
            continue
        if name in ROWS:
            _add_peers(name, found, record, given)
            record["rows"][name] = found
            _tell(name, found)
        else:
            record["growth"][name] = found
        record["machine"] = found.pop("machine")
        if not given.no_page:
            _publish(record)
    if not given.rows and not failed:
        minutes = (time.monotonic() - began) / 60
        print(f"the whole run took {minutes:.0f} minutes", flush=True)
        if not given.no_page:
            record["whole"] = {"minutes": minutes, "date": datetime.date.today().isoformat()}
            _publish(record)
    return 1 if failed else 0


def _publish(record: Json) -> None:
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    page.write(record, PAGE, PLOT)


def _measured(name: str, repeat: int) -> Json:
    """Measure one row or growth in this process."""
    if name in growth.GROWTHS:
        found = dataclasses.asdict(growth.GROWTHS[name](repeat))
    else:
        found = dataclasses.asdict(ROWS[name](repeat))
        # Memory first, so that it is the row's own.
        found |= {"memory": machine.peak_memory(), "peak": machine.matrix_peak(), "peers": {}}
    return {**found, "machine": machine.described(), "date": datetime.date.today().isoformat()}


def _in_its_own_process(name: str, repeat: int) -> Json | None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "found.json"
        command = [sys.executable, __file__, name, "--repeat", str(repeat), "--inside", str(out)]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode or not out.exists():
            last = done.stderr.strip().splitlines()[-1:]
            print(f"{name}: failed: {''.join(last)}", file=sys.stderr, flush=True)
            return None
        found: Json = json.loads(out.read_text())
        return found


def _add_peers(name: str, found: Json, record: Json, given: argparse.Namespace) -> None:
    """Time the peers of a row, or keep their earlier results."""
    found["peers"] = record["rows"].get(name, {}).get("peers", {})
    if given.no_peers:
        return
    repeat = len(found["ours"])  # as often as ours
    for peer in peers_at_work.peers_of(name):
        found["peers"][peer] = peers_at_work.measure(peer, name, repeat, given.environments)


def _record() -> Json:
    try:
        record: Json = json.loads(RECORD.read_text(encoding="utf-8"))
    except FileNotFoundError:
        record = {"machine": {}, "rows": {}, "growth": {}}
    return record


def _tell(name: str, found: Json) -> None:
    was = page.measured(found)
    line = f"{name}: ours {shown(was.ours, ' s')}"
    if was.theirs:
        against = shown(ratios(was.ours, was.theirs), "×")
        line = f"{line}, theirs {shown(was.theirs, ' s')}, ratio {against}"
    for peer, other in found["peers"].items():
        if "error" in other:
            line = f"{line}; {peer}: {other['error']}"
        else:
            line = f"{line}; {page.times_as_fast(found, other):.2f} × as fast as {peer}"
    print(f"{line}; bar {was.bar.text()}", flush=True)
    for note in found["notes"]:
        print(f"  {note}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
