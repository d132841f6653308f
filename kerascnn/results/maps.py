"""`Maps`: what layers give for pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from kerascnn.errors import PluginError, one_line
from kerascnn.results.base import Result
from kerascnn.results.validation import checked

if TYPE_CHECKING:
    import numpy as np


@dataclass(eq=False)
class LayerMaps:
    """What some channels of one layer give for each picture.

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
    values: np.ndarray
    channels: Sequence[int]
    total: int
    names: Sequence[str] = ()
    kernels: np.ndarray | None = None
    colour: bool = False

    def __post_init__(self) -> None:
        """Check the arrays against each other."""
        self.channels = [int(channel) for channel in self.channels]
        self.names = [str(name) for name in self.names]
        is_map = getattr(self.values, "ndim", 0) == 4
        label = f"maps of {one_line(self.layer, 60)}"
        self.values = checked(self.values, "N×h×w×K" if is_map else "N×K", label)
        count = self.values.shape[-1]
        if self.kernels is not None:
            label = f"kernels of {one_line(self.layer, 60)}"
            self.kernels = checked(self.kernels, "K×h×w×C", label)
            if len(self.kernels) != count:
                raise PluginError(f"{label} must be {count}. Received {len(self.kernels)}")
        for what in (self.channels, self.names or self.channels):
            if len(what) != count:
                raise PluginError(f"{label} must have {count} channels named. Received {len(what)}")


@dataclass(eq=False)
class Maps(Result):
    """What layers give for pictures: a map for each filter, a number for each neuron.

    Attributes:
        over: the pictures, N×H×W×C in the model's values.
        layers: a `LayerMaps` for each layer.
        shared_scale: whether all maps of a layer are drawn on one scale; else each on its own.
    """

    over: np.ndarray
    layers: Sequence[LayerMaps]
    shared_scale: bool = False

    _ARRAYS: ClassVar[dict[str, str]] = {"over": "images"}

    def __post_init__(self) -> None:
        """Check the arrays against each other."""
        self._array("over", "N×H×W×C")
        self._counted(len(self.over))
        if not self.layers:
            raise PluginError("Maps.layers must name a layer at least")
        for layer in self.layers:
            if len(layer.values) != len(self.over):
                raise PluginError(
                    f"Maps of {one_line(layer.layer, 60)} must be as many as the pictures "
                    f"({len(self.over)}). Received {len(layer.values)}"
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
        """Return all that is not an array, as JSON takes it."""
        plain = ("layer", "channels", "total", "names", "colour")
        layers = [{name: getattr(layer, name) for name in plain} for layer in self.layers]
        return {**super().meaning(), "layers": layers}

    @classmethod
    def _from(cls, meaning: dict[str, Any], arrays: dict[str, np.ndarray]) -> Result:
        layers = [
            LayerMaps(values=arrays[f"values_{i}"], kernels=arrays.get(f"kernels_{i}"), **layer)
            for i, layer in enumerate(meaning.pop("layers"))
        ]
        return cls(over=arrays["images"], layers=layers, **meaning)
