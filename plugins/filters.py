"""Filters: the weights of a convolution, or of a first dense layer, as pictures."""

import math
from typing import Literal

from kerascnn import Kernels, ModelError, UsageError, Visualizer, hookimpl, option


class Filters(Visualizer):
    """The kernels of a convolution, one picture a filter.

    In the first layer they show what is sought in the picture: edges, colours. Deeper, a filter's
    inputs are not pixels but maps, so its weights say little; they are shown as slices, one for
    each input map (lecture, "what does the machine learn"). A dense layer that reads the picture
    itself has a weight for each pixel: its neurons are shown as pictures of the input's size.
    """

    name = "filters"
    reads_images = False
    layer: str = option("first-conv", "a layer's name, first-conv or last-conv")
    order: Literal["stored", "norm"] = option("stored", "as stored, or the strongest filter first")
    count: int = option(64, "how many filters to show at most", ge=1)
    slices: int = option(8, "how many input maps to show of a deeper layer's filter", ge=1)

    def visualize(self, network, images, target):
        """Take the layer's kernels and put them in order."""
        layer, notes = self._layer(network)
        kernels, on_pixels = _kernels(network, layer)
        total, depth = len(kernels), kernels.shape[-1]
        norms = (kernels.astype("float64") ** 2).sum(axis=(1, 2, 3)) ** 0.5
        if not (norms < math.inf).all():  # false for NaN too
            raise ModelError(f"layer {layer.name!r} has weights that are NaN or infinite")
        chosen = range(total) if self.order == "stored" else (-norms).argsort(kind="stable")
        chosen = [int(index) for index in chosen][: self.count]
        colour = on_pixels and depth == 3
        if colour:
            kernels = kernels[..., :: -1 if network.input.channel_order == "BGR" else 1]
        elif depth > self.slices:
            kernels = kernels[..., : self.slices]
            notes.append(
                f"the first {self.slices} of the {depth} slices of each filter are shown (--slices)"
            )
        what = "neurons" if layer.kind == "Dense" else "filters"
        if not on_pixels:
            notes.append(
                f"the inputs of {layer.name} are not pixels but the maps of the layer before: "
                "its weights alone say little of what it seeks (try activations, max-activation)"
            )
        if layer.kind.startswith("Separable"):
            notes.append(
                f"{layer.name} filters each input map by itself, as shown, and then mixes them by "
                "weights that are no pictures"
            )
        if len(chosen) < total:
            notes.append(f"{len(chosen)} of {total} {what} are shown (--count)")
        size = "×".join(map(str, (*kernels.shape[1:3], depth)))
        return Kernels(
            kernels[chosen],
            colour=colour,
            title=f"{layer.name}: {total} {what} {size}"
            + (", the strongest first" if self.order == "norm" else ""),
            unit="weight",
            captions=[str(index) for index in chosen],
            notes=notes,
            facts={"layer": layer.name, "filters": chosen, "norms": norms[chosen].tolist()},
        )

    def _layer(self, network):
        """Return the layer to look at, and what is to be said of the choice."""
        if self.layer != "first-conv":
            found = network.select(self.layer)
            if len(found) > 1:
                names = ", ".join(layer.name for layer in found[:8])
                raise UsageError(f"--layer takes one layer. Received: {self.layer} ({names})")
            return found[0], []
        try:
            return network.convolutions()[0], []
        except ModelError:
            first = next((layer for layer in network.layers if layer.weights_per_filter), None)
            if first is None or not _reads_the_picture(network, first):
                raise
            return first, [f"the network has no convolution: {first.name} is shown (--layer)"]


def _reads_the_picture(network, layer):
    """Whether a dense layer is the first one with weights and has one for each pixel."""
    shape = network.input.shape
    first = next((found for found in network.layers if found.weights_per_filter), None)
    return (
        layer.kind == "Dense"
        and first is not None
        and layer.name == first.name
        and None not in shape
        and layer.weights_per_filter == math.prod(shape)
    )


def _kernels(network, layer):
    """Return a layer's kernels, filters × height × width × inputs, and if they lie on pixels."""
    weights = network.weights(layer)
    if _reads_the_picture(network, layer):
        return weights.T.reshape(-1, *network.input.shape), True
    if weights.ndim != 4:
        raise UsageError(_no_kernels(network, layer))
    kernels = weights.transpose(3, 0, 1, 2)
    # A depthwise kernel of a colour picture has a filter for red, the next for green, and so on.
    is_first = layer.name == network.convolutions()[0].name
    return kernels, is_first and kernels.shape[-1] in (network.input.channels, 1)


def _no_kernels(network, layer):
    text = f"--layer {layer.name} ({layer.kind}) has no filters with height and width"
    try:
        names = [found.name for found in network.convolutions()]
    except ModelError as error:
        return f"{text}; {error}"
    more = f" … ({len(names)} in all)" if len(names) > 8 else ""
    return f"{text}; convolutions are: {', '.join(names[:8])}{more}"


@hookimpl
def kerascnn_visualizers():
    """Offer it to kerascnn."""
    yield Filters
