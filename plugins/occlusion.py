"""Occlusion: hide a part of the picture, and see whether the class is lost."""

from typing import Literal

from kerascnn import Heatmap, Unit, UsageError, Visualizer, hookimpl, option

_SURE = 0.5  # a probability from which on a map is bright enough on a scale to 1


class Occlusion(Visualizer):
    """The class score while a patch hides one part of the picture after another.

    Blue is where the model no longer sees the class once that part is hidden: what is there counts
    (Zeiler and Fergus 2014; lecture, "occlusion"). Each pixel shows the mean over the patches that
    cover it; patches at the edges are moved inward, so that every pixel is covered. The scores are
    exact: of each layer only what a patch changes is computed again, where that pays.
    """

    name = "occlusion"
    patch: int | None = option(
        None,
        "side of the square patch in pixels; default: a seventh of the picture, 6 or more",
        ge=1,
    )
    stride: int | None = option(
        None, "pixels from one patch to the next; default: half a patch", ge=1
    )
    fill: str = option(
        "grey", "what hides: grey, black, mean (of the picture), blur, or a number the model takes"
    )
    score: Literal["probability", "logit"] | None = option(
        None, "what is measured; default: the probability, where the model gives any"
    )

    def visualize(self, network, images, target):
        """Slide the patch over each picture."""
        import numpy as np

        size = images.shape[1:3]
        patch = self.patch or min(max(6, round(min(size) / 7)), *size)
        stride = self.stride or max(1, patch // 2)
        boxes = _boxes(size, patch, stride)
        score = self._measured(network, target)
        maps, facts, notes, captions, still = [], [], [], [], []
        for row, image in enumerate(images):
            unit = target if isinstance(target, Unit) else None
            fill = _fill(self.fill, network.input, image, patch)
            found = network.patched_scores(image, fill, boxes, unit=unit)
            values, plain = found.scores, found.plain
            if score == "probability":
                values, plain = network.to_probabilities(values), network.to_probabilities(plain)
            if unit is None:
                values, plain = values[:, target[row]], plain[target[row]]
            maps.append(_mean_over_patches(values, boxes, size))
            lowest = int(values.argmin())
            facts.append(
                {
                    "plain": float(plain),
                    "lowest": float(values[lowest]),
                    "lowest_box": boxes[lowest].tolist(),
                    **found.to_dict(),
                }
            )
            captions.append(_caption(network, target, row, facts[-1], found.scores[lowest], score))
            if np.ptp(values) <= 1e-3 * max(abs(float(plain)), 1e-12):
                still.append((row, values.min(), values.max()))
        if still:
            notes.append(_still(still, score))
        notes += sorted({_how(fact) for fact in facts})
        return Heatmap(
            np.stack(maps),
            over=images,
            low_is_notable=True,
            ends=(0.0, _brightest(maps)) if score == "probability" else None,
            title=f"{score.capitalize()} with a part hidden ({patch} × {patch} px, {self.fill})",
            unit=f"{score}; low (blue) where hiding it loses the target",
            captions=captions,
            notes=notes,
            facts={
                "patch": patch,
                "stride": stride,
                "fill": self.fill,
                "score": score,
                "pictures": facts,
            },
        )

    def _measured(self, network, target):
        """Return what is measured: probability, logit or activation."""
        chances = network.head.activation is not None
        if isinstance(target, Unit):
            if self.score is not None:
                raise UsageError(
                    f"--score {self.score} goes with a class; of the unit {target} the activation "
                    "is measured"
                )
            return "activation"
        if self.score == "probability" and not chances:
            raise UsageError(
                "--score probability: the model gives no probabilities (it ends in neither softmax "
                "nor sigmoid); take --score logit"
            )
        if network.head.kind == "features" and self.score is None:
            return "channel mean"  # what stands for a score where there are no classes
        return self.score or ("probability" if chances else "logit")


def _brightest(maps):
    """Return the probability at which the colours end: 1, or less where the model is unsure of all.

    Otherwise the maps of a model with a thousand classes would all be dark.
    """
    highest = max(float(values.max()) for values in maps)
    return 1.0 if highest >= _SURE else highest


def _still(still: list[tuple[int, float, float]], score: str) -> str:
    """Say of which pictures nothing much is to be seen, in one line for all."""
    row, low, high = still[0]
    more = f", and {len(still) - 1} more" if len(still) > 1 else ""
    return (
        f"picture {row}{more}: the {score} hardly changes ({low:.4g} to {high:.4g}"
        + (" in the first)" if more else ")")
        + "; a larger --patch may show more"
        + (", or --score logit" if score == "probability" else "")
    )


def _boxes(size, patch, stride):
    """Return P×4 boxes that cover the picture: the last ones are moved inward."""
    import numpy as np

    if patch > min(size):
        raise UsageError(
            f"--patch must be at most the picture's {min(size)} pixels "
            f"({size[0]} × {size[1]}). Received: {patch}"
        )
    if stride > patch:
        raise UsageError(
            f"--stride must be at most --patch ({patch}), or pixels between patches are never "
            f"hidden. Received: {stride}"
        )
    tops, lefts = (sorted({*range(0, n - patch + 1, stride), n - patch}) for n in size)
    return np.array([(top, left, top + patch, left + patch) for top in tops for left in lefts])


def _fill(text, contract, image, patch):
    """Return what hides the picture, in the model's own values."""
    if text == "grey":
        return contract.grey
    if text == "black":
        return contract.low
    if text == "mean":
        return image.mean(axis=(0, 1))
    if text == "blur":
        from scipy import ndimage

        return ndimage.gaussian_filter(image, (patch / 2, patch / 2, 0), mode="nearest")
    low, high = float(contract.low.min()), float(contract.high.max())
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise UsageError(
            f"--fill takes grey, black, mean, blur, or a number from {low:.4g} to {high:.4g}, the "
            f"range of the values that the model takes. Received: {text[:60]!r}"
        )
    return value


def _mean_over_patches(values, boxes, size):
    """Return the map: each pixel's mean over the patches that cover it."""
    import numpy as np

    total, count = np.zeros(size), np.zeros(size)
    for value, (top, left, bottom, right) in zip(values, boxes, strict=True):
        total[top:bottom, left:right] += value
        count[top:bottom, left:right] += 1
    return total / count


def _caption(network, target, row, fact, scores, score):
    fall = f"{fact['plain']:.3g} → {fact['lowest']:.3g} at the lowest"
    if isinstance(target, Unit):
        return f"{target}: {score} {fall}"
    text = f"{network.class_name(int(target[row]))}: {score} {fall}"
    instead = int(scores.argmax())
    if instead != target[row]:
        text += f", then {network.class_name(instead)}"
    return text


def _how(fact):
    """Say how the scores were computed."""
    if not fact["incremental"]:
        reason = "; ".join(fact["whole_maps_from"].values()) or "the patches change nothing"
        return f"every position was computed on the whole picture: {reason}"
    note = (
        f"only what a patch changes was computed: {fact['work']:.0%} of the work on whole pictures"
    )
    for layer, reason in list(fact["whole_maps_from"].items())[:1]:
        note += f"; whole maps from {layer} on ({reason})"
    return note


@hookimpl
def kerascnn_visualizers():
    """Offer it to kerascnn."""
    yield Occlusion
