"""Rows of the visualizers, against bare TensorFlow in the same process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bench.measured import Bar, Measured, in_turns, row, timed

if TYPE_CHECKING:
    import numpy as np
    from tensorflow import Tensor

    from kerascnn import Network

#: Multiplications and additions of VGG16 for one picture of 224 × 224.
VGG16_MACS = 15.47e9


@row("saliency")
def saliency(repeat: int) -> Measured:
    """Gradient saliency of VGG16, 224 × 224, a batch of 8, against TensorFlow's bare gradient."""
    import numpy as np
    import tensorflow as tf

    from kerascnn_plugins.saliency import Saliency

    network, images = vgg16(8)
    target, plugin = np.arange(8), Saliency()

    def gradient(pictures: Tensor, classes: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            scores = tf.gather(network.model(pictures), classes, batch_dims=1)
        return tape.gradient(scores, pictures)

    bare = tf.function(gradient)

    def theirs() -> object:
        return bare(tf.constant(images), tf.constant(target)).numpy()

    def ours() -> object:
        return plugin.visualize(network, images, target)

    theirs(), ours()  # both are compiled before the clock runs
    return in_turns(Bar(ratio=1.05), ours, theirs, repeat, 8 * 4 * VGG16_MACS)


@row("occlusion-32-16", most=3)
def occlusion_coarse(repeat: int) -> Measured:
    """Occlusion of VGG16, 224 × 224: patch 32, stride 16, 169 positions, against all whole."""
    return _occlusion(32, 16, repeat, Bar(ratio=0.25, peers={"xplique": 4}))


@row("occlusion-16-8", most=3)
def occlusion_fine(repeat: int) -> Measured:
    """Occlusion of VGG16, 224 × 224: patch 16, stride 8, 729 positions, against all whole."""
    return _occlusion(16, 8, repeat, Bar(ratio=0.25))


def _occlusion(patch: int, stride: int, repeat: int, bar: Bar) -> Measured:
    """Time a whole map, against the same positions in compiled TensorFlow, 16 at once.

    Theirs is timed on 48 positions and taken for all of them.
    """
    import numpy as np
    import tensorflow as tf

    from kerascnn_plugins.occlusion import Occlusion

    network, images = vgg16(1)
    positions = (-(-(224 - patch) // stride) + 1) ** 2
    plugin = Occlusion(patch=patch, stride=stride)
    some = np.repeat(images, 48, axis=0)
    for index, picture in enumerate(some):
        picture[:patch, index : index + patch] = 0

    def scores(pictures: Tensor) -> Tensor:
        return network.model(pictures)

    bare = tf.function(scores)

    def brute() -> object:
        return [bare(tf.constant(some[i : i + 16])).numpy() for i in range(0, 48, 16)]

    def ours() -> object:
        return plugin.visualize(network, images, np.array([0]))

    brute(), ours()
    found = in_turns(bar, ours, brute, repeat, positions * 2 * VGG16_MACS)
    theirs = [seconds * positions / 48 for seconds in found.theirs]
    return replace(found, theirs=theirs)


@row("top-images")
def top_images(repeat: int) -> Measured:
    """The sweep of the lecture's CNN over 10,000 digits, against bare ``predict`` of all of them.

    Both read the digits out of the package; ours ranks every filter of the last convolution, theirs
    is the whole network at the batch size that proves best here.
    """
    import numpy as np

    from kerascnn import Network
    from kerascnn import visualize as run
    from kerascnn.datasets.mnist import load_test_digits
    from kerascnn.models import cnn
    from kerascnn_plugins.top_images import TopImagesOfUnits

    network = Network(cnn(seed=0))
    shape = network.model.input_shape[1:]

    def predict(size: int) -> Callable[[], object]:
        def run() -> object:
            digits = load_test_digits()[0].reshape(-1, *shape) / np.float32(255)
            return network.model.predict(digits, batch_size=size, verbose=0)

        return run

    def ours() -> object:
        return run(TopImagesOfUnits(), network)

    predict(100)(), ours()
    best = min((100, 200, 500, 1000), key=lambda size: min(timed(predict(size)) for _ in "1234"))
    print(f"  predict is best at {best} a batch")
    return in_turns(Bar(ratio=1 / 0.9), ours, predict(best), repeat)


@row("max-activation")
def max_activation(repeat: int) -> Measured:
    """The lecture's CNN, 12 filters × 200 steps, tracing included, against bare TensorFlow.

    Bare: a compiled step (the network up to the layer, forward and back to the picture) called 200
    times on the 12 pictures; no optimiser, no penalties, compiled before.
    """
    from kerascnn.ascent import maximise, start, units

    network, layer, bare = ascent(12)
    bar = Bar(peers={"tf-keras-vis": 10})

    def ours() -> None:
        maximise(network, units(layer, range(12)), start(network), steps=200)

    return in_turns(bar, ours, lambda: [bare() for _ in range(200)], repeat)


@row("max-activation-all")
def max_activation_all(repeat: int) -> Measured:
    """All 50 filters × 200 steps, against 12 of them."""
    from kerascnn.ascent import maximise, start, units

    network, layer, _ = ascent(12)

    def run(count: int) -> None:
        maximise(network, units(layer, range(count)), start(network), steps=200)

    run(1)
    return in_turns(Bar(ratio=2), lambda: run(50), lambda: run(12), repeat)


@row("max-activation-presets", most=1)
def presets(repeat: int) -> Measured:  # noqa: ARG001
    """The ten class pictures of the lecture's CNN, trained: preset natural against none.

    Judged without a network: named rightly by 5 nearest neighbours among the 10,000 training
    digits, and as near to the nearest of them as real digits are (a cosine above the first
    percentile of the test digits' own).
    """
    import numpy as np

    from kerascnn import Network, models
    from kerascnn import visualize as run
    from kerascnn.datasets import load_mnist
    from kerascnn.lecture.experiments.image_metrics import closeness, voted
    from kerascnn_plugins.max_activation import MaxActivation

    digits = load_mnist()
    train = digits.x_train.reshape(-1, 784).astype("float32") / 255
    model = models.cnn(seed=0)
    model.compile("adam", "sparse_categorical_crossentropy", steps_per_execution=50)
    pictures = train.reshape(-1, *model.input_shape[1:])
    model.fit(pictures, digits.y_train, batch_size=100, epochs=20, verbose=0)
    network = Network(model)
    near = float(np.percentile(closeness(digits.x_test[:2000], train), 1))
    seconds, notes = {}, []
    for preset in ("none", "l1", "natural"):
        found: list[Any] = []
        seconds[preset] = timed(
            lambda preset=preset, found=found: found.append(  # type: ignore[misc]
                run(MaxActivation(preset=preset), network).result
            )
        )
        made = found[0].values
        right = int((voted(made, train, digits.y_train) == np.arange(10)).sum())
        close = int((closeness(made, train) > near).sum())
        sure = min(found[0].facts["confidence"])
        notes.append(
            f"preset {preset}: {seconds[preset]:.1f} s, confidence at least {sure:.5f}, {right} of "
            f"10 named rightly, {close} of 10 as near as digits are (cosine above {near:.2f})"
        )
    return Measured([seconds["natural"]], [seconds["none"]], notes=tuple(notes))


def ascent(count: int) -> tuple[Network, str, Callable[[], object]]:
    """Return the lecture's CNN, its second convolution, and a bare step for ``count`` filters."""
    import numpy as np
    import tensorflow as tf
    import tf_keras

    from kerascnn import Network, models

    model = models.cnn(seed=0)
    network = Network(model)
    layer = network.convolutions()[1].name
    part = tf_keras.Model(model.input, model.get_layer(layer).output)
    pictures = tf.constant(np.random.default_rng(0).random((count, 28, 28, 1)), tf.float32)
    chosen = tf.one_hot(tf.range(count), 50)

    def gradient(x: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(tf.reduce_sum(part(x), (1, 2)) * chosen)
        return tape.gradient(value, x)

    step = tf.function(gradient)
    step(pictures)
    return network, layer, lambda: step(pictures)


@row("deep-dream")
def deep_dream(repeat: int) -> Measured:
    """A step of Deep Dream, VGG16 to block4_conv3, 512×512, against bare forward and backward."""
    import numpy as np
    import tensorflow as tf
    import tf_keras

    from kerascnn import Network
    from kerascnn.ascent import Dreamer, strength

    whole = tf_keras.applications.VGG16(
        weights=None, include_top=False, input_shape=(None, None, 3)
    )
    layer = "block4_conv3"
    part = tf_keras.Model(whole.input, whole.get_layer(layer).output)
    dreamer = Dreamer(Network(whole, preprocessing="caffe"), strength(layer))
    picture = np.random.default_rng(0).uniform(-100, 100, (1, 512, 512, 3)).astype(np.float32)

    def gradient(x: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = 0.5 * tf.reduce_sum(part(x) ** 2)
        return tape.gradient(value, x)

    bare = tf.function(gradient)

    def ours(steps: int = 2) -> None:
        dreamer.dream(picture, octaves=1, steps=steps)

    fixed = tf.constant(picture)
    ours(1)
    bare(fixed)
    return in_turns(
        Bar(ratio=1.1), ours, lambda: [np.asarray(bare(fixed)) for _ in range(2)], repeat
    )


def vgg16(count: int) -> tuple[Network, np.ndarray]:
    """Return VGG16 with random weights and a linear head, and random pictures."""
    import numpy as np
    import tf_keras

    from kerascnn import Network

    model = tf_keras.applications.VGG16(weights=None, classifier_activation=None)
    images = np.random.default_rng(0).standard_normal((count, 224, 224, 3)) * 60
    return Network(model), images.astype(np.float32)
