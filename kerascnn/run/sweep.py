"""A visualizer over more pictures than memory holds: in parts, and resumed where it stopped."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerascnn.errors import ImageError, one_line
from kerascnn.images import Picture
from kerascnn.images.picture_sets import Chunk, PictureSet, Position
from kerascnn.network.network import Network
from kerascnn.plugin.visualizer import Visualizer
from kerascnn.results.base import Result
from kerascnn.storage.checkpoint import Checkpoint
from kerascnn.terminal.progress import progress, say
from kerascnn.version import __version__

_CHUNK_BYTES = 1 << 23  # an interruption loses one chunk at most
_MOST_IN_CHUNK = 2048
_PICTURES_BYTES = 1 << 29
_SECONDS = 5.0
"""How many seconds of work an interrupted sweep may lose."""


@dataclass(frozen=True)
class Swept:
    """What a sweep has found so far.

    Attributes:
        result: of the pictures before ``after``; None before the first.
        positions: where each picture is in the source, by its index.
        after: where to resume.
        count: how many pictures are done.
    """

    result: Result | None
    positions: list[Position]
    after: Position
    count: int


def sweep(
    visualizer: Visualizer,
    network: Network,
    source: PictureSet,
    ask: Callable[[np.ndarray], Result],
    checkpoint: Path | None = None,
) -> tuple[Result, tuple[Picture, ...]]:
    """Run a streaming visualizer over every picture of a source.

    Args:
        visualizer: one with ``streams``.
        network: what it queries.
        source: the pictures.
        ask: returns the result for some pictures; the results are merged.
        checkpoint: a file that keeps what was found in case the sweep is interrupted; a sweep of
            the same model, options and pictures resumes from it.

    Returns:
        The result, and the pictures that are shown with it.

    Raises:
        ImageError: there is no picture, or one that was named can't be read.
        PluginError: the results can't be merged.
    """
    so_far, kept = Swept(None, [], (0, 0), 0), None
    if checkpoint:
        kept = Checkpoint(checkpoint, _configuration(visualizer, network, source))
        so_far = kept.resume(_restored) or so_far
    if so_far.result is not None:
        say(f"resuming after {so_far.count:,} pictures, from {one_line(checkpoint)}")
    else:
        say(f"sweeping over {source.label}")
    size = _chunk_size(source, network)
    saved = time.monotonic()
    try:
        with progress(visualizer.name, source.total) as bar:
            bar.advance(so_far.after[0])
            for chunk in _ahead(source.chunks(so_far.after, size)):
                so_far = _with(so_far, chunk, ask)
                bar.advance(so_far.after[0] - chunk.positions[0][0])
                if kept and time.monotonic() - saved > _SECONDS:
                    _store(so_far, kept)
                    saved = time.monotonic()
    except BaseException:
        if kept and so_far.result is not None:
            _store(so_far, kept)
            say(f"{so_far.count:,} pictures are done; the same command resumes from there")
        raise
    if so_far.result is None:
        raise ImageError(f"there is no picture in {source.label}")
    result = so_far.result
    wanted = _that_fit(result.wanted, source, network)
    pictures = tuple(source.fetch([so_far.positions[index] for index in wanted]))
    if pictures:
        values = np.stack([picture.values for picture in pictures])
        result = result.complete(values, [picture.name for picture in pictures])
    return result, pictures


def _that_fit(wanted: Sequence[int], source: PictureSet, network: Network) -> Sequence[int]:
    """Return as many of the pictures to be seen as memory should hold."""
    budget = min(_PICTURES_BYTES, network.memory.bytes)
    most = max(1, budget // (4 * math.prod(source.shape)))
    if len(wanted) > most:
        say(f"{most:,} of {len(wanted):,} pictures are kept with the result: memory is short")
    return wanted[:most]


def _with(so_far: Swept, chunk: Chunk, ask: Callable[[np.ndarray], Result]) -> Swept:
    """Return what is found when a chunk is added; an interruption leaves ``so_far`` as it was."""
    chunk.values.setflags(write=False)
    part = ask(chunk.values)
    result = part if so_far.result is None else so_far.result.merge(part)
    so_far.positions[so_far.count :] = chunk.positions
    return Swept(result, so_far.positions, chunk.after, so_far.count + len(chunk.positions))


def _chunk_size(source: PictureSet, network: Network) -> int:
    budget = min(_CHUNK_BYTES, network.memory.bytes // 8)
    return max(1, min(_MOST_IN_CHUNK, budget // (4 * math.prod(source.shape))))


def _ahead(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Yield chunks while the next one is read in a thread."""
    with ThreadPoolExecutor(1, thread_name_prefix="kerascnn-read") as pool:
        future = pool.submit(next, chunks, None)
        while (chunk := future.result()) is not None:
            future = pool.submit(next, chunks, None)
            yield chunk


def _configuration(
    visualizer: Visualizer, network: Network, source: PictureSet
) -> dict[str, object]:
    """Return what tells one sweep from another."""
    loaded = network.loaded
    return {
        "version": __version__,
        "model": None if loaded is None else loaded.sha256,
        "input": network.input.to_dict(),
        "plugin": visualizer.name,
        "options": visualizer.model_dump(),
        "shape": list(source.shape),
        "pictures": source.fingerprint(),
    }


def _store(so_far: Swept, checkpoint: Checkpoint) -> None:
    if so_far.result is None:
        return
    result = {f"result_{name}": array for name, array in so_far.result.pack().items()}
    positions = np.asarray(so_far.positions[: so_far.count], np.int32)
    checkpoint.save({"positions": positions, **result}, {"after": so_far.after})


def _restored(state: dict[str, np.ndarray], record: Mapping[str, Any]) -> Swept:
    """Return what `_store` saved."""
    packed = {name: array for name, array in state.items() if name.startswith("result_")}
    result = Result.unpack({name.removeprefix("result_"): a for name, a in packed.items()})
    positions = [(int(file), int(inside)) for file, inside in state["positions"]]
    file, inside = record["after"]
    return Swept(result, positions, (int(file), int(inside)), len(positions))
