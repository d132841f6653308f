"""tf-keras-vis' works, on TensorFlow 2.15."""

from __future__ import annotations

import keras_common
from common import Turns, main


def saliency() -> Turns:
    """Gradients of 8 pictures in one batch."""
    from tf_keras_vis.saliency import Saliency
    from tf_keras_vis.utils.scores import CategoricalScore

    model, images = keras_common.vgg16(8)
    explainer = Saliency(model, clone=False)
    score = CategoricalScore(list(range(8)))
    explainer(score, images)
    return lambda: explainer(score, images), keras_common.bare_gradient(model, images)


def max_activation() -> Turns:
    """12 filters of the lecture's network × 200 steps, all in one batch, as it does by itself."""
    import tensorflow as tf
    from tf_keras_vis.activation_maximization import ActivationMaximization
    from tf_keras_vis.utils.model_modifiers import ExtractIntermediateLayer, ReplaceToLinear
    from tf_keras_vis.utils.scores import CategoricalScore

    model = keras_common.lecture_cnn()

    def peer() -> object:
        modifiers = [ExtractIntermediateLayer("second"), ReplaceToLinear()]
        ascent = ActivationMaximization(model, model_modifier=modifiers, clone=True)
        seeds = tf.random.uniform((12, 28, 28, 1), 0, 255)
        return ascent(CategoricalScore(list(range(12))), seed_input=seeds, steps=200)

    return peer, keras_common.bare_ascent(model, 200)


if __name__ == "__main__":
    main({"saliency": saliency, "max-activation": max_activation})
