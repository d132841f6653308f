"""Layer histogram: how the values of each layer are distributed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kerascnn import Result, UsageError, Visualizer, array, draw, hookimpl, items, option

if TYPE_CHECKING:
    import numpy as np


class Histograms(Result):
    """A kind of result of this plugin's own: a histogram for each layer.

    Attributes:
        values: N×P, the share of a layer's numbers in each interval.
        edges: N×E, the ends of the intervals; E = P + 1.
        names: of the layers.
    """

    values: np.ndarray = array("N×P")
    edges: np.ndarray = array("N×E")
    names: Sequence[str] = items("N")


@draw.register(Histograms)
def draw_histograms(result, decode):
    """Draw a panel for each layer; the interval that holds 0 stands out."""
    from kerascnn.render import new_figure, palette

    count = len(result.values)
    figure = new_figure(5.0, 0.5 + 2.2 * count)
    figure.suptitle(result.title, fontsize=12)
    for row, axes in enumerate(figure.subplots(count, squeeze=False)[:, 0]):
        shares, edges = result.values[row], result.edges[row]
        holds_zero = (edges[:-1] <= 0) & (edges[1:] >= 0)
        colours = [palette.SERIES[1] if zero else palette.SERIES[0] for zero in holds_zero]
        axes.bar(edges[:-1], shares, edges[1:] - edges[:-1], align="edge", color=colours)
        caption = f"{result.names[row]}: {result.captions[row]}"
        axes.set_title(caption.replace("$", r"\$"), fontsize=9, loc="left")
        axes.set_ylabel(result.unit, fontsize=8)
        axes.tick_params(labelsize=8)
    return figure


class LayerHistogram(Visualizer):
    """How the values of a layer are distributed, over all pictures.

    A layer with hardly any values but 0 passes nothing on; one with values at the ends of its range
    is saturated. The share of zeros, and of units that are 0 everywhere, stand above each panel.
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
        shares, edges, captions, facts = [], [], [], {}
        for layer in layers:
            values = network.activations(images, layer)
            found, ends = np.histogram(values, self.bins)
            shares.append(found / values.size)
            edges.append(ends)
            zeros = float((values == 0).mean())
            dead = float((values == 0).reshape(-1, values.shape[-1]).all(axis=0).mean())
            captions.append(f"{zeros:.0%} zeros, {dead:.0%} of units dead")
            facts[layer.name] = {"zeros": zeros, "dead": dead}
        return Histograms(
            np.array(shares),
            np.array(edges),
            [layer.name for layer in layers],
            captions=captions,
            unit="share of all numbers",
            title=f"values of the layers for {len(images)} picture(s)",
            facts=facts,
        )


@hookimpl
def kerascnn_visualizers():
    """Offer it to kerascnn."""
    yield LayerHistogram
