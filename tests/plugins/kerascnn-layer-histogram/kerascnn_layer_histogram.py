"""Layer histogram: how what each layer gives is spread."""

from kerascnn import Curves, UsageError, Visualizer, hookimpl, option


class LayerHistogram(Visualizer):
    """How the numbers that a layer gives are spread, over all pictures.

    A layer whose numbers are all but zero is asleep; one at the ends of its range is saturated.
    The share of zeros, and of units that give zero everywhere, stand over each panel.
    """

    name = "layer-histogram"
    layer: tuple[str, ...] = option((), "layers, names or globs; default: all with weights")
    bins: int = option(60, "how many intervals", ge=2, le=10_000)

    def visualize(self, network, images, target):
        """Count each layer's numbers."""
        import numpy as np

        layers = (
            network.select(*self.layer)
            if self.layer
            else [layer for layer in network.layers if layer.weights_per_filter]
        )
        if not layers:
            raise UsageError("no layer of the network has weights; name some by --layer")
        counts, edges, captions, facts = [], [], [], {}
        for layer in layers:
            values = network.activations(images, layer)
            found, ends = np.histogram(values, self.bins)
            counts.append([*(found / values.size), 0.0])
            edges.append(ends)
            zeros = float((values == 0).mean())
            dead = float((values == 0).reshape(-1, values.shape[-1]).all(axis=0).mean())
            captions.append(f"{zeros:.0%} zeros, {dead:.0%} of units dead")
            facts[layer.name] = {"zeros": zeros, "dead": dead}
        return Curves(
            np.array(counts),
            np.array(edges),
            names=[layer.name for layer in layers],
            captions=captions,
            x_label="activation",
            unit="share of all numbers",
            bars=True,
            apart=True,
            title=f"what the layers give for {len(images)} picture(s)",
            facts=facts,
        )


@hookimpl
def kerascnn_visualizers():
    """Offer it to kerascnn."""
    yield LayerHistogram
