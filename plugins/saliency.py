"""Saliency: how much the class score depends on each pixel.

A method is a function from a `Saliency`, a network, images and a target to a `Heatmap`: write it,
name it in ``method`` and in ``_METHODS``, and its own options in ``_GOES_WITH``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

import pydantic

from kerascnn import Heatmap, Unit, UsageError, Visualizer, hookimpl, option, track

if TYPE_CHECKING:
    import numpy as np
    from typing_extensions import Self

    from kerascnn import Layer, Network, Target

    Method = Callable[["Saliency", Network, np.ndarray, Target], Heatmap]

# Which options go with which method: one that would change nothing is refused.
_GOES_WITH = {
    "samples": ("smoothgrad",),
    "sigma": ("smoothgrad",),
    "steps": ("integrated-gradients",),
    "baseline": ("integrated-gradients",),
    "layer": ("grad-cam", "grad-cam++"),
}
_COMPLETE = 0.01  # integrated gradients may miss this share of the score's difference
_MOST_STEPS = 8  # times --steps, if so many are needed


class Saliency(Visualizer):
    """How much the class score depends on each pixel.

    The score is the logit of the predicted class, or of --target. The plain gradient is
    |∂ score / ∂ pixel|, the largest over the channels of a pixel (Simonyan, Vedaldi and Zisserman
    2014; lecture, "saliency"). Other methods: gradient × input; SmoothGrad, the mean gradient under
    noise (Smilkov et al. 2017); Integrated Gradients, each pixel's share of the score's difference
    to a baseline (Sundararajan, Taly and Yan 2017); guided back-propagation, where only positive
    gradients pass through ReLUs (Springenberg et al. 2015); Grad-CAM and Grad-CAM++, the maps of a
    layer weighted by their effect on the score (Selvaraju et al. 2017, Chattopadhay et al. 2018).
    """

    name = "saliency"
    variants = (
        {},
        {"method": "smoothgrad"},
        {"method": "integrated-gradients"},
        {"method": "guided-backprop"},
        {"method": "grad-cam"},
    )
    method: Literal[
        "gradient",
        "gradient-x-input",
        "smoothgrad",
        "integrated-gradients",
        "guided-backprop",
        "grad-cam",
        "grad-cam++",
    ] = option("gradient", "how it is computed")
    signed: bool = option(False, "keep the sign (for or against the target); channels are summed")
    samples: int = option(25, "smoothgrad: how many noisy pictures", ge=1)
    sigma: float = option(
        0.15,
        "smoothgrad: standard deviation of the noise, as a share of the input's range",
        gt=0,
        le=10,
    )
    steps: int = option(
        32,
        "integrated-gradients: steps on the path at first; doubled until the sum is complete",
        ge=2,
        le=1000,
    )
    baseline: Literal["black", "grey", "white", "mean"] = option(
        "black", "integrated-gradients: start of the path; mean is the picture's mean colour"
    )
    layer: str = option("last-conv", "grad-cam: the layer whose maps are weighted")
    clip: float = option(
        99.5,
        "percentile at which the picture's scale ends; the values are not changed",
        gt=0,
        le=100,
    )

    @pydantic.model_validator(mode="after")
    def _goes_with_the_method(self) -> Self:
        for name, methods in _GOES_WITH.items():
            changed = getattr(self, name) != type(self).model_fields[name].default
            if changed and self.method not in methods:
                raise ValueError(
                    f"--{name} goes with --method {' or '.join(methods)}. "
                    f"Received: --method {self.method}"
                )
        return self

    def visualize(
        self, network: Network, images: np.ndarray | None, target: Target | None
    ) -> Heatmap:
        """Compute the maps by the chosen method, and note which are blank, and why."""
        assert images is not None
        assert target is not None
        result = _METHODS[self.method](self, network, images, target)
        blank = [row for row, values in enumerate(result.values) if not values.any()]
        for row in blank:
            reason = _why_blank(self, network, images[row : row + 1], _only(target, row))
            result.notes = [*result.notes, f"the map of picture {row} is blank: {reason}"]
        result.facts = {"method": self.method, "blank": blank, **result.facts}
        return result


def _gradient(options: Saliency, network: Network, images: np.ndarray, target: Target) -> Heatmap:
    return _by_pixel(options, images, network.gradients(images, target), "∂ score / ∂ pixel")


def _guided(options: Saliency, network: Network, images: np.ndarray, target: Target) -> Heatmap:
    gradients = network.gradients(images, target, guided=True)
    result = _by_pixel(options, images, gradients, "guided ∂ score / ∂ pixel")
    result.facts = {"relus": len(network.rectifiers(target))}
    return result


def _smoothgrad(options: Saliency, network: Network, images: np.ndarray, target: Target) -> Heatmap:
    import numpy as np

    means = np.zeros(images.shape)
    for row, image in enumerate(track(list(images), "smoothgrad")):
        # Every picture gets the same noise: the pictures beside it change nothing.
        random = np.random.default_rng(options.seed)
        for start in range(0, options.samples, 32):
            count = min(32, options.samples - start)
            noise = random.standard_normal((count, *image.shape), np.float32)
            noisy = image + noise * (options.sigma * network.input.noise_scale)
            means[row] += network.gradients(noisy, _only(target, row)).sum(axis=0)
    means /= options.samples
    result = _by_pixel(options, images, means, "mean ∂ score / ∂ pixel under noise")
    result.facts = {"samples": options.samples, "sigma": options.sigma}
    return result


def _times_input(
    options: Saliency, network: Network, images: np.ndarray, target: Target
) -> Heatmap:
    shares = images * network.gradients(images, target)
    return _shares(options, images, shares, "pixel × ∂ score / ∂ pixel")


def _integrated(options: Saliency, network: Network, images: np.ndarray, target: Target) -> Heatmap:
    import numpy as np

    baselines = np.stack([_baseline(options.baseline, network, image) for image in images])
    reached = network.target_scores(images, target) - network.target_scores(baselines, target)
    found = [
        _along_path(
            network, baselines[row], image, _only(target, row), float(reached[row]), options.steps
        )
        for row, image in enumerate(track(list(images), "integrated gradients"))
    ]
    shares, errors, steps = zip(*found, strict=True)
    result = _shares(options, images, np.stack(shares), "integrated gradients")
    note = (
        f"completeness: the sum of the shares differs from the score's difference to the "
        f"{options.baseline} baseline by at most {max(errors):.2g} of it, with {max(steps)} steps"
    )
    result.notes = [note]
    result.facts = {
        "baseline": options.baseline,
        "steps": list(steps),
        "score_difference": [float(value) for value in reached],
        "completeness_error": list(errors),
    }
    return result


def _along_path(
    network: Network,
    baseline: np.ndarray,
    image: np.ndarray,
    target: int | Unit,
    reached: float,
    count: int,
) -> tuple[np.ndarray, float, int]:
    """Integrate from baseline to picture by the trapezoid rule, halving steps until complete.

    Returns:
        The share of each number, the error as a share of the difference, and the steps.
    """
    import numpy as np

    def summed(places: np.ndarray) -> np.ndarray:
        total = np.zeros(image.shape)
        for part in np.array_split(places, -(-len(places) // 32)):
            points = baseline + part[:, None, None, None] * (image - baseline)
            total += network.gradients(np.asarray(points, np.float32), target).sum(axis=0)
        return total

    most = count * _MOST_STEPS
    total = summed(np.linspace(0, 1, count + 1)) - summed(np.array([0.0, 1.0])) / 2
    while True:
        share = (image - baseline) * total / count
        missed = abs(float(share.sum()) - reached)
        error = missed / max(abs(reached), 1e-12) if missed else 0.0
        if error < _COMPLETE or count * 2 > most:
            return share, error, count
        total += summed((np.arange(count) + 0.5) / count)
        count *= 2


def _baseline(name: str, network: Network, image: np.ndarray) -> np.ndarray:
    import numpy as np

    spec = network.input
    colours = {"black": spec.low, "grey": spec.grey, "white": spec.high}
    return np.broadcast_to(colours.get(name, image.mean(axis=(0, 1))), image.shape)


def _cam(options: Saliency, network: Network, images: np.ndarray, target: Target) -> Heatmap:
    import numpy as np

    layer, why = _map_layer(options.layer, network, target)
    maps, gradients = network.gradients_at(images, target, layer)
    maps, gradients = maps.astype(np.float64), gradients.astype(np.float64)
    if options.method == "grad-cam":
        weights = gradients.mean(axis=(1, 2), keepdims=True)
    else:
        total = maps.sum(axis=(1, 2), keepdims=True)
        under = 2 * gradients**2 + total * gradients**3
        alpha = np.divide(gradients**2, under, out=np.zeros_like(under), where=under != 0)
        weights = (alpha * np.maximum(gradients, 0)).sum(axis=(1, 2), keepdims=True)
    values = (weights * maps).sum(axis=-1)
    return Heatmap(
        values if options.signed else np.maximum(values, 0),
        over=images,
        signed=options.signed,
        clip=options.clip,
        smooth=True,
        title=f"{'Grad-CAM' if options.method == 'grad-cam' else 'Grad-CAM++'} of {layer.name}",
        unit="weighted sum of the layer's maps",
        notes=[why],
        facts={"layer": layer.name, "chosen": why},
    )


def _map_layer(name: str, network: Network, target: Target) -> tuple[Layer, str]:
    """Return the layer whose maps are weighted, and why it was chosen."""
    chosen = network.select(name)
    if len(chosen) != 1:
        raise UsageError(f"--layer takes one layer. {name!r} fits {len(chosen)}")
    layer, why = chosen[0], f"the maps are those of {chosen[0].name}, as --layer says"
    if name == "last-conv":
        layer = network.last_convolution(target)
        why = f"the maps are those of {layer.name}, the last convolution (see --layer)"
        if isinstance(target, Unit):
            why = f"the maps are those of {layer.name}, the last convolution up to {target}"
    if not layer.is_map:
        raise UsageError(
            f"--layer {layer.name} ({layer.kind}) has no maps; "
            f"convolutions are: {', '.join(found.name for found in network.convolutions()[-8:])}"
        )
    return layer, why


def _by_pixel(options: Saliency, images: np.ndarray, gradients: np.ndarray, title: str) -> Heatmap:
    """Return a map of a derivative: signed the channels' sum, otherwise the largest."""
    values = gradients.sum(axis=-1) if options.signed else abs(gradients).max(axis=-1)
    return _heatmap(options, images, values, title, "score per unit of pixel value")


