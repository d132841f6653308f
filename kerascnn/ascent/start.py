"""The picture that an ascent starts from: noise, an even grey, or a picture file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kerascnn.errors import UsageError, one_line

if TYPE_CHECKING:
    from kerascnn.network.network import Network


def start(
    network: Network,
    kind: str = "noise",
    size: tuple[int, int] | None = None,
    *,
    contrast: float = 0.1,
    seed: int = 0,
) -> np.ndarray:
    """Return one picture to start from: 1×H×W×C in the model's values.

    Args:
        network: the network whose input it is.
        kind: ``"noise"`` about mid grey, ``"constant"`` mid grey, ``"sample"`` the first packaged
            picture that fits the model (a digit for networks of digits), or the path of a picture.
        size: height and width; None for the model's own.
        contrast: standard deviation of the noise, as a share of the range from black to white.
        seed: of the noise.

    Raises:
        UsageError: the model has no fixed size and none is given, or there is no such picture.
        ImageError: the picture can't be read.
    """
    spec = network.input
    height, width = size or spec.shape[:2]
    spec = replace(spec, shape=(height, width, spec.channels))
    if Path(kind).is_file():
        from kerascnn.images import read_pictures

        return read_pictures([Path(kind)], spec)[0].values[None]
    if kind not in ("noise", "constant", "sample"):
        raise UsageError(
            "--start takes noise, constant, sample or the path of a picture. "
            f"Received: {one_line(kind, 80)!r}"
        )
    if height is None or width is None:
        raise UsageError("the model takes pictures of any size: say which, by --size")
    if kind == "sample":
        from kerascnn.images import sample_pictures

        return sample_pictures(spec, 1)[0].values[None]
    spread = contrast if kind == "noise" else 0.0
    noise = np.random.default_rng(seed).standard_normal((1, height, width, spec.channels))
    unit = np.clip(0.5 + spread * noise, 0.0, 1.0)
    return np.asarray(spec.low + unit * spec.noise_scale, np.float32)
