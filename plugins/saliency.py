"""Saliency: which pixels does the class score hang on?"""

from typing import Literal

import pydantic

from kerascnn import Heatmap, Unit, UsageError, Visualizer, hookimpl, option, track

# Which options go with which method: one that would change nothing is refused.
_GOES_WITH = {
    "samples": ("smoothgrad",),
    "sigma": ("smoothgrad",),
    "steps": ("integrated-gradients",),
    "baseline": ("integrated-gradients",),
    "layer": ("grad-cam", "grad-cam++"),
}
_COMPLETE = 0.01  # integrated gradients may miss this share of the score's difference
_MOST_STEPS = 8  # times --steps, where that many are needed


class Saliency(Visualizer):
    """How much the class score hangs on each pixel.

    The score is the logit of the predicted class, or of --target. The plain gradient is
    |∂ score / ∂ pixel|, over the channels of a pixel the largest (Simonyan, Vedaldi and Zisserman
    2014; lecture, "saliency"). Other methods: gradient × input; SmoothGrad, the mean gradient under
    noise (Smilkov et al. 2017); Integrated Gradients, each pixel's share of the score's difference
    to a baseline (Sundararajan, Taly and Yan 2017); guided back-propagation, through ReLUs only
    what is positive (Springenberg et al. 2015); Grad-CAM and Grad-CAM++, the maps of a layer
    weighted by how they move the score (Selvaraju et al. 2017, Chattopadhay et al. 2018).
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
    signed: bool = option(False, "keep the sign: for or against; channels are summed")
    samples: int = option(25, "smoothgrad: how many noisy pictures", ge=1)
    sigma: float = option(
        0.15, "smoothgrad: the noise's deviation, as a share of the input's range", gt=0, le=10
    )
    steps: int = option(
        32,
        "integrated-gradients: on the path at first; more until they are complete",
        ge=2,
        le=1000,
    )
    baseline: Literal["black", "grey", "white", "mean"] = option(
        "black", "integrated-gradients: where the path begins; mean is the picture's mean colour"
    )
    layer: str = option("last-conv", "grad-cam: the layer whose maps are weighted")
    clip: float = option(
        99.5, "percentile at which the picture's scale ends; the values stay", gt=0, le=100
    )

    @pydantic.model_validator(mode="after")
    def _goes_with_the_method(self):
        for name, methods in _GOES_WITH.items():
            changed = getattr(self, name) != type(self).model_fields[name].default
            if changed and self.method not in methods:
                raise ValueError(
                    f"--{name} goes with --method {' or '.join(methods)}. "
                    f"Received: --method {self.method}"
                )
        return self

    def visualize(self, network, images, target):
        """Ask by the chosen method, and say where nothing comes out."""
        result = _METHODS[self.method](self, network, images, target)
        blank = [row for row, values in enumerate(result.values) if not values.any()]
        for row in blank:
            reason = _why_blank(self, network, images[row : row + 1], _only(target, row))
            result.notes = [*result.notes, f"the map of picture {row} is blank: {reason}"]
        result.facts = {"method": self.method, "blank": blank, **result.facts}
        return result


def _gradient(options, network, images, target):
    return _by_pixel(options, images, network.gradients(images, target), "∂ score / ∂ pixel")


def _guided(options, network, images, target):
    gradients = network.gradients(images, target, guided=True)
    result = _by_pixel(options, images, gradients, "guided ∂ score / ∂ pixel")
    result.facts = {"relus": len(network.rectifiers(target))}
    return result


def _smoothgrad(options, network, images, target):
    import numpy as np

    means = np.zeros(images.shape)
    for row, image in enumerate(track(images, "smoothgrad")):
        # Every picture gets the same noise: what is beside it changes nothing.
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


def _times_input(options, network, images, target):
    shares = images * network.gradients(images, target)
    return _shares(options, images, shares, "pixel × ∂ score / ∂ pixel")


def _integrated(options, network, images, target):
    import numpy as np

    baselines = np.stack([_baseline(options.baseline, network, image) for image in images])
    reached = network.target_scores(images, target) - network.target_scores(baselines, target)
    found = [
        _along_path(network, baselines[row], image, _only(target, row), reached[row], options.steps)
        for row, image in enumerate(track(images, "integrated gradients"))
    ]
    shares, errors, steps = zip(*found, strict=True)
    result = _shares(options, images, np.stack(shares), "integrated gradients")
    note = (
        f"completeness: the shares miss the score's difference to the {options.baseline} baseline "
        f"by {max(errors):.2g} of it at most, with {max(steps)} steps"
    )
    result.notes = [note]
    result.facts = {
        "baseline": options.baseline,
        "steps": list(steps),
        "score_difference": [float(value) for value in reached],
        "completeness_error": list(errors),
    }
    return result


def _along_path(network, baseline, image, target, reached, count):
    """Integrate from baseline to picture by the trapezoid rule, halving steps until complete.

    Returns:
        Each number's share, the share of the difference that is missed, and the steps.
    """
    import numpy as np

    def summed(places):
        total = np.zeros(image.shape)
        for part in np.array_split(places, -(-len(places) // 32)):
            points = baseline + part[:, None, None, None] * (image - baseline)
            total += network.gradients(np.asarray(points, np.float32), target).sum(axis=0)
        return total

    most = count * _MOST_STEPS
    total = summed(np.linspace(0, 1, count + 1)) - summed(np.array([0.0, 1.0])) / 2
    while True:
        share = (image - baseline) * total / count
        missed = abs(float(share.sum()) - float(reached))
        error = missed / max(abs(float(reached)), 1e-12) if missed else 0.0
        if error < _COMPLETE or count * 2 > most:
            return share, error, count
        total += summed((np.arange(count) + 0.5) / count)
        count *= 2


def _baseline(name, network, image):
    import numpy as np

    contract = network.input
    colour = {"black": contract.low, "grey": contract.grey, "white": contract.high}.get(name)
    colour = image.mean(axis=(0, 1)) if colour is None else colour
    return np.broadcast_to(colour, image.shape)


def _cam(options, network, images, target):
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


def _map_layer(name, network, target):
    """Return the layer whose maps are weighted, and why it is that one."""
    chosen = network.select(name)
    if len(chosen) != 1:
        raise UsageError(f"--layer takes one layer. {name!r} fits {len(chosen)}")
    layer, why = chosen[0], f"the maps are those of {chosen[0].name}, as --layer says"
    if name == "last-conv":
        layer = network.last_convolution(target)
        why = f"the maps are those of {layer.name}, the last convolution (--layer takes another)"
        if isinstance(target, Unit):
            why = f"the maps are those of {layer.name}, the last convolution up to {target}"
    if not layer.is_map:
        raise UsageError(
            f"--layer {layer.name} ({layer.kind}) has no maps; "
            f"convolutions are: {', '.join(found.name for found in network.convolutions()[-8:])}"
        )
    return layer, why


def _by_pixel(options, images, gradients, title):
    """Make a map of a derivative: the channels' sum with its sign, else the largest."""
    values = gradients.sum(axis=-1) if options.signed else abs(gradients).max(axis=-1)
    return _heatmap(options, images, values, title, "score per unit of pixel value")


