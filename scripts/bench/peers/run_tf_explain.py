"""tf-explain's works, on TensorFlow 2.15."""

from __future__ import annotations

import keras_common
from common import Turns, main


def saliency() -> Turns:
    """Gradients of 8 pictures; it takes a class for all of them."""
    from tf_explain.core.vanilla_gradients import VanillaGradients

    model, images = keras_common.vgg16(8)
    explainer = VanillaGradients()
    peer = lambda: explainer.compute_gradients(images, model, 0).numpy()  # noqa: E731
    peer()
    return peer, keras_common.bare_gradient(model, images)


def occlusion() -> Turns:
    """A map of one picture: patches of 32 beside each other, 49 positions; it knows no stride."""
    from tf_explain.core.occlusion_sensitivity import OcclusionSensitivity

    model, images = keras_common.vgg16(1)
    explainer = OcclusionSensitivity(batch_size=16)
    peer = lambda: explainer.get_sensitivity_map(model, images[0], 0, 32)  # noqa: E731
    return peer, keras_common.bare_positions(model, images, 49)


if __name__ == "__main__":
    main({"saliency": saliency, "occlusion-32-16": occlusion})
