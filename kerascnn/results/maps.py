"""`Maps`: what layers return for pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kerascnn.errors import PluginError, one_line
from kerascnn.results.base import Result
from kerascnn.results.record import Record, array, items

if TYPE_CHECKING:
    import numpy as np


class LayerMaps(Record):
    """What some channels of one layer return for each picture.

    Attributes:
        layer: the layer's name.
        values: N×h×w×K for maps, N×K for neurons.
        channels: the number of each of the K channels in its layer.
        total: how many channels the layer has.
        names: what each channel stands for (a class), where it has a name.
        kernels: K×kh×kw×C, the filters that made the maps, where they can be looked at.
        colour: whether the kernels' three channels are red, green and blue.
    """

    layer: str
    values: np.ndarray = array("N×K | N×h×w×K")
    channels: Sequence[int] = items("K", of=int)
    total: int
    names: Sequence[str] = items("K", default=())
    kernels: np.ndarray | None = array("K×kh×kw×C", default=None)
    colour: bool = False

    @property
    def label(self) -> str:
        """What errors call the record."""
        return f"LayerMaps {one_line(self.layer, 60)!r}"


class Maps(Result):
    """What layers return for pictures: a map for each filter, a number for each neuron.

    Attributes:
        over: the pictures, N×H×W×C in the model's values.
        layers: a `LayerMaps` for each layer.
        shared_scale: whether all maps of a layer are drawn on one scale, or each on its own.
    """

    over: np.ndarray = array("N×H×W×C", saved_as="images")
    layers: Sequence[LayerMaps]
    shared_scale: bool = False

    def check(self) -> None:
        """Check that there are layers, and that each has values for every picture."""
        if not self.layers:
            raise PluginError("Maps.layers must name at least one layer")
        for layer in self.layers:
            if len(layer.values) != len(self.over):
                raise PluginError(
                    f"{layer.label}.values must be as many as the pictures ({len(self.over)}). "
                    f"Received {len(layer.values)}"
                )

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the pictures, and ``values_0``, ``kernels_0``, ``values_1`` … of the layers."""
        found = super().arrays()
        for number, layer in enumerate(self.layers):
            found[f"values_{number}"] = layer.values
            if layer.kernels is not None:
                found[f"kernels_{number}"] = layer.kernels
        return found

    def meaning(self) -> dict[str, Any]:
        """Return all that is not an array, in values that JSON can hold."""
        plain = ("layer", "channels", "total", "names", "colour")
        layers = [{name: getattr(layer, name) for name in plain} for layer in self.layers]
        return {**super().meaning(), "layers": layers}

    @classmethod
    def from_saved(cls, meaning: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> Result:
        """Make the result from its meaning and its arrays by their names in the file."""
        layers = [
            LayerMaps(values=arrays[f"values_{i}"], kernels=arrays.get(f"kernels_{i}"), **layer)
            for i, layer in enumerate(meaning.pop("layers"))
        ]
        return super().from_saved({**meaning, "layers": layers}, arrays)
