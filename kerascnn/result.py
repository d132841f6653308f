"""Arrays with their meaning: what a visualizer gives back.

No pixels and no files here: `kerascnn.render` draws a result from its meaning, and its values go
into an NPZ file untouched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from kerascnn.checks import checked
from kerascnn.errors import DataError, PluginError, one_line

if TYPE_CHECKING:
    import numpy as np


@dataclass(eq=False, kw_only=True)
class Result:
    """What all results have in common.

    Attributes:
        title: what the values are, over the picture.
        unit: what they are measured in, beside the colour bar.
        captions: a line for each item; filled with the predictions where a visualizer of images
            leaves it empty.
        notes: what the reader should know; printed, and kept in the NPZ.
        facts: numbers worth keeping beside the arrays, as JSON takes them.
    """

    title: str = ""
    unit: str = ""
    captions: Sequence[str] = ()
    notes: Sequence[str] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    _ARRAYS: ClassVar[dict[str, str]] = {}
    """Which attributes are arrays, and the name of each in the NPZ."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the values by the name they have in the NPZ."""
        found = {name: getattr(self, attribute) for attribute, name in self._ARRAYS.items()}
        return {name: array for name, array in found.items() if array is not None}

    @property
    def count(self) -> int:
        """How many items there are: along the first axis of the first array."""
        return len(next(iter(self.arrays().values())))

    def meaning(self) -> dict[str, Any]:
        """Return all that is not an array, as JSON takes it."""
        plain = {
            item.name: getattr(self, item.name)
            for item in fields(self)
            if item.name not in self._ARRAYS
        }
        plain["captions"], plain["notes"] = list(self.captions), list(self.notes)
        return {"kind": type(self).__name__, **plain}

    def files(self, decode: Callable[[np.ndarray], np.ndarray]) -> dict[str, bytes]:
        """Return files of this result's own, beside its picture and NPZ: suffix → content.

        Args:
            decode: turns the model's values into [0, 1] RGB or grey.
        """
        return {}

    def save(self, path: Path) -> None:
        """Write arrays and meaning to an NPZ file, whole or not at all.

        The meaning is a JSON string in the array ``meaning``.
        """
        import numpy as np

        from kerascnn.files import replacing

        with replacing(path, ".npz") as temporary:
            np.savez_compressed(temporary, **self.pack())

    def pack(self) -> dict[str, Any]:
        """Return arrays and meaning as `save` writes them, by name."""
        return {"meaning": json.dumps(self.meaning(), ensure_ascii=False), **self.arrays()}

    @staticmethod
    def unpack(arrays: Mapping[str, np.ndarray]) -> Result:
        """Make the result again out of what `pack` gave.

        Raises:
            KeyError, TypeError, ValueError, PluginError: it is not that.
        """
        meaning = json.loads(str(arrays["meaning"]))
        kind = _kinds()[meaning.pop("kind")]
        return kind._from(meaning, {name: a for name, a in arrays.items() if name != "meaning"})

    @classmethod
    def _from(cls, meaning: dict[str, Any], arrays: dict[str, np.ndarray]) -> Result:
        given: dict[str, Any] = {
            attribute: arrays[name] for attribute, name in cls._ARRAYS.items() if name in arrays
        }
        return cls(**given, **meaning)

    @property
    def wanted(self) -> Sequence[int]:
        """Of a sweep's result: the numbers of the pictures that are to be seen with it."""
        return ()

    def complete(self, pictures: np.ndarray, names: Sequence[str]) -> Result:
        """Return the same with the pictures that are `wanted`, and their names."""
        return self

    def merge(self, other: Result) -> Result:
        """Return what the pictures of this result and then those of ``other`` give together.

        Where a kind has it, ``a.merge(b).merge(c)`` equals ``a.merge(b.merge(c))``, so that a sweep
        over many pictures can be cut anywhere.

        Raises:
            PluginError: this kind of result can't be merged, or the two don't fit each other.
        """
        raise PluginError(f"a {type(self).__name__} can't be merged with another one")

    def _repr_png_(self) -> bytes:
        from kerascnn.notebook import png

        return png(self)

    def _repr_html_(self) -> str:
        from kerascnn.notebook import html

        return html(self)

    @staticmethod
    def load(path: str | Path) -> Result:
        """Read a result back from its NPZ file.

        Raises:
            DataError: the file is not one that `save` wrote.
        """
        import numpy as np

        try:
            with np.load(path, allow_pickle=False) as stored:
                return Result.unpack({name: stored[name] for name in stored.files})
        except MemoryError:
            raise
        except Exception as error:  # a damaged file makes NumPy's reader raise nearly anything
            raise DataError(
                f"{one_line(path)} is no result of kerascnn: {one_line(error)}"
            ) from error

    def _array(self, attribute: str, shape: str) -> None:
        """Check an array: its rank (``N×H×W``), real and finite numbers; make it float32."""
        label = f"{type(self).__name__}.{attribute}"
        value = checked(getattr(self, attribute), shape, label)
        setattr(self, attribute, value)

    def _counted(self, count: int) -> None:
        if self.captions and len(self.captions) != count:
            raise PluginError(
                f"{type(self).__name__}.captions must be {count}. Received {len(self.captions)}"
            )


