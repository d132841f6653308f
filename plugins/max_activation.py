"""Max activation: the picture that activates a unit of the network most."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kerascnn import Images, UsageError, Visualizer, hookimpl, option, parse_units

if TYPE_CHECKING:
    import numpy as np

    from kerascnn import Layer, Network, Target
    from kerascnn.ascent import Ascent, Objective, Transform

Settings = dict[str, Any]
"""Values of the options that a preset may fill in, by their names."""

# What each preset fills in where no option is given. "ink" is for one channel (strokes on black),
# "colour" for three. Weights of penalties are relative to the mean gradient of a pixel, so that
# they mean the same on every network.
_PLAIN: Settings = {
    "steps": 200,
    "rate": 0.05,
    "start": "noise",
    "parametrisation": "pixel",
    "l1": 0.0,
    "power": 0.0,
    "variation": 0.0,
    "off_centre": 0.0,
    "jitter": 0.0,
    "rotate": 0.0,
    "scale": 0.0,
    "blur": 0.0,
    "erase": 0.0,
    "copies": 1,
    "restarts": 1,
}
_PRESETS: dict[tuple[str, str], Settings] = {
    ("none", "ink"): {},
    ("none", "colour"): {},
    ("l1", "ink"): {"l1": 1.0},
    ("l1", "colour"): {"l1": 1.0},
    ("natural", "ink"): {
        "rate": 0.08,
        "l1": 0.1,
        "variation": 4.0,
        "off_centre": 5.6,
        "jitter": 2.0,
        "rotate": 12.0,
        "scale": 0.15,
        "copies": 4,
        "restarts": 3,
    },
    ("natural", "colour"): {
        "steps": 128,
        "parametrisation": "fourier",
        "jitter": 8.0,
        "rotate": 5.0,
        "scale": 0.08,
    },
}
_ALL_UP_TO = 20
_FIRST = 12
_SMALL = 96


@dataclass
class _Asked:
    """What is to be maximised: units of a layer, or classes if the layer is None."""

    layer: Layer | None
    units: list[int]
    objective: Objective
    notes: list[str]


class MaxActivation(Visualizer):
    """The picture that activates a filter, neuron or class most, found by gradient ascent.

    The weights stay fixed and the picture is changed so that the activation grows: for a filter the
    sum a^k over its map, for a class its score (lecture, "what does the machine learn"). Without
    a regulariser the picture of a class looks like television noise, and the network is sure of
    it. The preset "natural" asks for little ink, smooth strokes, an object in the middle, and an
    activation that stays high when the picture is shifted, rotated and scaled a little.
    """

    name = "max-activation"
    reads_images = False
    layer: str = option(
        "auto", "a layer's name, first-conv, last-conv, classes (the scores); auto: classes if any"
    )
    unit: tuple[str, ...] = option(
        (),
        "filters, neurons or classes: 0-11, 3,5 or all; default: all up to 20, else the first 12",
    )
    preset: Literal["natural", "l1", "none"] = option(
        "natural", "default values of the options below"
    )
    where: Literal["sum", "centre"] = option(
        "sum", "what is maximised of a filter's map: its sum, or the unit in its centre"
    )
    steps: int | None = option(None, "steps of the ascent", ge=1, le=100_000)
    rate: float | None = option(None, "step size (Adam)", gt=0, le=100)
    start: str | None = option(
        None, "start from noise, constant (grey), sample or a picture's path"
    )
    parametrisation: Literal["pixel", "fourier"] | None = option(
        None, "optimise pixels, or waves with the colours of natural pictures"
    )
    l1: float | None = option(None, "weight of Σ|ink|", ge=0)
    power: float | None = option(None, "weight of Σ|ink|^6, against extremes", ge=0)
    variation: float | None = option(None, "weight of Σ(difference of neighbours)²", ge=0)
    off_centre: float | None = option(None, "weight of ink far from the middle", ge=0)
    jitter: float | None = option(
        None, "shift by up to so many pixels in each step, and back", ge=0, le=1000
    )
    rotate: float | None = option(
        None, "rotate by up to so many degrees in each step", ge=0, le=180
    )
    scale: float | None = option(None, "scale by up to 1 + this in each step", ge=0, le=4)
    blur: float | None = option(None, "blur by so many pixels in each step", ge=0, le=100)
    erase: float | None = option(
        None, "cover a square of this share of the side in each step", ge=0, le=1
    )
    copies: int | None = option(
        None, "average each step over so many transformed copies", ge=1, le=256
    )
    restarts: int | None = option(None, "start so many times, and keep the best", ge=1, le=256)
    size: int = option(
        0, "side of the picture in pixels; 0: the model's, or less if a filter sees less", ge=0
    )

    def visualize(
        self, network: Network, images: np.ndarray | None, target: Target | None
    ) -> Images:
        """Run the ascent for all units at once."""
        from kerascnn.ascent import Fourier, Pixels, maximise, units

        asked = self._asked(network)
        layer, objective = asked.layer, asked.objective
        given = self._settings(network, layer)
        penalties, moves = self._regularisers(network, given)
        waves = given["parametrisation"] == "fourier"
        options: dict[str, Any] = {
            "steps": given["steps"],
            "rate": given["rate"],
            "parametrisation": Fourier() if waves else Pixels(),
            "transforms": moves,
            "copies": given["copies"],
            "relative": bool(penalties),
            "restarts": given["restarts"],
            "seed": self.seed,
        }
        size = self._size(network, layer)
        starts = self._starts(network, given, size)
        found = maximise(network, sum(penalties, objective), starts, **options)
        if layer is not None and not found.moved.all():
            # A dead ReLU has no gradient: climb without it first, to where it is active.
            dead = [index for index, moved in enumerate(found.moved) if not moved]
            theirs = units(layer.name, [asked.units[index] for index in dead], self.where)
            active = maximise(
                network,
                theirs,
                starts[:1],
                steps=given["steps"],
                rate=given["rate"],
                parametrisation=options["parametrisation"],
                rectified=False,
            )
            options["restarts"] = 1
            again = maximise(network, sum(penalties, theirs), active.images, **options)
            found = found.replaced(dead, again)
        return self._result(network, asked, given, starts[:1], found)

    def _settings(self, network: Network, layer: Layer | None) -> Settings:
        """Return the options given, and for the others what the preset says."""
        kind = "colour" if network.input.channels == 3 else "ink"
        chosen = {**_PLAIN, **_PRESETS[self.preset, kind]}
        if layer is not None and layer.is_map:
            # A filter's texture fills the picture: it has no middle, and all starts are alike.
            chosen.update(off_centre=0.0, restarts=1)
        chosen.update(
            (name, getattr(self, name)) for name in _PLAIN if getattr(self, name) is not None
        )
        if chosen["start"] != "noise":
            if (self.restarts or 1) > 1:
                raise UsageError("--restarts starts from different noise; it needs --start noise")
            chosen["restarts"] = 1
        return chosen

    def _regularisers(
        self, network: Network, given: Settings
    ) -> tuple[list[Objective], list[Transform]]:
        from kerascnn.ascent import (
            Blur,
            Erase,
            Jitter,
            Rotate,
            Scale,
            l1,
            off_centre,
            power,
            total_variation,
        )

        # On one channel black is no ink; a colour picture's middle is grey.
        about = 0.5 if network.input.channels == 3 else 0.0
        made = {
            "l1": l1(about),
            "power": power(6, about),
            "variation": total_variation(2),
            "off_centre": off_centre(about=about),
        }
        penalties = [-given[name] * penalty for name, penalty in made.items() if given[name]]
        kinds: dict[str, Callable[[float], Transform]] = {
            "jitter": Jitter,
            "rotate": Rotate,
            "scale": Scale,
            "blur": Blur,
            "erase": Erase,
        }
        return penalties, [kind(given[name]) for name, kind in kinds.items() if given[name]]

    def _asked(self, network: Network) -> _Asked:
        from kerascnn.ascent import classes, units

        notes: list[str] = []
        name = self.layer
        if name == "auto":
            name = "classes"
            if network.head.kind == "features":
                name = network.last_convolution().name
                notes.append(f"the filters of {name}: the network ends in maps, not classes")
        if name == "classes":
            if self.where == "centre":
                raise UsageError("--where centre needs a --layer with maps")
            chosen = self._units(network.classes, "classes", notes)
            return _Asked(None, chosen, classes(chosen), notes)
        layers = network.select(name)
        if len(layers) > 1:
            names = ", ".join(found.name for found in layers)
            raise UsageError(f"--layer takes one layer; {name!r} fits {names}")
        layer = layers[0]
        chosen = self._units(layer.channels, layer.name, notes)
        if name != layer.name:
            notes.append(f"--layer {name} is {layer.name}")
        return _Asked(layer, chosen, units(layer.name, chosen, self.where), notes)

    def _units(self, total: int, what: str, notes: list[str]) -> list[int]:
        if not self.unit:
            if total > _ALL_UP_TO:
                notes.append(
                    f"the first {_FIRST} of the {total} units of {what} are shown (--unit all)"
                )
            return list(range(total if total <= _ALL_UP_TO else _FIRST))
        return parse_units(self.unit, total, what, option="--unit")

    def _size(self, network: Network, layer: Layer | None) -> tuple[int, int]:
        """Return height and width: the model's, or less if a filter sees less."""
        height, width = network.input.shape[:2]
        field = layer.field if layer is not None and layer.is_map else None
        if self.size:
            if height and width and field is None and (self.size, self.size) != (height, width):
                raise UsageError(
                    f"--size {self.size}: units that see the whole picture need {height}×{width}"
                )
            return self.size, self.size
        if field is not None and min(height or 1000, width or 1000) > _SMALL:
            # A little more than the receptive field shows the pattern; more would only repeat it.
            side = max(_SMALL, 16 * -(-5 * max(field.size) // 64))
            return min(side, height or 224), min(side, width or 224)
        return height or 224, width or 224

    def _starts(self, network: Network, given: Settings, size: tuple[int, int]) -> np.ndarray:
        import numpy as np

        from kerascnn.ascent import start

        return np.concatenate(
            [
                start(network, given["start"], size, seed=self.seed + index)
                for index in range(given["restarts"])
            ]
        )

    def _result(
        self, network: Network, asked: _Asked, given: Settings, before: np.ndarray, found: Ascent
    ) -> Images:
        from kerascnn.ascent import evaluate

        layer, units, notes = asked.layer, asked.units, asked.notes
        activations = evaluate(network, asked.objective, found.images)
        started = evaluate(network, asked.objective, before.repeat(len(units), axis=0))
        facts: dict[str, Any] = {
            "layer": "classes" if layer is None else layer.name,
            "units": units,
            "preset": self.preset,
            "settings": given,
            "activation_at_start": started.tolist(),
            "activation": activations.tolist(),
        }
        still = [unit for unit, moved in zip(units, found.moved, strict=True) if not moved]
        if still:
            notes.append(
                f"{', '.join(map(str, still))}: nothing activated it (a dead ReLU?), so there was "
                "no gradient to follow"
            )
        captions = [
            f"{unit}: {start:.3g} → {end:.3g}"
            for unit, start, end in zip(units, started, activations, strict=True)
        ]
        if layer is None:
            chances = network.probabilities(found.images)
            names = [network.class_name(unit) for unit in units]
            captions = [f"{n}: score {a:.3g}" for n, a in zip(names, activations, strict=True)]
            if chances is not None:
                own = [float(chances[row, unit]) for row, unit in enumerate(units)]
                facts["confidence"] = own
                captions = [f"{n}: p = {p:.4f}" for n, p in zip(names, own, strict=True)]
                notes.append("the network's confidence in each: " + ", ".join(captions))
        kind = "classes" if layer is None else f"{layer.name} ({self.where} of the map)"
        return Images(
            found.images,
            title=f"what activates them most: {kind}, preset {self.preset}",
            captions=captions,
            notes=notes,
            facts=facts,
        )


@hookimpl
def kerascnn_visualizers() -> Iterator[type[Visualizer]]:
    """Offer the visualizer to kerascnn."""
    yield MaxActivation
