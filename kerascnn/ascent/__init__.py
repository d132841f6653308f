"""Gradient ascent on pictures: which picture activates a network most?

An objective is a sum of terms; `maximise` changes pictures so that it rises:

    from kerascnn import Network
    from kerascnn.ascent import Jitter, l1, maximise, start, total_variation, units

    network = Network.load("cnn.h5")
    objective = units("conv2d_1", range(12)) - 0.05 * l1() - 0.08 * total_variation()
    found = maximise(network, objective, start(network), transforms=[Jitter(2)])
    found.images   # 12×28×28×1 in the model's values

Penalties and transforms work in [0, 1] from black to white whatever the model's own values are.
"""

from __future__ import annotations

from kerascnn.ascent.dream import Dream, Dreamer, dream, match, octave_sizes, shrink, zoomed
from kerascnn.ascent.loop import Ascent, evaluate, maximise
from kerascnn.ascent.objective import (
    SCORES,
    Measure,
    Objective,
    Term,
    classes,
    measure,
    strength,
    units,
)
from kerascnn.ascent.parametrisation import Fourier, Parametrisation, Pixels
from kerascnn.ascent.penalty import l1, off_centre, power, total_variation
from kerascnn.ascent.start import start
from kerascnn.ascent.transforms import Blur, Erase, Jitter, Rotate, Scale, Transform

__all__ = [
    "SCORES",
    "Ascent",
    "Blur",
    "Dream",
    "Dreamer",
    "Erase",
    "Fourier",
    "Jitter",
    "Measure",
    "Objective",
    "Parametrisation",
    "Pixels",
    "Rotate",
    "Scale",
    "Term",
    "Transform",
    "classes",
    "dream",
    "evaluate",
    "l1",
    "match",
    "maximise",
    "measure",
    "octave_sizes",
    "off_centre",
    "power",
    "shrink",
    "start",
    "strength",
    "total_variation",
    "units",
    "zoomed",
]