@dataclass(eq=False)
class Heatmap(Result):
    """A number for each pixel of each picture.

    Attributes:
        values: N×H×W; H and W may be smaller than the picture's (a coarse map).
        over: the pictures, N×H×W×C in the model's values.
        signed: whether the sign has a meaning; drawn by a diverging scale centred on zero.
        clip: percentile of the absolute values at which the picture's scale ends; the values
            stay as they are.
        low_is_notable: whether the small values are the message (a score that falls where
            something is hidden); drawn blue where they are low.
        smooth: whether a coarse map is drawn with soft edges; the values stay.
        ends: where the picture's scale begins and ends, if not at the values' own ends.
    """

    values: np.ndarray
    over: np.ndarray
    signed: bool = False
    clip: float = 99.5
    low_is_notable: bool = False
    smooth: bool = False
    ends: tuple[float, float] | None = None

    _ARRAYS: ClassVar[dict[str, str]] = {"values": "values", "over": "images"}

    def __post_init__(self) -> None:
        """Check the arrays against each other."""
        self._array("values", "N×H×W")
        self._array("over", "N×H×W×C")
        if len(self.values) != len(self.over):
            raise PluginError(
                f"Heatmap.values must be as many as the pictures ({len(self.over)}). "
                f"Received {len(self.values)}"
            )
        self._counted(len(self.values))


@dataclass(eq=False)
class Images(Result):
    """Pictures to look at.

    Attributes:
        values: N×H×W×C in the model's values; one channel is grey, three are a colour.
    """

    values: np.ndarray

    _ARRAYS: ClassVar[dict[str, str]] = {"values": "values"}

    def __post_init__(self) -> None:
        """Check the array."""
        self._array("values", "N×H×W×C")
        self._counted(len(self.values))


@dataclass(eq=False)
class Film(Images):
    """Pictures that follow one another; written as a film too.

    Attributes:
        format: ``"gif"`` or ``"mp4"``.
        rate: pictures a second.
    """

    format: str = "gif"
    rate: float = 12.0

    def files(self, decode: Callable[[np.ndarray], np.ndarray]) -> dict[str, bytes]:
        """Return the film."""
        from kerascnn.film import encode

        return {self.format: encode(decode(self.values), self.format, self.rate)}

    @staticmethod
    def check_format(format: str) -> None:
        """See that a film can be written, before long work begins.

        Raises:
            UsageError: it can't here.
        """
        from kerascnn.film import check_format

        check_format(format)


@dataclass(eq=False)
class Kernels(Result):
    """Filters of a layer, as weights.

    Attributes:
        values: K×h×w×C: K filters; C = 3 is drawn in colour, any other C as one picture each
            channel, zero in the middle of the scale.
        colour: whether three channels are the picture's own colours (red, green, blue).
    """

    values: np.ndarray
    colour: bool = False

    _ARRAYS: ClassVar[dict[str, str]] = {"values": "values"}

    def __post_init__(self) -> None:
        """Check the array."""
        self._array("values", "K×h×w×C")
        self._counted(len(self.values))


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


def _kinds() -> dict[str, type[Result]]:
    """Return every kind of result there is by its name: ours, and those of plugins."""
    import kerascnn.curves
    import kerascnn.ranking  # noqa: F401  (kinds of their own)

    found: dict[str, type[Result]] = {}
    waiting = Result.__subclasses__()
    while waiting:
        kind = waiting.pop(0)
        found.setdefault(kind.__name__, kind)  # ours were first
        waiting += kind.__subclasses__()
    return found