def _shares(options: Saliency, images: np.ndarray, shares: np.ndarray, title: str) -> Heatmap:
    """Return a map of what each pixel adds to the score: the sum of its channels' shares."""
    values = shares.sum(axis=-1)
    values = values if options.signed else abs(values)
    return _heatmap(options, images, values, title, "share of the score")


def _heatmap(
    options: Saliency, images: np.ndarray, values: np.ndarray, title: str, unit: str
) -> Heatmap:
    title = title if options.signed else f"|{title}|"
    signed, clip = options.signed, options.clip
    return Heatmap(values, over=images, signed=signed, clip=clip, title=title, unit=unit)


def _only(target: Target, row: int) -> int | Unit:
    """Return the target of one picture of several."""
    return target if isinstance(target, Unit) else int(target[row])


def _why_blank(options: Saliency, network: Network, image: np.ndarray, target: int | Unit) -> str:
    """Return why the score depends on no pixel."""
    if options.method.startswith("grad-cam") and not options.signed:
        return "no place of the layer's maps raises the score; --signed shows what lowers it"
    if (
        options.method == "integrated-gradients"
        and not (image[0] - _baseline(options.baseline, network, image[0])).any()
    ):
        return f"the picture is its own {options.baseline} baseline"
    names = network.rectifiers(target)
    outputs = network.function(*names)(image) if names else ()
    for name, output in zip(names, outputs, strict=True):
        if not output.numpy().any():
            return f"every ReLU of {name} returns 0 for this picture, so its gradient is 0"
    if isinstance(target, Unit) and not network.target_scores(image, target).any():
        return f"{target} itself returns 0 for this picture, so its gradient is 0"
    return "the gradient is 0 at every pixel: all units before the score are saturated or 0"


_METHODS: dict[str, Method] = {
    "gradient": _gradient,
    "gradient-x-input": _times_input,
    "smoothgrad": _smoothgrad,
    "integrated-gradients": _integrated,
    "guided-backprop": _guided,
    "grad-cam": _cam,
    "grad-cam++": _cam,
}


@hookimpl
def kerascnn_visualizers() -> Iterator[type[Visualizer]]:
    """Offer the visualizer to kerascnn."""
    yield Saliency
