"""Saliency: which pixels does the class score hang on?"""

from kerascnn import Heatmap, Visualizer, hookimpl, option


class Saliency(Visualizer):
    """How much the class score changes with each pixel: |∂ score / ∂ pixel|.

    The score is the logit of the predicted class, or of --target; over the channels of a pixel the
    largest counts (Simonyan, Vedaldi and Zisserman 2014; lecture, "saliency").
    """

    name = "saliency"
    signed: bool = option(False, "keep the sign: summed over the channels instead of the largest")
    clip: float = option(
        99.5, "percentile at which the picture's scale ends; the values stay", gt=0, le=100
    )

    def visualize(self, network, images, target):
        """Derive the target's score by the pixels."""
        gradients = network.gradients(images, target)
        values = gradients.sum(axis=-1) if self.signed else abs(gradients).max(axis=-1)
        return Heatmap(
            values,
            over=images,
            signed=self.signed,
            clip=self.clip,
            title="∂ score / ∂ pixel" if self.signed else "|∂ score / ∂ pixel|",
            unit="score per unit of pixel value",
        )


@hookimpl
def kerascnn_visualizers():
    """Offer it to kerascnn."""
    yield Saliency
