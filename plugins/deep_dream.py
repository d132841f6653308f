"""Deep Dream: the network exaggerates what it sees in a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kerascnn import Film, Images, UsageError, Visualizer, hookimpl, option, progress

if TYPE_CHECKING:
    import numpy as np

    from kerascnn import Network, Target
    from kerascnn.ascent import Dreamer, Objective

# The convolution at this share of the network: late enough for parts of things, early enough to
# fit them into a picture many times.
_DEPTH = 0.75


class DeepDream(Visualizer):
    """A picture changed so that what the network sees in it becomes stronger.

    The activations of a layer are made larger: the positive ones more positive, the negative ones
    more negative (½‖a‖² grows; lecture, "Deep Dream"). This is done in several sizes (octaves), the
    smallest first, and the detail found in one size is added to the next. Pictures keep their own
    size; large ones are computed in tiles, whose sum is exact.
    """

    name = "deep-dream"
    any_size = True
    layer: tuple[str, ...] = option(
        (), "layers to exaggerate, names or globs; default: a convolution at ¾ of the network"
    )
    weight: tuple[float, ...] = option((), "a weight for each layer; default: 1")
    octaves: int = option(4, "how many sizes, the smallest first", ge=1, le=20)
    ratio: float = option(1.4, "factor from one size to the next", gt=1, le=4)
    steps: int = option(10, "steps in each size", ge=1, le=10_000)
    rate: float = option(1.5, "how far an average pixel changes in a step, of 255", gt=0, le=255)
    jitter: int = option(32, "shift by up to so many pixels before each step, and back", ge=0)
    guide: str | None = option(None, "path of a second picture: strengthen what it shows")
    size: int = option(
        512, "longest side in pixels; larger pictures are made smaller; 0: keep the size", ge=0
    )
    zoom: int = option(0, "make a film of so many pictures, each zoomed into the one before", ge=0)
    zoom_by: float = option(1.05, "how far each picture of the film is zoomed in", gt=1, le=2)
    film: Literal["gif", "mp4"] = option("gif", "the film's format")

    def visualize(
        self, network: Network, images: np.ndarray | None, target: Target | None
    ) -> Images:
        """Change the picture, and each zoomed picture of the film."""
        from kerascnn.ascent import Dreamer, octave_sizes, shrink

        assert images is not None

        if self.zoom:
            Film.check_format(self.film)
        start = shrink(images[:1], self.size)
        layers, notes = self._layers(network)
        objective = self._objective(network, layers, start.shape[1:3])
        dreamer = Dreamer(network, objective)
        sizes = octave_sizes(start.shape[1:3], self.octaves, self.ratio)
        if len(sizes) < self.octaves:
            notes.append(f"the picture is small: {len(sizes)} of {self.octaves} octaves")
        with progress("dreaming", (len(sizes) + self.zoom) * self.steps) as bar:
            dream = dreamer.dream(
                start,
                octaves=self.octaves,
                ratio=self.ratio,
                steps=self.steps,
                rate=self.rate,
                jitter=self.jitter,
                seed=self.seed,
                advance=bar.advance,
            )
            frames = self._frames(dreamer, dream.image, bar.advance)
        if dream.tiles > 1:
            notes.append(f"computed in {dream.tiles} tiles, whose sum is exact")
        facts = {
            "layers": layers,
            "objective": [list(values) for values in dream.history],
            "octaves": [list(size) for size in dream.sizes],
            "tiles": dream.tiles,
        }
        what = " + ".join(layers) + (" like the guide" if self.guide else "")
        title = f"Deep Dream on {what}"
        if self.zoom:
            return Film(
                _joined([dream.image, *frames]),
                format=self.film,
                title=title,
                notes=notes,
                facts=facts,
            )
        return Images(
            _joined([start, dream.image]),
            title=title,
            captions=["the picture", "what the network makes of it"],
            notes=notes,
            facts=facts,
        )

    def _layers(self, network: Network) -> tuple[list[str], list[str]]:
        """Return the names of the layers, and notes on the choice."""
        if self.layer:
            layers = [found.name for found in network.select(*self.layer)]
            return layers, [] if tuple(layers) == self.layer else [f"layers: {', '.join(layers)}"]
        convolutions = network.convolutions()
        chosen = convolutions[round(_DEPTH * (len(convolutions) - 1))].name
        if len(convolutions) == 1:
            return [chosen], [f"layer {chosen}: the network's only convolution"]
        why = (
            f"layer {chosen}: at three quarters of the network's {len(convolutions)} convolutions, "
            "where it sees parts of objects, small enough to repeat (see --layer)"
        )
        return [chosen], [why]

    def _objective(self, network: Network, layers: list[str], size: tuple[int, int]) -> Objective:
        from kerascnn.ascent import match, start, strength

        weights = self.weight or (1.0,) * len(layers)
        if len(weights) != len(layers):
            raise UsageError(
                f"--weight takes a number for each of the {len(layers)} layers "
                f"({', '.join(layers)}). Received: {len(weights)}"
            )
        if self.guide is not None:
            if not Path(self.guide).is_file():
                raise UsageError(f"--guide takes the path of a picture. Received: {self.guide!r}")
            guide = start(network, self.guide, size)
            terms = [match(network, layer, guide) for layer in layers]
        else:
            terms = [strength(layer) for layer in layers]
        objective = weights[0] * terms[0]
        for weight, term in zip(weights[1:], terms[1:], strict=True):
            objective = objective + weight * term
        return objective

    def _frames(
        self, dreamer: Dreamer, image: np.ndarray, advance: Callable[[], None]
    ) -> list[np.ndarray]:
        """Return the film's further pictures."""
        from kerascnn.ascent import zoomed

        frames: list[np.ndarray] = []
        for number in range(self.zoom):
            image = dreamer.dream(
                zoomed(image, self.zoom_by),
                octaves=1,
                steps=self.steps,
                rate=self.rate,
                jitter=self.jitter,
                seed=self.seed + 1 + number,
                advance=advance,
            ).image
            frames.append(image)
        return frames


def _joined(pictures: list[np.ndarray]) -> np.ndarray:
    import numpy as np

    return np.concatenate(pictures)


@hookimpl
def kerascnn_visualizers() -> Iterator[type[Visualizer]]:
    """Offer the visualizer to kerascnn."""
    yield DeepDream
