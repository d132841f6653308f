"""The content's colours kept: its chroma under painted luminance, or the style in its colours.

Gatys, Bethge, Hertzmann and Shechtman (2016), "Preserving color in neural artistic style transfer".
"""

from __future__ import annotations

import numpy as np

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_FLOOR = 1e-5


def luminance(unit: np.ndarray) -> np.ndarray:
    """Return a picture's luminance (ITU-R 601) as a grey picture of three channels."""
    return np.repeat((unit @ _LUMA)[..., np.newaxis], 3, axis=-1)


def in_range_of(style: np.ndarray, content: np.ndarray) -> np.ndarray:
    """Return a grey style whose mean and spread of luminance are the content's."""
    mean, spread = float(style.mean()), float(style.std())
    matched = (style - mean) * (content.std() / max(spread, _FLOOR)) + content.mean()
    return np.asarray(np.clip(matched, 0.0, 1.0), np.float32)


def with_chroma_of(painted: np.ndarray, content: np.ndarray) -> np.ndarray:
    """Return the painting's luminance with the content's chroma.

    Args:
        painted: H×W×3 in [0, 1].
        content: of the same size.
    """
    moved = luminance(painted) - luminance(content)
    return np.asarray(np.clip(content + moved, 0.0, 1.0), np.float32)


def with_histogram_of(style: np.ndarray, content: np.ndarray) -> np.ndarray:
    """Return the style with the content's mean colour and covariance of colours.

    The linear map is Σ_c^½ Σ_s^−½ of the two covariances.

    Args:
        style: H×W×3 in [0, 1].
        content: of any size.
    """
    theirs, mine = style.reshape(-1, 3), content.reshape(-1, 3)
    root = _power(np.cov(mine.T), 0.5) @ _power(np.cov(theirs.T), -0.5)
    matched = (theirs - theirs.mean(0)) @ root.T + mine.mean(0)
    return np.asarray(np.clip(matched, 0.0, 1.0), np.float32).reshape(style.shape)


def _power(covariance: np.ndarray, exponent: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(np.asarray(covariance, np.float64))
    return np.asarray((vectors * np.maximum(values, _FLOOR) ** exponent) @ vectors.T)
