"""The plugin author's tests in one call: `check_visualizer`.

    from kerascnn.testing import check_visualizer

    def test_it_is_valid():
        check_visualizer(MyVisualizer)

Needs no test framework: what is wrong is an `AssertionError` of one line.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.machinery
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kerascnn.errors import KerascnnError, ModelError, PluginError, one_line
from kerascnn.families import keras_of
from kerascnn.plugin.visualizer import Visualizer

if TYPE_CHECKING:
    import numpy as np

    from kerascnn.network.network import Network
    from kerascnn.results.base import Result

__all__ = ["FAMILIES", "check_visualizer", "families", "tiny_network"]

FAMILIES: tuple[str, ...] = ("keras2", "keras3")
"""The two Keras generations."""

SIDE = 24
"""Pixels a side of the tiny networks' pictures."""

_SLOW = ("tensorflow", "keras", "tf_keras", "matplotlib", "scipy", "PIL", "h5py")


def check_visualizer(
    visualizer: type[Visualizer] | Visualizer,
    *,
    networks: Sequence[Network] | None = None,
    pictures: np.ndarray | None = None,
    target: str = "predicted",
) -> None:
    """Check that a visualizer does what users of kerascnn rely on.

    - It has a name, a docstring, and help for each option; its defaults are within their bounds.
    - Its module loads neither TensorFlow nor Matplotlib.
    - On a tiny network of each Keras generation: finite values of the right shapes; images and
      weights unchanged; the same seed gives the same numbers; the result is written to NPZ and read
      back without loss; it can be drawn.

    Args:
        visualizer: the class, which runs with its defaults, or an instance with options that
            make it fast.
        networks: the networks to query in place of the tiny ones.
        pictures: N×H×W×C in the networks' values; by default two of noise.
        target: ``predicted``, a class index or name, or ``layer:channel``.

    Raises:
        AssertionError: what is wrong, in one line.
        KerascnnError: what the visualizer itself refuses, as a network without convolutions.
    """
    asked = visualizer() if isinstance(visualizer, type) else visualizer
    _declared(type(asked))
    _loads_nothing_slow(type(asked))
    given = (tiny_network(family) for family in families()) if networks is None else networks
    for network in given:
        _answers(asked, network, pictures, target)


def families() -> list[str]:
    """Return the Keras generations that are installed: of `FAMILIES`, those that can be used."""
    found = []
    for family in FAMILIES:
        with contextlib.suppress(ModelError):
            keras_of(family)
            found.append(family)
    return found


def tiny_network(family: str = "keras3", *, channels: int = 3, seed: int = 0) -> Network:
    """Return a network that computes in milliseconds: two convolutions, three classes.

    Layers ``first`` (6 filters of 3×3), ``pool``, ``second`` (8 filters of 3×3), ``mean`` and
    ``classes``; pictures of `SIDE` × `SIDE` pixels in [0, 1].

    Args:
        family: one of `FAMILIES`.
        channels: of the pictures, 1 or 3.
        seed: of the weights.
    """
    if family not in FAMILIES:
        raise ValueError(f"family must be one of {', '.join(FAMILIES)}. Received: {family!r}")
    import numpy as np

    from kerascnn.network.network import Network

    keras = keras_of(family)
    layers = keras.layers
    inputs = keras.Input((SIDE, SIDE, channels))
    x = layers.Conv2D(6, 3, activation="relu", name="first")(inputs)
    x = layers.MaxPooling2D(name="pool")(x)
    x = layers.Conv2D(8, 3, activation="relu", name="second")(x)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    model = keras.Model(inputs, layers.Dense(3, activation="softmax", name="classes")(x))
    random = np.random.default_rng(seed)
    for weight in model.weights:
        spread = 1.0 / np.sqrt(max(np.prod(weight.shape[:-1]), 1))
        # A little above zero on average, so that no ReLU is dead for every picture.
        weight.assign((random.normal(0.1, 1.0, weight.shape) * spread).astype(np.float32))
    return Network(model, preprocessing="unit", labels=("round", "square", "other"))


# --- the class ----------------------------------------------------------------------------------


def _declared(cls: type[Visualizer]) -> None:
    from kerascnn.plugin.registry import check

    try:
        check(cls)
    except PluginError as error:
        raise AssertionError(str(error)) from None


@functools.cache
def _loads_nothing_slow(cls: type[Visualizer]) -> None:
    """Import the class's module in a fresh interpreter, and check which modules that loads."""
    name = cls.__module__
    source = getattr(sys.modules.get(name), "__file__", None)
    # A class of a notebook has no module to import; a script that calls us would run again.
    if source is None or name == "__main__":
        return
    done = subprocess.run(
        [sys.executable, "-c", _FRESH, name if _findable(name) else "", source],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        # What this process can import, the fresh one can too.
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["?"])[-1]
        raise AssertionError(f"{name} can't be imported by itself: {one_line(last)}")
    slow = [name for name in _SLOW if name in done.stdout.split()]
    if slow:
        raise AssertionError(
            f"{name} imports {', '.join(slow)} when it is loaded; import that inside the method "
            "that needs it, so that kerascnn --help stays fast"
        )


# Its arguments: the module's name, empty for a file that no search finds; and the file.
_FRESH = """
import importlib, importlib.util, sys
name, path = sys.argv[1:]
if name:
    importlib.import_module(name)
else:
    spec = importlib.util.spec_from_file_location("module_under_test", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["module_under_test"] = module
    spec.loader.exec_module(module)
print(*sys.modules)
"""


