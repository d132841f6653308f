"""Our maps against those of xplique and tf-keras-vis, on the same model and pictures.

They run on TensorFlow 2.15, in the tox environment of this name. What is compared is what both
compute: values before any display.
"""

from __future__ import annotations

import numpy as np
import pytest

from kerascnn import Network, visualize
from kerascnn.plugin.registry import Registry

pytestmark = pytest.mark.peers


@pytest.fixture(scope="module")
def model():
    """A colour network with a linear head, every layer kind that the methods treat in a way."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(5)
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input((32, 32, 3)),
            layers.Conv2D(8, 3, activation="relu", name="first"),
            layers.MaxPooling2D(),
            layers.Conv2D(12, 3, name="second"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(16, 3, activation="relu", name="third"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(20, activation="relu"),
            layers.Dense(4, name="logits"),
        ]
    )


@pytest.fixture(scope="module")
def network(model):
    return Network(model, preprocessing="unit")


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(3).random((4, 32, 32, 3)).astype(np.float32)


TARGETS = np.array([0, 1, 2, 3])
ONE_HOT = np.eye(4, dtype=np.float32)


def ours(network, images, name, **options):
    """The values of one of our visualizers, class i for picture i."""
    plugin = Registry().discover().get(name).visualizer(**options)
    return plugin.visualize(network, images, TARGETS)


def alike(one, other, tolerance=1e-4):
    """Tell whether two maps are the same but for rounding."""
    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    other = other.reshape(one.shape)
    return np.abs(one - other).max() <= tolerance * np.abs(other).max()


# --- tf-keras-vis -----------------------------------------------------------------------------


def scores():
    from tf_keras_vis.utils.scores import CategoricalScore

    return CategoricalScore(TARGETS.tolist())


def test_gradients_are_those_of_tf_keras_vis(model, network, images):
    from tf_keras_vis.saliency import Saliency

    theirs = Saliency(model, clone=True)(scores(), images, keepdims=True, normalize_map=False)
    assert alike(np.abs(network.gradients(images, TARGETS)), theirs)
    largest = Saliency(model, clone=True)(scores(), images, normalize_map=False)
    assert alike(ours(network, images, "saliency").values, largest)


@pytest.mark.parametrize(("method", "kind"), [("grad-cam", "Gradcam")])
def test_class_activation_maps_are_those_of_tf_keras_vis(model, network, images, method, kind):
    from tf_keras_vis import gradcam

    explainer = getattr(gradcam, kind)(model, clone=True)
    theirs = explainer(
        *(scores(), images), penultimate_layer="third", expand_cam=False, normalize_cam=False
    )
    assert alike(ours(network, images, "saliency", method=method).values, theirs)


# --- xplique ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("Saliency", {"method": "gradient"}),
        ("GradientInput", {"method": "gradient-x-input", "signed": True}),
        ("GuidedBackprop", {"method": "guided-backprop", "signed": True}),
        ("GradCAM", {"method": "grad-cam"}),
    ],
)
def test_maps_are_those_of_xplique(model, network, images, kind, options):
    from xplique import attributions

    made = getattr(attributions, kind)(model, batch_size=4)
    theirs = np.asarray(made(images, ONE_HOT), np.float64)
    mine = ours(network, images, "saliency", **options).values
    if options.get("signed"):
        mine = mine / 3  # theirs is the mean of a pixel's channels
    if mine.shape[1:] != theirs.reshape(*theirs.shape[:3]).shape[1:]:
        # Theirs is stretched already, by another rule than a picture's: shapes are compared.
        mine = np.stack([_stretched(row, theirs.shape[1]) for row in mine])
        flat = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(mine, theirs, strict=True)]
        assert min(flat) > 0.99
        return
    assert alike(mine, theirs)


def _stretched(values, side):
    import tensorflow as tf

    return tf.image.resize(values[..., None], (side, side), "bicubic")[..., 0].numpy()


def test_integrated_gradients_are_those_of_xplique(model, network, images):
    from xplique.attributions import IntegratedGradients

    made = IntegratedGradients(model, steps=512, batch_size=64, baseline_value=0.0)
    theirs = np.asarray(made(images, ONE_HOT), np.float64)
    mine = ours(network, images, "saliency", method="integrated-gradients", steps=256, signed=True)
    # Both are complete; the trapezoid rule has its error at another number of steps.
    assert alike(mine.values / 3, theirs, 2e-2)
    for row, difference in enumerate(mine.facts["score_difference"]):
        assert mine.values[row].sum() == pytest.approx(difference, rel=0.01)


def test_occlusion_is_that_of_xplique_where_patches_do_not_overlap(model, network, images):
    from xplique.attributions import Occlusion

    made = Occlusion(model, patch_size=8, patch_stride=8, occlusion_value=0.0, batch_size=16)
    drops = np.asarray(made(images, ONE_HOT), np.float64).reshape(4, 32, 32)
    mine = ours(network, images, "occlusion", patch=8, stride=8, fill="black", score="logit")
    plain = np.array([fact["plain"] for fact in mine.facts["pictures"]])
    assert alike(plain[:, None, None] - mine.values, drops)


# --- max activation ---------------------------------------------------------------------------


def test_ours_climbs_as_high_as_tf_keras_vis_in_as_many_steps(model, network):
    from tf_keras_vis.activation_maximization import ActivationMaximization

    theirs = ActivationMaximization(model, clone=True)(
        scores(),
        seed_input=np.random.default_rng(0).random((4, 32, 32, 3)).astype(np.float32),
        input_range=(0.0, 1.0),
        regularizers=[],
        input_modifiers=[],
        steps=100,
    )
    plugin = Registry().discover().get("max-activation").visualizer(preset="none", steps=100)
    found = visualize(plugin, network).result.values
    reached = np.diag(network.scores(found))
    other = np.diag(network.scores(np.asarray(theirs, np.float32)))
    assert (reached >= other - 0.05 * np.abs(other)).all()
    assert reached.mean() > other.mean()
