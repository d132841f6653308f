"""Activations: what each filter of a layer returns for a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from kerascnn import LayerMaps, Maps, ModelError, Visualizer, hookimpl, option

if TYPE_CHECKING:
    import numpy as np

    from kerascnn import Layer, Network, Target

_AT_ONCE = 1 << 26  # bytes of one layer's output that are held at a time


class Activations(Visualizer):
    """The map of every filter for a picture: the filters on top, their maps below.

    A map is bright where the picture has the pattern that the filter detects (course, "activation
    maps"). Filters are shown where their inputs are pixels, in the first convolution. Layers
    without maps are shown as bars, or as strips if they have many neurons.
    """

    name = "activations"
    layer: tuple[str, ...] = option(
        (), "layers: names, globs, first-conv or last-conv; default: first and last convolution"
    )
    order: Literal["stored", "strongest"] = option(
        "stored", "stored: as in the model; strongest: the maps with the largest mean first"
    )
    count: int = option(32, "the largest number of maps to show of a layer", ge=1)
    scale: Literal["own", "shared"] = option(
        "own", "own: each map fills the scale; shared: all maps of a layer have one scale"
    )

    def visualize(self, network: Network, images: np.ndarray | None, target: Target | None) -> Maps:
        """Compute the maps of each layer in turn."""
        assert images is not None
        layers, notes = self._layers(network)
        found = []
        for layer in layers:
            chosen, values = self._channels(network, images, layer)
            kernels, colour = _kernels(network, layer, chosen)
            found.append(
                LayerMaps(
                    layer=layer.name,
                    values=values,
                    channels=chosen,
                    total=layer.channels or values.shape[-1],
                    names=_names(network, layer, chosen),
                    kernels=kernels,
                    colour=colour,
                )
            )
            if len(chosen) < found[-1].total:
                notes.append(
                    f"{layer.name}: {len(chosen)} of {found[-1].total} maps are shown (--count)"
                )
            if not values.any():
                notes.append(f"{layer.name} returns zero everywhere: its maps are blank")
        return Maps(
            over=images,
            layers=found,
            shared_scale=self.scale == "shared",
            title=_title([layer.name for layer in layers]),
            unit="activation",
            notes=notes,
            facts={"layers": {layer.layer: list(layer.channels) for layer in found}},
        )

    def _layers(self, network: Network) -> tuple[list[Layer], list[str]]:
        """Return the layers to show, and notes on the choice."""
        if self.layer:
            return network.select(*self.layer), []
        try:
            convolutions = network.convolutions()
        except ModelError:
            dense = [layer for layer in network.layers if layer.weights_per_filter]
            if not dense:
                raise
            note = "the network has no convolution: every dense layer is shown (see --layer)"
            return dense, [note]
        chosen = convolutions[:1] if len(convolutions) == 1 else [convolutions[0], convolutions[-1]]
        names = " and ".join(layer.name for layer in chosen)
        return chosen, [f"{names}: the first and the last convolution (see --layer)"]

    def _channels(
        self, network: Network, images: np.ndarray, layer: Layer
    ) -> tuple[list[int], np.ndarray]:
        """Return which channels are shown, and their values for each picture."""
        import numpy as np

        parts, means = [], []
        for values in _outputs(network, images, layer):
            if not np.isfinite(values).all():
                raise ModelError(
                    f"layer {layer.name!r} returns NaN or infinite numbers for this picture "
                    "(kerascnn inspect tells whether the weights are finite)"
                )
            if values.ndim == 2:
                parts.append(values)  # neurons are few numbers: all of them are shown
                continue
            if self.order == "strongest":
                means.append(values.mean(axis=(1, 2)))
            else:
                parts.append(values[..., : self.count])
        if parts:
            joined = np.concatenate(parts)
            return list(range(joined.shape[-1])), joined
        # A second time, since which maps are strongest depends on all the pictures.
        order = (-np.concatenate(means).mean(axis=0)).argsort(kind="stable")
        chosen = [int(channel) for channel in order[: self.count]]
        parts = [values[..., chosen] for values in _outputs(network, images, layer)]
        return chosen, np.concatenate(parts)


def _title(names: list[str]) -> str:
    if len(names) > 4:
        names = [*names[:3], f"{len(names) - 3} more layers"]
    return f"activations of {' and '.join(filter(None, [', '.join(names[:-1]), names[-1]]))}"


def _outputs(network: Network, images: np.ndarray, layer: Layer) -> Iterator[np.ndarray]:
    """Yield a layer's values, N×h×w×K or N×K, for some pictures at a time."""
    size, start = 1, 0
    while start < len(images):
        values = network.activations(images[start : start + size], layer)
        start += size
        size = max(1, min(256, _AT_ONCE // max(values[:1].nbytes, 1)))
        if values.ndim == 3:  # a sequence: as maps of one row
            values = values[:, None]
        yield values if values.ndim in (2, 4) else values.reshape(len(values), -1)


def _kernels(network: Network, layer: Layer, chosen: list[int]) -> tuple[np.ndarray | None, bool]:
    """Return the filters that made the maps, and whether they are RGB; None if not on pixels."""
    if "Conv" not in layer.kind or not layer.is_map:
        return None, False
    weights = network.weights(layer)
    if weights.ndim != 4 or layer.name != network.convolutions()[0].name:
        return None, False
    depth = weights.shape[2]
    if weights.shape[3] != layer.channels or depth not in (1, network.input.channels):
        return None, False
    colour = depth == 3
    if colour and network.input.channel_order == "BGR":
        weights = weights[:, :, ::-1]
    return weights.transpose(3, 0, 1, 2)[chosen], colour


def _names(network: Network, layer: Layer, chosen: list[int]) -> Sequence[str]:
    """Return the classes' names if the layer is the one of the classes."""
    if layer.index != network.layers[-1].index or layer.is_map or not network.labels:
        return ()
    return [network.class_name(channel) for channel in chosen]


@hookimpl
def kerascnn_visualizers() -> Iterator[type[Visualizer]]:
    """Offer the visualizer to kerascnn."""
    yield Activations
