"""Top images: the pictures of a set that activate a unit most, and its receptive field in them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from kerascnn import ModelError, TopImages, Visualizer, hookimpl, option, parse_units

if TYPE_CHECKING:
    import numpy as np

    from kerascnn import Layer, Network, Target

_AT_ONCE = 1 << 25  # bytes of the layer's output that are held at a time
_MOST_AT_ONCE = 256  # pictures
_HANDFUL = 6


class TopImagesOfUnits(Visualizer):
    """The pictures that activate a unit most, from a folder or a data set of any size.

    The network is run on every picture; for each unit the highest values are kept, with their
    place in its map. The white box is the receptive field of that place: what the unit sees
    (Girshick et al. 2014; lecture, "what does the machine learn"). Without --image, a network
    whose input is 28×28 grey pixels is run on the packaged test digits.
    """

    name = "top-images"
    streams = True
    layer: str = option("last-conv", "a layer: a name, first-conv or last-conv")
    unit: tuple[str, ...] = option(
        (), "which filters or neurons: 3, 0-11 or all; default: the six with the highest values"
    )
    count: int = option(9, "how many pictures for each unit", ge=1, le=1000)

    def visualize(
        self, network: Network, images: np.ndarray | None, target: Target | None
    ) -> TopImages:
        """Find the highest values of every unit among some pictures."""
        import numpy as np

        assert images is not None

        layer, notes = self._layer(network)
        parts = self._parts(network, images, layer)
        values, indices, places = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = _order(values, self.count)
        values, indices = (np.take_along_axis(each, order, 0).T for each in (values, indices))
        places = np.take_along_axis(places, order[..., None], 0).transpose(1, 0, 2)
        units = parse_units(self.unit or ("all",), len(values), layer.name, option="--unit")
        values, indices, places = values[units], indices[units], places[units]
        return TopImages(
            values,
            indices,
            places,
            _boxes(network, layer, places, images.shape[1:3]),
            layer=layer.name,
            units=units,
            most=self.count,
            seen=len(images),
            show=0 if self.unit else _HANDFUL,
            title=f"what activates {layer.name} most",
            unit="activation",
            captions=_captions(network, layer, units),
            notes=notes,
            facts={"layer": layer.name, "kind": layer.kind},
        )

    def _layer(self, network: Network) -> tuple[Layer, list[str]]:
        """Return the layer, and notes on the choice."""
        if self.layer != "last-conv":
            return network.select(self.layer)[0], []
        try:
            layer = network.last_convolution()
            return layer, [f"{layer.name}: the last convolution (see --layer)"]
        except ModelError:
            dense = [layer for layer in network.layers if layer.weights_per_filter]
            if not dense:
                raise
            name = dense[-1].name
            note = f"the network has no convolution: {name}, the last dense layer (see --layer)"
            return dense[-1], [note]

    def _parts(
        self, network: Network, images: np.ndarray, layer: Layer
    ) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Return values, pictures and places of the highest: k×U, k×U, k×U×2 for each part."""
        found: list[Future[tuple[np.ndarray, np.ndarray, np.ndarray]]] = []
        start, size = 0, 1
        # One part is ranked while the network computes the next.
        with ThreadPoolExecutor(1) as pool:
            while start < len(images):
                given = network.activations(images[start : start + size], layer)
                found.append(pool.submit(_ranked, given, start, self.count, layer.name))
                found[-2:][0].result()  # no more than two parts are in memory
                start += len(given)
                size = max(1, min(_MOST_AT_ONCE, _AT_ONCE // max(given[:1].nbytes, 1)))
            return [part.result() for part in found]


def _ranked(
    given: np.ndarray, start: int, count: int, name: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the highest values of some pictures, the pictures' numbers, and places in the maps."""
    import numpy as np

    is_map = given.ndim == 4
    # Rows first: NumPy is several times as fast with numbers that are side by side. Without maps
    # each number is a unit.
    highest = given.max(axis=1).max(axis=1) if is_map else given.reshape(len(given), -1)
    if not np.isfinite(highest).all():
        raise ModelError(
            f"layer {name!r} returns NaN or infinite numbers for a picture (kerascnn inspect tells "
            "whether its weights are finite)"
        )
    order = _order(highest, count)
    values = np.take_along_axis(highest, order, 0)
    places = np.full((*order.shape, 2), -1)
    if is_map:
        # Places are searched only in the few maps that hold one of the highest.
        flat = given.reshape(len(given), -1, given.shape[-1])
        maps = flat[order, :, np.arange(order.shape[1])]
        best = np.stack(np.divmod(maps.argmax(axis=-1), given.shape[2]), axis=-1)
        # A map of one value (a dead unit's zeros) has no place of its highest value.
        flat_ones = maps.min(axis=-1) == values
        places = np.where(flat_ones[..., None] & (flat.shape[1] > 1), -1, best)
    return values, order + start, places


def _order(values: np.ndarray, count: int) -> np.ndarray:
    """Return the rows of the highest values in each column; of equal ones the first comes first."""
    import numpy as np

    # Value and row in one whole number: a plain sort of those is six times as fast as a stable
    # one of the values. Floats above zero are in the order of their bits, below in the opposite.
    bits = np.ascontiguousarray(values.T + np.float32(0)).view(np.int32).astype(np.int64)
    places = np.where(bits < 0, bits ^ 0x7FFFFFFF, bits) << 32
    keys = np.sort(places | np.arange(len(values))[::-1], axis=1)[:, ::-1][:, :count]
    return np.asarray((len(values) - 1 - (keys & 0xFFFFFFFF)).T)


def _boxes(network: Network, layer: Layer, places: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the receptive field of the unit at each place: top, left, bottom, right."""
    import numpy as np

    boxes = np.empty((*places.shape[:2], 4), np.int64)
    boxes[:] = (0, 0, *size)
    # Rows and columns are independent of each other: a box for each row and each column will do.
    for row in np.unique(places[..., 0][places[..., 0] >= 0]):
        box = network.box(layer, int(row), 0, size)
        boxes[places[..., 0] == row, 0::2] = box.top, box.bottom
    for column in np.unique(places[..., 1][places[..., 1] >= 0]):
        box = network.box(layer, 0, int(column), size)
        boxes[places[..., 1] == column, 1::2] = box.left, box.right
    return boxes


def _captions(network: Network, layer: Layer, units: list[int]) -> list[str]:
    """Return the units' names: those of the classes if the layer is the one of the classes."""
    if layer.index == network.layers[-1].index and not layer.is_map:
        return [network.class_name(unit) for unit in units]
    return [f"{'filter' if layer.is_map else 'unit'} {unit}" for unit in units]


@hookimpl
def kerascnn_visualizers() -> Iterator[type[Visualizer]]:
    """Offer the visualizer to kerascnn."""
    yield TopImagesOfUnits
