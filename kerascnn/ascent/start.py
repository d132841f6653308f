"""Where an ascent begins: noise, an even grey, or a picture of the user's."""

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
    """Return one picture to begin with: 1×H×W×C in the model's values.

    Args:
        network: whose input it is for.
        kind: ``"noise"`` about mid grey, ``"constant"`` mid grey, ``"sample"`` the first packaged
            picture that fits the model (a digit for networks of digits), or the path of a picture.
        size: height and width; None for the model's own.
        contrast: standard deviation of the noise, as a share of the range from black to white.
        seed: of the noise.

    Raises:
        UsageError: the model does not say its size and none is given, or no such picture.
        ImageError: the picture can't be read.
    """
    contract = network.input
    height, width = size or contract.shape[:2]
    if Path(kind).is_file():
        from kerascnn.images import read_pictures

        shape = (height, width, contract.channels)
        (picture,) = read_pictures([Path(kind)], replace(contract, shape=shape))
        return picture.values[None]
    if kind not in ("noise", "constant", "sample"):
        raise UsageError(
            "--start takes noise, constant, sample or the path of a picture. "
            f"Received: {one_line(kind, 80)!r}"
        )
    if height is None or width is None:
        raise UsageError("the model takes pictures of any size: say which, by --size")
    if kind == "sample":
        from kerascnn.images import sample_pictures

        shape = (height, width, contract.channels)
        return sample_pictures(replace(contract, shape=shape), 1)[0].values[None]
    spread = contrast if kind == "noise" else 0.0
    noise = np.random.default_rng(seed).standard_normal((1, height, width, contract.channels))
    unit = np.clip(0.5 + spread * noise, 0.0, 1.0)
    return np.asarray(contract.low + unit * contract.noise_scale, np.float32)
