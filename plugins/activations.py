"""Activations: what each filter of a layer gives for a picture."""

from typing import Literal

from kerascnn import LayerMaps, Maps, ModelError, Visualizer, hookimpl, option

_AT_ONCE = 1 << 26  # bytes of one layer's output that are held at a time


class Activations(Visualizer):
    """The map of every filter for a picture: the filters on top, their maps below.

    Bright is where the pattern stands that the filter seeks (course, "activation maps"). Filters
    are shown where they lie on pixels, in the first convolution. Layers without maps are shown as
    bars, or as strips where they have many neurons.
    """

    name = "activations"
    layer: tuple[str, ...] = option(
        (), "layers: names, globs, first-conv or last-conv; default: first and last convolution"
    )
    order: Literal["stored", "strongest"] = option(
        "stored", "as stored, or the maps with the largest mean first"
    )
    count: int = option(32, "how many maps of a layer to show at most", ge=1)
    scale: Literal["own", "shared"] = option(
        "own", "each map fills the scale, or all of a layer share one"
    )

    def visualize(self, network, images, target):
        """Ask each layer in turn."""
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
                notes.append(f"{layer.name} gives zero everywhere: there is nothing to see in it")
        return Maps(
            over=images,
            layers=found,
            shared_scale=self.scale == "shared",
            title=_title([layer.name for layer in layers]),
            unit="activation",
            notes=notes,
            facts={"layers": {layer.layer: list(layer.channels) for layer in found}},
        )

    def _layers(self, network):
        """Return the layers to ask, and what is to be said of the choice."""
        if self.layer:
            return network.select(*self.layer), []
        try:
            convolutions = network.convolutions()
        except ModelError:
            dense = [layer for layer in network.layers if layer.weights_per_filter]
            if not dense:
                raise
            return dense, ["the network has no convolution: every dense layer is shown (--layer)"]
        chosen = convolutions[:1] if len(convolutions) == 1 else [convolutions[0], convolutions[-1]]
        names = " and ".join(layer.name for layer in chosen)
        return chosen, [f"{names}: the first and the last convolution (--layer)"]

    def _channels(self, network, images, layer):
        """Return which channels are shown, and what they give for each picture."""
        import numpy as np

        parts, means, chosen = [], [], None
        for values in _outputs(network, images, layer):
            if not np.isfinite(values).all():
                raise ModelError(
                    f"layer {layer.name!r} gives NaN or infinite numbers for this picture "
                    "(kerascnn inspect tells whether the weights are)"
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
        # The second time round, since which maps are strongest hangs on all the pictures.
        order = (-np.concatenate(means).mean(axis=0)).argsort(kind="stable")
        chosen = [int(channel) for channel in order[: self.count]]
        parts = [values[..., chosen] for values in _outputs(network, images, layer)]
        return chosen, np.concatenate(parts)


def _title(names):
    if len(names) == 1:
        return f"what {names[0]} gives"
    if len(names) > 4:
        return f"what {', '.join(names[:3])} and {len(names) - 3} more layers give"
    return f"what {', '.join(names[:-1])} and {names[-1]} give"


def _outputs(network, images, layer):
    """Yield what a layer gives, N×h×w×K or N×K, for some pictures at a time."""
    size, start = 1, 0
    while start < len(images):
        values = network.activations(images[start : start + size], layer)
        start += size
        size = max(1, min(256, _AT_ONCE // max(values[:1].nbytes, 1)))
        if values.ndim == 3:  # a sequence: as maps of one row
            values = values[:, None]
        yield values if values.ndim in (2, 4) else values.reshape(len(values), -1)


def _kernels(network, layer, chosen):
    """Return the filters that made the maps, and if they are colours; None off the pixels."""
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


def _names(network, layer, chosen):
    """Return the classes' names where the layer gives the classes."""
    if layer.index != network.layers[-1].index or layer.is_map or not network.labels:
        return ()
    return [network.class_name(channel) for channel in chosen]


@hookimpl
def kerascnn_visualizers():
    """Offer it to kerascnn."""
    yield Activations
