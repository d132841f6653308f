"""`InputSpec`: in what range, order and size a model wants its pictures.

Reading, clipping, noise, occluder fills, baselines and display all use this one record.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kerascnn.errors import UsageError, one_line

# Means and deviations of ImageNet's training pictures, as keras.applications has them.
_CAFFE_MEAN_BGR = np.array((103.939, 116.779, 123.68))
_TORCH_MEAN = np.array((0.485, 0.456, 0.406))
_TORCH_STD = np.array((0.229, 0.224, 0.225))

# Factor and offset from [0, 1] to the model's values.
_RANGES: dict[str, tuple[float | np.ndarray, float | np.ndarray]] = {
    "unit": (1.0, 0.0),
    "symmetric": (2.0, -1.0),
    "caffe": (255.0, -_CAFFE_MEAN_BGR),
    "torch": (1.0 / _TORCH_STD, -_TORCH_MEAN / _TORCH_STD),
    "raw": (255.0, 0.0),
}
PREPROCESSINGS: tuple[str, ...] = tuple(_RANGES)
"""The known ways from a picture to a model's values, see `InputSpec.preprocessing`."""

_ANY_SIZE = 96  # for a model without a fixed size: survives five halvings


@dataclass(frozen=True)
class InputSpec:
    """What a model wants to be fed.

    Attributes:
        shape: height, width and channels of the picture as visualizers see it (channels last);
            a height or width of None takes any size.
        preprocessing: ``"unit"``: [0, 1]; ``"symmetric"``: [-1, 1]; ``"raw"``: 0–255;
            ``"torch"``: [0, 1] less ImageNet's mean, over its deviation; ``"caffe"``: 0–255, blue
            first, less ImageNet's mean.
        source: why, in words: ``"asked for"``, ``"Rescaling layer 'rescaling'"``, ``"assumed"``.

    Raises:
        UsageError: the preprocessing is not one of `PREPROCESSINGS`, or does not go with the
            number of channels.
    """

    shape: tuple[int | None, int | None, int]
    preprocessing: str
    source: str

    def __post_init__(self) -> None:
        if self.preprocessing not in PREPROCESSINGS:
            given = one_line(self.preprocessing, 60)
            raise UsageError(
                f"preprocessing must be one of {', '.join(PREPROCESSINGS)}. Received: {given}"
            )
        if self.preprocessing in ("caffe", "torch") and self.channels != 3:
            raise UsageError(
                f"preprocessing {self.preprocessing} has a mean for each of three colours, the "
                f"model takes {self.channels} channel(s); choose unit, symmetric or raw"
            )

    def probe(self) -> np.ndarray:
        """Return one picture of even noise, 1×H×W×C, the same each time: to compare two ways by."""
        height, width, channels = self.shape
        shape = (1, height or _ANY_SIZE, width or _ANY_SIZE, channels)
        unit = np.random.default_rng(0).random(shape)
        return np.asarray(self.low + unit * self.noise_scale, np.float32)

    @property
    def channels(self) -> int:
        """The number of channels."""
        return self.shape[2]

    @property
    def low(self) -> np.ndarray:
        """The least value of each channel (what black is), float32 of shape (C,)."""
        return self._affine(0.0)

    @property
    def high(self) -> np.ndarray:
        """The largest value of each channel (what white is), float32 of shape (C,)."""
        return self._affine(1.0)

    @property
    def grey(self) -> np.ndarray:
        """Mid grey in the model's own values, float32 of shape (C,): occluder, constant start."""
        return self._affine(0.5)

    @property
    def noise_scale(self) -> np.ndarray:
        """The range of each channel (C,): noise of standard deviation σ is σ × this."""
        return np.asarray(self.high - self.low)

    def encode(self, unit_rgb: np.ndarray) -> np.ndarray:
        """Turn a picture into the model's values.

        Args:
            unit_rgb: values in [0, 1], shape (…, H, W, C), red first where C is 3.

        Returns:
            The model's values, float32, of the same shape.
        """
        unit = np.asarray(unit_rgb)
        return self._affine(unit[..., ::-1] if self.preprocessing == "caffe" else unit)

    def decode(self, values: np.ndarray) -> np.ndarray:
        """Turn the model's values into a picture to look at.

        Args:
            values: shape (…, H, W, C), in the model's range; what lies outside is clipped.

        Returns:
            float32 in [0, 1], of the same shape, red first where C is 3.
        """
        scale, offset = self._scale_and_offset()
        unit = np.clip((np.asarray(values) - offset) / scale, 0.0, 1.0).astype(np.float32)
        return np.ascontiguousarray(unit[..., ::-1]) if self.preprocessing == "caffe" else unit

    def clip(self, values: np.ndarray) -> np.ndarray:
        """Return ``values`` (…, H, W, C) cut to the range from `low` to `high`."""
        return np.asarray(np.clip(values, self.low, self.high))

    def to_dict(self) -> dict[str, object]:
        """Return it as JSON takes it, for manifests and ``inspect``."""
        return {
            "shape": list(self.shape),
            "preprocessing": self.preprocessing,
            "source": self.source,
            "low": [round(float(value), 6) for value in self.low],
            "high": [round(float(value), 6) for value in self.high],
            "channel_order": self.channel_order,
        }

    @property
    def channel_order(self) -> str:
        """``"RGB"``, ``"BGR"``, ``"grey"``, or ``""`` where channels are no colours."""
        if self.channels == 3:
            return "BGR" if self.preprocessing == "caffe" else "RGB"
        return "grey" if self.channels == 1 else ""

    def _affine(self, unit: np.ndarray | float) -> np.ndarray:
        # In double precision: 255·(k/255) in single precision misses k by up to 8e-6.
        scale, offset = self._scale_and_offset()
        return np.asarray(np.asarray(unit) * scale + offset, np.float32)

    def _scale_and_offset(self) -> tuple[np.ndarray, np.ndarray]:
        scale, offset = _RANGES[self.preprocessing]
        return scale * np.ones(self.channels), offset * np.ones(self.channels)
