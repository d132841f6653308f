"""Occlusion: hide a part of the picture, and measure how far the class score falls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kerascnn import Heatmap, Unit, UsageError, Visualizer, hookimpl, option

if TYPE_CHECKING:
    import numpy as np

    from kerascnn import InputSpec, Network, Target

_SURE = 0.5  # from this probability on, a map is drawn on a scale up to 1


class Occlusion(Visualizer):
    """The class score while a patch hides one part of the picture after another.

    Blue is where the score is low once that part is hidden: what is there matters for the class
    (Zeiler and Fergus 2014; lecture, "occlusion"). Each pixel shows the mean over the patches that
    cover it; patches at the edges are moved inward, so that every pixel is covered. The scores are
    exact: where it saves time, only the part of each layer that a patch changes is computed again.
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
        "grey",
        "what covers: grey, black, mean (of the picture), blur, or a value of the model's range",
    )
    score: Literal["probability", "logit"] | None = option(
        None, "what is measured; default: the probability, if the model returns any"
    )

    def visualize(
        self, network: Network, images: np.ndarray | None, target: Target | None
    ) -> Heatmap:
        """Slide the patch over each picture."""
        import numpy as np

        assert images is not None
        assert target is not None
        height, width = images.shape[1:3]
        patch = self.patch or min(max(6, round(min(height, width) / 7)), height, width)
        stride = self.stride or max(1, patch // 2)
        boxes = _boxes((height, width), patch, stride)
        score = self._measured(network, target)
        found = []
        for row, image in enumerate(images):
            what = target if isinstance(target, Unit) else int(target[row])
            fill = _fill(self.fill, network.input, image, patch)
            found.append(_occluded(network, image, fill, boxes, what, score))
        maps = [_mean_over_patches(each.values, boxes, (height, width)) for each in found]
        return Heatmap(
            np.stack(maps),
            over=images,
            low_is_notable=True,
            ends=(0.0, _brightest(maps)) if score == "probability" else None,
            title=f"{score.capitalize()} with a part hidden ({patch} × {patch} px, {self.fill})",
            unit=f"{score}; low (blue) where hiding it loses the target",
            captions=[each.caption for each in found],
            notes=[*_unchanged(found, score), *sorted({_how(each.facts) for each in found})],
            facts={
                "patch": patch,
                "stride": stride,
                "fill": self.fill,
                "score": score,
                "pictures": [each.facts for each in found],
            },
        )

    def _measured(self, network: Network, target: Target) -> str:
        """Return what is measured: probability, logit or activation."""
        chances = network.head.activation is not None
        if isinstance(target, Unit):
            if self.score is not None:
                raise UsageError(
                    f"--score {self.score} needs a class as target; of the unit {target} the "
                    "activation is measured"
                )
            return "activation"
        if self.score == "probability" and not chances:
            raise UsageError(
                "--score probability: the model returns no probabilities (it ends in neither "
                "softmax nor sigmoid); use --score logit"
            )
        if network.head.kind == "features" and self.score is None:
            return "channel mean"  # what stands for a score where there are no classes
        return self.score or ("probability" if chances else "logit")


@dataclass(frozen=True)
class _Occluded:
    """What hiding each part of one picture does.

    Attributes:
        values: P: the score with each of P patches.
        facts: the score of the picture itself, the lowest one and its box, and how it was computed.
        caption: the same in words.
    """

    values: np.ndarray
    facts: dict[str, Any]
    caption: str


def _occluded(
    network: Network,
    image: np.ndarray,
    fill: np.ndarray,
    boxes: np.ndarray,
    what: int | Unit,
    score: str,
) -> _Occluded:
    """Measure one picture: ``what`` is the class or the unit that is explained."""
    found = network.patched_scores(
        image, fill, boxes, unit=what if isinstance(what, Unit) else None
    )
    values, plain = found.scores, found.plain
    if score == "probability":
        values, plain = _probabilities(network, values), _probabilities(network, plain)
    if not isinstance(what, Unit):
        values, plain = values[:, what], plain[what]
    lowest = int(values.argmin())
    facts = {
        "plain": float(plain),
        "lowest": float(values[lowest]),
        "lowest_box": boxes[lowest].tolist(),
        **found.to_dict(),
    }
    name = str(what) if isinstance(what, Unit) else network.class_name(what)
    caption = f"{name}: {score} {plain:.3g} → {values[lowest]:.3g} at the lowest"
    if not isinstance(what, Unit) and (instead := int(found.scores[lowest].argmax())) != what:
        caption += f", then {network.class_name(instead)}"
    return _Occluded(values, facts, caption)


def _probabilities(network: Network, scores: np.ndarray) -> np.ndarray:
    found = network.to_probabilities(scores)
    assert found is not None
    return found


def _brightest(maps: list[np.ndarray]) -> float:
    """Return the probability at which the colours end: 1, or less where the model is never sure.

    Otherwise the maps of a model with a thousand classes would all be dark.
    """
    highest = max(float(values.max()) for values in maps)
    return 1.0 if highest >= _SURE else highest


def _unchanged(found: list[_Occluded], score: str) -> Iterator[str]:
    """Yield a note on the pictures whose score hardly changes, one for all of them."""
    rows = [
        row
        for row, each in enumerate(found)
        if each.values.max() - each.values.min() <= 1e-3 * max(abs(each.facts["plain"]), 1e-12)
    ]
    if not rows:
        return
    values = found[rows[0]].values
    more = f", and {len(rows) - 1} more" if len(rows) > 1 else ""
    yield (
        f"picture {rows[0]}{more}: the {score} hardly changes "
        f"({values.min():.4g} to {values.max():.4g}{' in the first' if more else ''}); "
        f"a larger --patch may show more{', or --score logit' if score == 'probability' else ''}"
    )


def _boxes(size: tuple[int, int], patch: int, stride: int) -> np.ndarray:
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


def _fill(text: str, spec: InputSpec, image: np.ndarray, patch: int) -> np.ndarray:
    """Return what covers the picture, in the model's values: a colour or a picture."""
    import numpy as np

    if text == "grey":
        return spec.grey
    if text == "black":
        return spec.low
    if text == "mean":
        return np.asarray(image.mean(axis=(0, 1)))
    if text == "blur":
        from scipy import ndimage

        deviations = (patch / 2, patch / 2, 0)
        return np.asarray(ndimage.gaussian_filter(image, deviations, mode="nearest"))
    low, high = float(spec.low.min()), float(spec.high.max())
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise UsageError(
            f"--fill takes grey, black, mean, blur, or a number from {low:.4g} to {high:.4g}, the "
            f"range of the model's values. Received: {text[:60]!r}"
        )
    return np.full(image.shape[-1], value)


def _mean_over_patches(values: np.ndarray, boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the map: each pixel's mean over the patches that cover it."""
    import numpy as np

    total, count = np.zeros(size), np.zeros(size)
    for value, (top, left, bottom, right) in zip(values, boxes, strict=True):
        total[top:bottom, left:right] += value
        count[top:bottom, left:right] += 1
    return total / count


def _how(facts: dict[str, Any]) -> str:
    """Return how the scores were computed, in words."""
    if not facts["incremental"]:
        reason = "; ".join(facts["whole_maps_from"].values()) or "the patches change nothing"
        return f"every position was computed on the whole picture: {reason}"
    note = (
        f"only what a patch changes was computed: {facts['work']:.0%} of the work on whole pictures"
    )
    for layer, reason in list(facts["whole_maps_from"].items())[:1]:
        note += f"; whole maps from {layer} on ({reason})"
    return note


@hookimpl
def kerascnn_visualizers() -> Iterator[type[Visualizer]]:
    """Offer the visualizer to kerascnn."""
    yield Occlusion
