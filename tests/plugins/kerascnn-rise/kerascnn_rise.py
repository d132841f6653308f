"""RISE: the picture is seen through many random masks, and each pixel gets its mean score."""

from kerascnn import Heatmap, Unit, Visualizer, hookimpl, option, progress


class Rise(Visualizer):
    """How high the score is, on average, while a pixel is seen.

    The picture is shown through random masks with soft edges; each pixel's value is the mean
    score of the masks that leave it visible, less the mean of all (Petsiuk, Das and Saenko
    2018). It needs no gradient, so it explains whatever the network does. Where the network
    gives probabilities, they are the scores.
    """

    name = "rise"
    masks: int = option(1000, "how many: more give less noise", ge=2, le=100_000)
    cells: int = option(7, "a mask has so many cells a side, before its edges are softened", ge=2)
    keep: float = option(0.5, "the share of cells that are visible", gt=0, lt=1)

    def visualize(self, network, images, target):
        """Take one picture after the other, a hundred masks at a time."""
        import numpy as np

        random = np.random.default_rng(self.seed)
        height, width = images.shape[1:3]
        fill = network.input.grey
        probable = not isinstance(target, Unit) and network.probabilities(images) is not None
        weighted = np.zeros(images.shape[:3])
        seen = np.zeros((height, width))
        scores = np.zeros((len(images), self.masks))
        with progress("masks", self.masks * len(images)) as bar:
            for first in range(0, self.masks, 100):
                count = min(100, self.masks - first)
                masks = _masks(random, count, self.cells, self.keep, (height, width))
                seen += masks.sum(axis=0)
                for row, image in enumerate(images):
                    veil = masks[..., None]
                    shown = (image * veil + fill * (1 - veil)).astype(np.float32)
                    found = _scores(network, shown, target, row, probable)
                    scores[row, first : first + count] = found
                    weighted[row] += np.tensordot(found, masks, 1)
                    bar.advance(count)
        values = weighted / np.maximum(seen, 1e-9) - scores.mean(axis=1)[:, None, None]
        return Heatmap(
            values,
            over=images,
            signed=True,
            smooth=True,
            title=f"RISE: {self.masks} masks of {self.cells}×{self.cells} cells",
            unit=f"mean {'probability' if probable else 'score'} while visible, above average",
            facts={"mean": [float(mean) for mean in scores.mean(axis=1)]},
        )


def _scores(network, shown, target, row, probable):
    """Return what the network says of one picture behind its masks."""
    if probable:
        found = network.probabilities(shown)[:, int(target[row])]
    else:
        unit = isinstance(target, Unit)
        found = network.target_scores(shown, target if unit else int(target[row]))
    return found.astype("float64")


def _masks(random, count, cells, keep, size):
    """Return masks in [0, 1] with soft edges, moved by up to a cell: count × height × width."""
    import numpy as np

    grids = (random.random((count, cells + 1, cells + 1)) < keep).astype(np.float64)
    shifts = random.random((2, count))
    rows, columns = (_ramps(side, cells, shift) for side, shift in zip(size, shifts, strict=True))
    return np.einsum("nhi,nij,nwj->nhw", rows, grids, columns, optimize=True)


def _ramps(side, cells, shifts):
    """Return how much of each cell a pixel sees: count × side × (cells + 1), rows add up to 1."""
    import numpy as np

    places = np.arange(side)[None, :] * (cells - 1) / max(side - 1, 1) + shifts[:, None]
    return np.maximum(0, 1 - abs(places[..., None] - np.arange(cells + 1)))


@hookimpl
def kerascnn_visualizers():
    """Offer it to kerascnn."""
    yield Rise
