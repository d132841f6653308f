"""Rows of Deep Style: a step against the bare network, a whole painting, coarse to fine."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.measured import Bar, Measured, in_turns, row, timed

if TYPE_CHECKING:
    from tensorflow import Tensor

    from kerascnn.style import StyleSettings

_CONTENT, _STYLE = "sample:cat", "sample:style-swirls"


@row("style-256")
def style_256(repeat: int) -> Measured:
    """A step of a painting, 256 × 256, L-BFGS with ten pairs, against bare forward and backward."""
    return _step(256, repeat)


@row("style-512")
def style_512(repeat: int) -> Measured:
    """A step of a painting, 512 × 512, L-BFGS with ten pairs, against bare forward and backward."""
    return _step(512, repeat)


def _step(size: int, repeat: int) -> Measured:
    """Time a step, against TensorFlow's gradient of the same layers' sum by the picture."""
    import numpy as np
    import tensorflow as tf
    import tf_keras

    from kerascnn.models import vgg16_features
    from kerascnn.style import StyleSettings, StyleTransfer
    from kerascnn.style.optimisers import Lbfgs
    from kerascnn.style.session import PaintingSession
    from kerascnn.style.transfer import encode

    settings = StyleSettings(size=size, coarse_to_fine=False, pooling="max", padding="zero")
    transfer = StyleTransfer(settings, [_STYLE])
    random = np.random.default_rng(0)
    session = PaintingSession(transfer, transfer.scene(random.random((size, size, 3), np.float32)))
    targets = transfer.targets(session.scene, (size, size))
    optimiser = Lbfgs(encode(session.scene.content))

    def ours() -> object:
        return optimiser.step(lambda picture: transfer.objective.evaluate(picture, targets))

    whole = vgg16_features((None, None, 3))
    layers = [whole.get_layer(tap.name).output for tap in transfer.objective.taps]
    part = tf_keras.Model(whole.input, layers)

    def gradient(picture: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            tape.watch(picture)
            value = tf.add_n([tf.reduce_sum(maps) for maps in part(picture)])
        return tape.gradient(value, picture)

    bare = tf.function(gradient, input_signature=[tf.TensorSpec((1, None, None, 3))])
    picture = tf.constant(encode(session.scene.content))
    bare(picture)
    for _ in range(11):  # until ten pairs are there
        ours()
    bar = Bar(ratio=1.1, peers={"pytorch": 1.18})  # 0.85 of its time
    return in_turns(bar, ours, lambda: np.asarray(bare(picture)), repeat)


@row("style-default", most=2)
def style_default(repeat: int) -> Measured:
    """`kerascnn style` with nothing else, a whole process."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "kerascnn", "style", "-o", f"{folder}/out.png"]

        def ours() -> object:
            return subprocess.run(command, check=True, capture_output=True)

        return Measured([timed(ours) for _ in range(repeat)], [], Bar(seconds=60.0))


@row("style-broad", most=3)
def style_broad(repeat: int) -> Measured:
    """Broad strokes first, to the loss of 50 steps of plain L-BFGS at 256 pixels, against these."""
    from kerascnn.style import StyleSettings

    plain = StyleSettings(size=256, coarse_to_fine=False, iterations=50, plateau=0.0, broad=False)
    ours = StyleSettings(size=256, coarse_to_fine=False, iterations=200, plateau=0.0)
    return _race(plain, ours, repeat, Bar())


@row("style-schedule", most=1, by_name=True)
def style_schedule(repeat: int) -> Measured:
    """To the loss of 300 steps of plain L-BFGS from the content at 512 pixels, against these."""
    return _schedule(512, "content", repeat)


@row("style-schedule-noise", most=1, by_name=True)
def style_schedule_noise(repeat: int) -> Measured:
    """To the loss of 300 steps from noise, as neural-style begins, against these."""
    return _schedule(512, "noise", repeat)


@row("style-schedule-192", most=1)
def style_schedule_small(repeat: int) -> Measured:
    """As style-schedule at 192 pixels, which takes minutes instead of an hour."""
    return _schedule(192, "content", repeat)


@row("style-schedule-noise-192", most=1)
def style_schedule_noise_small(repeat: int) -> Measured:
    """As style-schedule-noise at 192 pixels."""
    return _schedule(192, "noise", repeat)


def _schedule(size: int, start: str, repeat: int) -> Measured:
    """Race one size and broad strokes, which is our quickest way to a low loss, against plain."""
    from kerascnn.style import StyleSettings

    one = StyleSettings(size=size, coarse_to_fine=False, iterations=300, plateau=0.0)
    plain = one.model_copy(update={"start": start, "broad": False})
    return _race(plain, one.model_copy(update={"history": 60}), repeat, Bar(ratio=0.25))


def _race(plain: StyleSettings, ours: StyleSettings, repeat: int, bar: Bar) -> Measured:
    """Time all steps of one painting, and another until its loss is as low."""
    from kerascnn.style import StyleTransfer
    from kerascnn.style.session import PaintingSession

    def paint(settings: StyleSettings, goal: float) -> tuple[float, float]:
        transfer = StyleTransfer(settings, [_STYLE])
        session = PaintingSession(transfer, transfer.scene(_CONTENT))
        if goal:  # steps enough at the largest size, so that it is the loss that ends it
            last = replace(session.scene.stages[-1], steps=1000)
            session.scene = replace(session.scene, stages=[*session.scene.stages[:-1], last])
        session.forecast()  # compiles
        began, final = time.perf_counter(), len(session.scene.stages) - 1
        for step in session.steps():
            if step.stage == final and step.loss <= goal:
                break
        return time.perf_counter() - began, session.history[-1].loss

    pairs = []
    for _ in range(repeat):
        theirs, goal = paint(plain, 0.0)
        mine, reached = paint(ours, goal)
        print(f"  goal {goal:.5g}, reached {reached:.5g}", file=sys.stderr)
        pairs.append((mine if reached <= goal else float("inf"), theirs))
    return Measured([pair[0] for pair in pairs], [pair[1] for pair in pairs], bar)
