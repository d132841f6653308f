"""The units of a layer with the highest values, and what each of them looks for."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kerascnn.errors import KerascnnError, one_line
from kerascnn.images import Picture
from kerascnn.network.network import Network
from kerascnn.plugin.registry import Registry
from kerascnn.results.base import Result
from kerascnn.results.images import Images, Kernels
from kerascnn.results.top_images import TopImages
from kerascnn.run.run import visualize

_MOST = 6
_PICTURES = 6
_ALL = 1 << 20
_SLICES = 8
# On photographs a full ascent takes minutes; this shows the same, less clean.
_LARGE = 64  # pixels
_QUICK = {"steps": 48, "restarts": 1, "copies": 1}


@dataclass(frozen=True, eq=False)
class UnitRow:
    """One unit, and results that are each of it alone.

    Attributes:
        unit: its number in the layer.
        pictures: the pictures that activate it most.
        weights: its weights, if it has any that can be shown.
        ideal: the picture that activates it most, found by gradient ascent.
    """

    unit: int
    pictures: Result
    weights: Result | None
    ideal: Result | None


@dataclass(frozen=True, eq=False)
class Units:
    """The units of one layer that have the highest values.

    Attributes:
        layer: its name; empty where there is nothing to show.
        rows: the units, the strongest first.
        notes: what could not be made, and why.
    """

    layer: str
    rows: list[UnitRow]
    notes: list[str]


def best_units(
    network: Network,
    registry: Registry,
    pictures: Sequence[Picture] | Sequence[str],
    layer: str | None = None,
) -> Units:
    """Run ``top-images``, ``filters`` and ``max-activation`` on a layer's strongest units.

    Args:
        network: whose units.
        registry: where these visualizers are found.
        pictures: among which the strongest are searched; empty for the packaged ones.
        layer: a layer's name; None for the last convolution.
    """
    notes: list[str] = []
    ask = functools.partial(_ask, network, registry, notes)
    top = ask("top-images", {"layer": layer or "last-conv", "count": _PICTURES}, pictures)
    if not isinstance(top, TopImages):
        return Units("", [], notes)
    rows = [int(row) for row in (-top.values[:, 0]).argsort(kind="stable")[:_MOST]]
    units = [top.units[row] for row in rows]
    weights = ask("filters", {"layer": top.layer, "count": _ALL, "slices": _SLICES})
    small = max(side or _LARGE for side in network.input.shape[:2]) < _LARGE
    options = {"layer": top.layer, "unit": tuple(map(str, units)), **({} if small else _QUICK)}
    ideal = ask("max-activation", options)
    found = [
        UnitRow(unit, _one_unit(top, row), _kernel(weights, unit), _image(ideal, number))
        for number, (unit, row) in enumerate(zip(units, rows, strict=True))
    ]
    return Units(top.layer, found, notes)


def _ask(
    network: Network,
    registry: Registry,
    notes: list[str],
    name: str,
    options: Mapping[str, object],
    pictures: Sequence[Picture] | Sequence[str] = (),
) -> Result | None:
    """Run a visualizer by its name; if it fails, add a note and return None."""
    try:
        return visualize(registry.get(name).visualizer(**options), network, pictures).result
    except KerascnnError as error:
        notes.append(f"{name}: {one_line(error)}")
    except ValueError as error:  # somebody else's plugin of that name, with other options
        notes.append(f"{name}: {one_line(error, 120)}")
    return None


def _kernel(weights: Result | None, unit: int) -> Kernels | None:
    if not isinstance(weights, Kernels) or unit >= weights.count:
        return None
    return replace(weights, values=weights.values[[unit]], captions=(), title="")


def _image(ideal: Result | None, number: int) -> Images | None:
    if not isinstance(ideal, Images) or number >= ideal.count:
        return None
    return Images(ideal.values[[number]])


def _one_unit(found: TopImages, row: int) -> TopImages:
    """Return the result of one unit alone, with its pictures alone."""
    some = slice(row, row + 1)
    pictures, numbers, names = found.pictures, found.picture_indices, found.names
    if pictures is not None and numbers is not None:
        keep = np.flatnonzero(np.isin(numbers, found.indices[some]))
        pictures, numbers = pictures[keep], numbers[keep]
        names = [names[int(at)] for at in keep]
    return replace(
        found,
        values=found.values[some],
        indices=found.indices[some],
        places=found.places[some],
        boxes=found.boxes[some],
        units=[found.units[row]],
        captions=found.captions[some],
        pictures=pictures,
        picture_indices=numbers,
        names=names,
        show=0,
        title="",
    )
