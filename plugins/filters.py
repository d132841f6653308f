"""Filters: the weights of a convolution, or of a first dense layer, as pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from kerascnn import Kernels, ModelError, UsageError, Visualizer, hookimpl, option

if TYPE_CHECKING:
    import numpy as np

    from kerascnn import Layer, Network, Target


class Filters(Visualizer):
    """The kernels of a convolution, one picture for each filter.

    In the first layer they show what the network looks for in the picture: edges, colours. In
    deeper layers a filter's inputs are not pixels but maps, so its weights say little; they are
    shown as slices, one for each input map (lecture, "what does the machine learn"). A dense layer
    that reads the picture itself has a weight for each pixel: its neurons are shown as pictures of
    the input's size.
    """

    name = "filters"
    reads_images = False
    layer: str = option("first-conv", "a layer's name, first-conv or last-conv")
    order: Literal["stored", "norm"] = option(
        "stored", "stored: as in the model; norm: the largest norm first"
    )
    count: int = option(64, "the largest number of filters to show", ge=1)
    slices: int = option(
        8, "the largest number of input maps to show for a filter of a deeper layer", ge=1
    )

    def visualize(
        self, network: Network, images: np.ndarray | None, target: Target | None
    ) -> Kernels:
        """Return the layer's kernels in their order."""
        layer, notes = self._layer(network)
        kernels, on_pixels = _kernels(network, layer)
        total, depth = len(kernels), kernels.shape[-1]
        norms = (kernels.astype("float64") ** 2).sum(axis=(1, 2, 3)) ** 0.5
        if not (norms < math.inf).all():  # false for NaN too
            raise ModelError(f"layer {layer.name!r} has weights that are NaN or infinite")
        order = range(total) if self.order == "stored" else (-norms).argsort(kind="stable")
        chosen = [int(index) for index in order][: self.count]
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
                "its weights alone say little (try activations or max-activation)"
            )
        if layer.kind.startswith("Separable"):
            notes.append(
                f"{layer.name} filters each input map separately, as shown, and mixes the maps "
                "afterwards by weights that are not shown"
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

    def _layer(self, network: Network) -> tuple[Layer, list[str]]:
        """Return the layer to show, and notes on the choice."""
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
            return first, [f"the network has no convolution: {first.name} is shown (see --layer)"]


def _reads_the_picture(network: Network, layer: Layer) -> bool:
    """Return whether a dense layer is the first with weights and has one for each pixel."""
    shape = network.input.shape
    first = next((found for found in network.layers if found.weights_per_filter), None)
    return (
        layer.kind == "Dense"
        and first is not None
        and layer.name == first.name
        and layer.weights_per_filter == math.prod(side or 0 for side in shape)
    )


def _kernels(network: Network, layer: Layer) -> tuple[np.ndarray, bool]:
    """Return kernels, filters × height × width × inputs, and whether the inputs are pixels."""
    weights = network.weights(layer)
    if _reads_the_picture(network, layer):
        height, width, channels = network.input.shape
        return weights.T.reshape(-1, height or 1, width or 1, channels), True
    if weights.ndim != 4:
        raise UsageError(_no_kernels(network, layer))
    kernels = weights.transpose(3, 0, 1, 2)
    # A depthwise kernel of a colour picture has a filter for red, the next for green, and so on.
    is_first = layer.name == network.convolutions()[0].name
    return kernels, is_first and kernels.shape[-1] in (network.input.channels, 1)


def _no_kernels(network: Network, layer: Layer) -> str:
    text = f"--layer {layer.name} ({layer.kind}) has no filters with height and width"
    try:
        names = [found.name for found in network.convolutions()]
    except ModelError as error:
        return f"{text}; {error}"
    more = f" … ({len(names)} in all)" if len(names) > 8 else ""
    return f"{text}; convolutions are: {', '.join(names[:8])}{more}"


@hookimpl
def kerascnn_visualizers() -> Iterator[type[Visualizer]]:
    """Offer the visualizer to kerascnn."""
    yield Filters
