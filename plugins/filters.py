"""Filters: the weights of a convolution as pictures."""

from typing import Literal

from kerascnn import Kernels, UsageError, Visualizer, hookimpl, option


class Filters(Visualizer):
    """The kernels of a convolution, one picture a filter.

    In the first layer they show what is sought in the picture: edges, colours. Deeper, a filter's
    inputs are not pixels but maps, so its weights say little; they are shown as slices, one for
    each input map (lecture, "what does the machine learn").
    """

    name = "filters"
    reads_images = False
    layer: str = option("first-conv", "a layer's name, first-conv or last-conv")
    order: Literal["stored", "norm"] = option("stored", "as stored, or the strongest filter first")
    count: int = option(64, "how many filters to show at most", ge=1)
    slices: int = option(8, "how many input maps to show of a deeper layer's filter", ge=1)

    def visualize(self, network, images, target):
        """Take the layer's kernels and put them in order."""
        first = network.convolutions()[0]
        layer = first if self.layer == "first-conv" else network.select(self.layer)[0]
        weights = network.weights(layer)
        if weights.ndim != 4:
            raise UsageError(
                f"--layer {layer.name} ({layer.kind}) has no filters with height and width; "
                f"convolutions are: {', '.join(found.name for found in network.convolutions())}"
            )
        kernels = weights.transpose(3, 0, 1, 2)
        total, depth = len(kernels), kernels.shape[-1]
        norms = (kernels**2).sum(axis=(1, 2, 3)) ** 0.5
        chosen = range(total) if self.order == "stored" else (-norms).argsort(kind="stable")
        chosen = [int(index) for index in chosen][: self.count]
        is_first = layer.name == first.name and depth == network.input.shape[2]
        colour = is_first and depth == 3
        notes = []
        if colour:
            kernels = kernels[..., :: -1 if network.input.channel_order == "BGR" else 1]
        elif depth > self.slices:
            kernels = kernels[..., : self.slices]
            notes.append(f"the first {self.slices} of the {depth} slices of each filter are shown")
        if not is_first:
            notes.append(
                f"the inputs of {layer.name} are not pixels but the maps of the layer before: "
                "its weights alone say little of what it seeks (try activations, max-activation)"
            )
        if len(chosen) < total:
            notes.append(f"{len(chosen)} of {total} filters are shown (--count)")
        return Kernels(
            kernels[chosen],
            colour=colour,
            title=f"{layer.name}: {total} filters {'×'.join(map(str, weights.shape[:3]))}",
            unit="weight",
            captions=[str(index) for index in chosen],
            notes=notes,
            facts={"layer": layer.name, "filters": chosen, "norms": norms[chosen].tolist()},
        )


@hookimpl
def kerascnn_visualizers():
    """Offer it to kerascnn."""
    yield Filters
