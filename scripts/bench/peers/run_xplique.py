"""Xplique's works."""

from __future__ import annotations

import keras_common
from common import Turns, main


def saliency() -> Turns:
    """Gradients of 8 pictures in one batch."""
    import numpy as np
    from xplique.attributions import Saliency

    model, images = keras_common.vgg16(8)
    explainer = Saliency(model, batch_size=8)
    targets = np.eye(1000, dtype=np.float32)[:8]
    explainer(images, targets)
    return lambda: explainer(images, targets), keras_common.bare_gradient(model, images)


def occlusion() -> Turns:
    """A map of one picture: patch 32, stride 32, 49 positions."""
    import numpy as np
    from xplique.attributions import Occlusion

    model, images = keras_common.vgg16(1)
    explainer = Occlusion(model, patch_size=32, patch_stride=32, batch_size=16)
    targets = np.eye(1000, dtype=np.float32)[:1]
    peer = lambda: explainer(images, targets)  # noqa: E731
    return peer, keras_common.bare_positions(model, images, 49)


if __name__ == "__main__":
    main({"saliency": saliency, "occlusion-32-16": occlusion})