def _findable(name: str) -> bool:
    """Return whether another interpreter finds the module by its name."""
    top = name.partition(".")[0]
    return importlib.machinery.PathFinder.find_spec(top) is not None


# --- its results --------------------------------------------------------------------------------


def _answers(
    visualizer: Visualizer, network: Network, pictures: np.ndarray | None, target: str
) -> None:
    where = f"{visualizer.name} on a network of {network.family}"
    given = _pictures(visualizer, network, pictures)
    weights = [weight.copy() for weight in network.model.get_weights()]
    result = _ask(visualizer, network, given, target, where)
    _check_values(result, given, where)
    again = _ask(visualizer, network, given, target, where)
    _same(result.arrays(), again.arrays(), f"{where}: the same seed gives other numbers")
    for before, after in zip(weights, network.model.get_weights(), strict=True):
        if not (before == after).all():
            raise AssertionError(f"{where}: the network's weights are changed")
    if given is not None and len(given) > 1:
        one = _ask(visualizer, network, given[:1], target, where)
        _check_values(one, given[:1], where)
        if visualizer.streams:
            rest = _ask(visualizer, network, given[1:], target, where)
            _same(
                result.arrays(),
                one.merge(rest).arrays(),
                f"{where}: the merged results of two parts are not the whole's",
                tolerance=1e-4,
            )
    _check_files(result, given, network, where)


def _pictures(
    visualizer: Visualizer, network: Network, pictures: np.ndarray | None
) -> np.ndarray | None:
    import numpy as np

    if not visualizer.reads_images:
        return None
    if pictures is None:
        height, width, channels = network.input.shape
        random = np.random.default_rng(0)
        unit = random.random((2, height or SIDE, width or SIDE, channels), np.float32)
        pictures = network.input.encode(unit)
    # One that takes pictures of any size takes them one at a time.
    return np.array(pictures[:1] if visualizer.any_size else pictures, np.float32)


def _ask(
    visualizer: Visualizer,
    network: Network,
    images: np.ndarray | None,
    target: str,
    where: str,
) -> Result:
    from kerascnn.run.run import call

    wanted = None
    before = None if images is None else images.copy()
    if images is not None:
        if visualizer.takes_target():
            wanted = network.target(target, network.scores(images))
        images.setflags(write=False)
    try:
        result: Result = call(visualizer, network, images, wanted)
    except PluginError as error:
        if "read-only" in str(error):
            raise AssertionError(f"{where}: the images are written to; copy them first") from error
        raise AssertionError(f"{where}: {error}") from error.__cause__
    if images is not None and before is not None and not (images == before).all():
        raise AssertionError(f"{where}: the images are changed; copy them first")
    return result


def _check_values(result: Result, images: np.ndarray | None, where: str) -> None:
    import numpy as np

    arrays = result.arrays()
    if not arrays or not all(array.size for array in arrays.values()):
        raise AssertionError(f"{where}: the result holds no values")
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise AssertionError(f"{where}: {name} holds NaN or infinite numbers")
    if not result.title:
        raise AssertionError(f"{where}: the result has no title")
    if result.captions and len(result.captions) != result.count:
        raise AssertionError(
            f"{where}: {result.count} items have {len(result.captions)} captions; one each, or none"
        )
    over = getattr(result, "over", None)
    if over is not None and images is not None and over.shape != images.shape:
        raise AssertionError(
            f"{where}: over must be the images, of shape {images.shape}. Received: {over.shape}"
        )


def _same(
    first: dict[str, np.ndarray],
    second: dict[str, np.ndarray],
    complaint: str,
    tolerance: float = 0.0,
) -> None:
    import numpy as np

    if first.keys() != second.keys():
        raise AssertionError(f"{complaint}: {', '.join(first)} and {', '.join(second)}")
    for name, array in first.items():
        if array.shape != second[name].shape:
            raise AssertionError(f"{complaint}: {name} is {array.shape} and {second[name].shape}")
        if not np.allclose(array, second[name], rtol=tolerance, atol=tolerance):
            far = float(np.abs(array - second[name]).max())
            raise AssertionError(f"{complaint}: {name} differs by up to {far:.3g}")


def _check_files(result: Result, images: np.ndarray | None, network: Network, where: str) -> None:
    """Write the result, read it back, and draw it."""
    from kerascnn.render import draw, to_png
    from kerascnn.results.base import Result

    if images is not None and len(result.wanted):
        chosen = images[list(result.wanted)]
        result = result.complete(chosen, [f"picture {number}" for number in result.wanted])
    try:
        json.dumps(result.meaning())
    except TypeError as error:
        raise AssertionError(f"{where}: its facts are not what JSON takes: {error}") from error
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result.npz"
        result.save(path)
        try:
            loaded = Result.load(path)
        except KerascnnError as error:
            raise AssertionError(f"{where}: what was saved can't be read back: {error}") from error
    _same(result.arrays(), loaded.arrays(), f"{where}: saved and read back, values are others")
    if json.dumps(loaded.meaning(), sort_keys=True) != json.dumps(result.meaning(), sort_keys=True):
        raise AssertionError(f"{where}: saved and read back, the meaning is another")
    if not to_png(draw(result, network.input.decode)).startswith(b"\x89PNG"):
        raise AssertionError(f"{where}: it can't be drawn")
