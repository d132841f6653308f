"""Deep Dream: the network exaggerates what it sees in a picture."""

from pathlib import Path
from typing import Literal

from kerascnn import Film, Images, UsageError, Visualizer, hookimpl, option, progress

# The convolution at this share of the network: late enough for parts of things, early enough to
# fit them into a picture many times.
_DEPTH = 0.75


class DeepDream(Visualizer):
    """A picture changed so that what the network sees in it grows stronger.

    What a layer gives for the picture is taken for the answer: the positive is made larger, the
    negative more negative (½‖a‖² grows; lecture, "Deep Dream"), in small sizes first, each size
    handing its detail on to the next. Pictures come in their own size; large ones are worked in
    tiles that add up exactly.
    """

    name = "deep-dream"
    any_size = True
    layer: tuple[str, ...] = option(
        (), "layers to exaggerate, names or globs; default: a convolution at ¾ of the network"
    )
    weight: tuple[float, ...] = option((), "a weight for each layer; default: 1 each")
    octaves: int = option(4, "how many sizes, the smallest first", ge=1, le=20)
    ratio: float = option(1.4, "from one size to the next", gt=1, le=4)
    steps: int = option(10, "steps in each size", ge=1, le=10_000)
    rate: float = option(1.5, "how far an average pixel moves in a step, of 255", gt=0, le=255)
    jitter: int = option(32, "move by up to so many pixels before each step, and back", ge=0)
    guide: str | None = option(None, "a second picture's path: dream of what it shows")
    size: int = option(512, "longest side; larger pictures are made smaller; 0: as they are", ge=0)
    zoom: int = option(0, "a film of so many pictures, each zoomed into the one before", ge=0)
    zoom_by: float = option(1.05, "how far each picture of the film is zoomed in", gt=1, le=2)
    film: Literal["gif", "mp4"] = option("gif", "the film's format")

    def visualize(self, network, images, target):
        """Dream on the picture, and on each zoomed picture of the film."""
        from kerascnn.ascent import Dreamer, octave_sizes, shrink

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
            frames = self._frames(dreamer, dream.image, bar) if self.zoom else []
        if dream.tiles > 1:
            notes.append(f"worked in {dream.tiles} tiles, which add up to the whole exactly")
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

    def _layers(self, network):
        if self.layer:
            layers = [found.name for found in network.select(*self.layer)]
            return layers, [] if tuple(layers) == self.layer else [f"layers: {', '.join(layers)}"]
        convolutions = network.convolutions()
        chosen = convolutions[round(_DEPTH * (len(convolutions) - 1))].name
        if len(convolutions) == 1:
            return [chosen], [f"took layer {chosen}, the network's only convolution"]
        why = (
            f"took layer {chosen}, at three quarters of the network's {len(convolutions)} "
            "convolutions: parts of things, small enough to repeat (--layer takes another)"
        )
        return [chosen], [why]

    def _objective(self, network, layers, size):
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

    def _frames(self, dreamer, image, bar):
        from kerascnn.ascent import zoomed

        frames = []
        for number in range(self.zoom):
            image = dreamer.dream(
                zoomed(image, self.zoom_by),
                octaves=1,
                steps=self.steps,
                rate=self.rate,
                jitter=self.jitter,
                seed=self.seed + 1 + number,
                advance=bar.advance,
            ).image
            frames.append(image)
        return frames


def _joined(pictures):
    import numpy as np

    return np.concatenate(pictures)


@hookimpl
def kerascnn_visualizers():
    """Offer it to kerascnn."""
    yield DeepDream
