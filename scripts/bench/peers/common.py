"""What the peers' programs share: taking turns, and one line of JSON at the end."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping

Turns = tuple[Callable[[], object], Callable[[], object]]


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds ``work`` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(works: Mapping[str, Callable[[], Turns]]) -> None:
    """Time one work: ``PROGRAM WORK REPEAT``. Prints the seconds of the peer and of bare code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("work", choices=sorted(works))
    parser.add_argument("repeat", type=int)
    given = parser.parse_args()
    peer, bare = works[given.work]()
    bare()
    pairs = [(timed(bare), timed(peer)) for _ in range(given.repeat)]
    print(json.dumps({"bare": [pair[0] for pair in pairs], "peer": [pair[1] for pair in pairs]}))