def _shares(options, images, shares, title):
    """Make a map of what each pixel adds to the score: its channels' shares add up."""
    values = shares.sum(axis=-1)
    values = values if options.signed else abs(values)
    return _heatmap(options, images, values, title, "share of the score")


def _heatmap(options, images, values, title, unit):
    title = title if options.signed else f"|{title}|"
    signed, clip = options.signed, options.clip
    return Heatmap(values, over=images, signed=signed, clip=clip, title=title, unit=unit)


def _only(target, row):
    """Return the target of one picture of several."""
    return target if isinstance(target, Unit) else int(target[row])


def _why_blank(options, network, image, target):
    """Say why nothing hangs on any pixel."""
    if options.method.startswith("grad-cam") and not options.signed:
        return "no place of the layer's maps speaks for the target; --signed shows what does not"
    if (
        options.method == "integrated-gradients"
        and not (image[0] - _baseline(options.baseline, network, image[0])).any()
    ):
        return f"the picture is its own {options.baseline} baseline"
    names = network.rectifiers(target)
    outputs = network.function(*names)(image) if names else ()
    for name, output in zip(names, outputs, strict=True):
        if not output.numpy().any():
            return f"every ReLU of {name} gives 0 for this picture, and lets no gradient back"
    if isinstance(target, Unit) and not network.target_scores(image, target).any():
        return f"{target} itself gives 0 for this picture, and lets no gradient back"
    return "the gradient is 0 at every pixel: units on the way are saturated, or their ReLUs are 0"


_METHODS = {
    "gradient": _gradient,
    "gradient-x-input": _times_input,
    "smoothgrad": _smoothgrad,
    "integrated-gradients": _integrated,
    "guided-backprop": _guided,
    "grad-cam": _cam,
    "grad-cam++": _cam,
}


@hookimpl
def kerascnn_visualizers():
    """Offer it to kerascnn."""
    yield Saliency
