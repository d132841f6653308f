"""The units of a layer that answer most: weights, what excites them, and the pictures that did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kerascnn.errors import KerascnnError, one_line
from kerascnn.images import Picture
from kerascnn.network.network import Network
from kerascnn.plugin.registry import Registry
from kerascnn.results.base import Result
from kerascnn.results.images import Images, Kernels
from kerascnn.results.top_images import TopImages
from kerascnn.run.run import Run, visualize

MOST = 6
_PICTURES = 6
# On photographs an ascent in full takes minutes; this shows the same, less clean.
_LARGE = 64  # pixels
_QUICK = {"steps": 48, "restarts": 1, "copies": 1}


@dataclass(frozen=True, eq=False)
class UnitPage:
    """One layer's foremost units.

    Attributes:
        layer: its name; empty where there is nothing to show.
        units: their numbers, the strongest first.
        parts: for each unit, by what they show: results that each speak of it alone.
        notes: what could not be made, and why.
    """

    layer: str
    units: list[int]
    parts: list[dict[str, Result]]
    notes: list[str]


def unit_page(
    network: Network,
    registry: Registry,
    pictures: Sequence[Picture] | Sequence[str],
    layer: str | None = None,
) -> UnitPage:
    """Ask ``top-images``, ``filters`` and ``max-activation`` about a layer's foremost units.

    Args:
        network: whom to ask.
        registry: where these visualizers are found.
        pictures: among which the strongest are sought; none for the packaged ones.
        layer: a layer's name; None for the last convolution.
    """
    notes: list[str] = []
    name = layer or "last-conv"
    top = _ask(network, registry, pictures, notes, "top-images", layer=name, count=_PICTURES)
    if top is None or not isinstance(top.result, TopImages):
        return UnitPage("", [], [], notes)
    found = top.result
    rows = [int(row) for row in (-found.values[:, 0]).argsort(kind="stable")[:MOST]]
    units = [found.units[row] for row in rows]
    parts: list[dict[str, Result]] = [{"pictures": _one_unit(found, row)} for row in rows]
    weights = _ask(
        network, registry, (), notes, "filters", layer=found.layer, count=1 << 20, slices=8
    )
    if weights is not None and isinstance(weights.result, Kernels):
        for part, unit in zip(parts, units, strict=True):
            if unit < len(weights.result.values):
                part["weights"] = replace(
                    weights.result, values=weights.result.values[[unit]], captions=(), title=""
                )
    wanted = tuple(str(unit) for unit in units)
    quick = {} if max(n or _LARGE for n in network.input.shape[:2]) < _LARGE else _QUICK
    dream = _ask(
        network, registry, (), notes, "max-activation", layer=found.layer, unit=wanted, **quick
    )
    if dream is not None and isinstance(dream.result, Images):
        for part, values in zip(parts, dream.result.values, strict=False):
            part["ideal"] = Images(values[None])
    return UnitPage(found.layer, units, parts, notes)


def _ask(
    network: Network,
    registry: Registry,
    pictures: Sequence[Any],
    notes: list[str],
    name: str,
    **options: Any,
) -> Run | None:
    try:
        return visualize(registry.get(name).visualizer(**options), network, pictures)
    except KerascnnError as error:
        notes.append(f"{name}: {one_line(error)}")
    except ValueError as error:  # somebody else's plugin of that name, with other options
        notes.append(f"{name}: {one_line(error, 120)}")
    return None


def _one_unit(found: TopImages, row: int) -> TopImages:
    some = slice(row, row + 1)
    shown = np.unique(found.indices[some])
    pictures, numbers, names = found.pictures, found.picture_indices, list(found.names)
    if pictures is not None and numbers is not None:
        keep = [at for at, number in enumerate(numbers) if number in shown]
        pictures, numbers = pictures[keep], numbers[keep]
        names = [names[at] for at in keep] if names else []
    return replace(
        found,
        values=found.values[some],
        indices=found.indices[some],
        places=found.places[some],
        boxes=found.boxes[some],
        units=[found.units[row]],
        captions=[found.captions[row]] if found.captions else (),
        pictures=pictures,
        picture_indices=numbers,
        names=names,
        show=0,
        title="",
    )
