"""The content's colours kept: its chroma with the painting's luminance, or a recoloured style.

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
    """Return a grey style whose luminance has the content's mean and standard deviation."""
    mean, spread = float(style.mean()), float(style.std())
    matched = (style - mean) * (content.std() / max(spread, _FLOOR)) + content.mean()
    return np.asarray(np.clip(matched, 0.0, 1.0), np.float32)


def with_chroma_of(painted: np.ndarray, content: np.ndarray) -> np.ndarray:
    """Return a painting's luminance with the content's chroma; both H×W×3 in [0, 1]."""
    moved = luminance(painted) - luminance(content)
    return np.asarray(np.clip(content + moved, 0.0, 1.0), np.float32)


def with_histogram_of(style: np.ndarray, content: np.ndarray) -> np.ndarray:
    """Return a style with the content's mean colour and covariance of colours.

    The linear map is Σ_c^½ Σ_s^−½ of the two covariances.

    Args:
        style: H×W×3 in [0, 1].
        content: the same, of any size.
    """
    old, new = style.reshape(-1, 3), content.reshape(-1, 3)
    root = _power(np.cov(new.T), 0.5) @ _power(np.cov(old.T), -0.5)
    matched = (old - old.mean(0)) @ root.T + new.mean(0)
    return np.asarray(np.clip(matched, 0.0, 1.0), np.float32).reshape(style.shape)


def _power(covariance: np.ndarray, exponent: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(np.asarray(covariance, np.float64))
    return np.asarray((vectors * np.maximum(values, _FLOOR) ** exponent) @ vectors.T)
