"""Sound as a picture: rows are frequencies, columns are moments."""

from __future__ import annotations

import functools
import io
import math
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kerascnn.errors import DataError, one_line

#: Rows: bands of the mel scale, the lowest first.
BANDS = 40
#: Columns: moments, 25 ms apart.
FRAMES = 40
#: A clip: what is longer is cut, what is shorter ends in silence.
SECONDS = 1.0
#: Hertz to which sounds are resampled.
RATE = 16_000

_HOP = round(RATE * SECONDS / FRAMES)
_WINDOW = 640  # 40 ms
_TRANSFORM = 1024
_LOWEST, _HIGHEST = 60.0, 7600.0  # Hertz
_DECIBELS = 60.0  # below the loudest: black
_RATES = (8_000, 192_000)
# A second of eight channels at the highest rate, and what may come before it.
_MOST_BYTES = 8 << 20
_EXTENSIBLE = b"\xfe\xff"
_PLAIN = bytes.fromhex("0100000000001000800000aa00389b71")

Samples = npt.NDArray[np.float64]


def spectrogram(samples: Samples, rate: int = RATE) -> npt.NDArray[np.uint8]:
    """Return a sound's spectrogram: bands of the mel scale, in decibels below the loudest.

    Args:
        samples: N of any unit; one channel.
        rate: how many are in a second.

    Returns:
        40×40, uint8: bands from low to high, moments; 255 is the loudest, 0 is 60 dB below.
    """
    if rate != RATE:
        from scipy.signal import resample_poly

        shared = math.gcd(rate, RATE)
        samples = resample_poly(samples[: round(rate * SECONDS)], RATE // shared, rate // shared)
    padded = np.zeros(_HOP * (FRAMES - 1) + _WINDOW)
    heard = samples[: round(RATE * SECONDS)]
    padded[: len(heard)] = heard
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW), _TRANSFORM)) ** 2
    bands = _mel_bands() @ power.T
    loudest = bands.max()
    if loudest <= 0:
        return np.zeros((BANDS, FRAMES), np.uint8)
    decibels = 10 * np.log10(np.maximum(bands / loudest, 1e-12))
    shades = np.rint(255 * np.clip(1 + decibels / _DECIBELS, 0, 1))
    return np.asarray(shades, np.uint8)


@functools.cache
def _mel_bands() -> npt.NDArray[np.float64]:
    """Return overlapping triangles, evenly spaced on the mel scale: bands × frequencies."""
    low, high = (_mel(hertz) for hertz in (_LOWEST, _HIGHEST))
    corners = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(_TRANSFORM, 1 / RATE)
    left, middle, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising = (frequencies - left) / (middle - left)
    falling = (right - frequencies) / (right - middle)
    triangles = np.maximum(0, np.minimum(rising, falling))
    return np.asarray(triangles / triangles.sum(axis=1, keepdims=True))


def _mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)


def hertz(band: float) -> float:
    """Return the frequency in the middle of a band, 0 to 39."""
    low, high = (_mel(bound) for bound in (_LOWEST, _HIGHEST))
    return float(700 * (10 ** ((low + (high - low) * (band + 1) / (BANDS + 1)) / 2595) - 1))


def read_wav(path: Path) -> tuple[Samples, int]:
    """Read the first second of a WAV file of whole numbers; channels are averaged.

    Returns:
        Samples from −1 to 1, and how many are in a second.

    Raises:
        DataError: it can't be read, or is none; one line that names it.
    """
    shown = one_line(path)
    try:
        with wave.open(_opened(path), "rb") as stream:
            channels, width, rate, *_ = stream.getparams()
            if not _RATES[0] <= rate <= _RATES[1]:
                raise DataError(
                    f"{shown}: must have {_RATES[0]:,} to {_RATES[1]:,} samples a second. "
                    f"Received: {rate:,}"
                )
            if width not in (1, 2, 3, 4) or channels > 8:
                raise DataError(
                    f"{shown}: must have samples of 8 to 32 bits and at most 8 channels. "
                    f"Received: {8 * width} bits, {channels} channels"
                )
            data = stream.readframes(round(rate * SECONDS))
    except (OSError, EOFError, wave.Error, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{shown}: not a WAV file ({one_line(reason, 120) or 'it ends early'})"
        ) from error
    data = data[: len(data) - len(data) % (width * channels)]
    if not data:
        raise DataError(f"{shown}: holds no sound")
    if width == 3:  # as the upper bytes of four
        parts = np.frombuffer(data, "u1").reshape(-1, 3)
        data, width = np.pad(parts, ((0, 0), (1, 0))).tobytes(), 4
    values = np.frombuffer(data, {1: "u1", 2: "<i2", 4: "<i4"}[width]).astype(np.float64)
    if width == 1:  # eight bits have no sign
        values -= 128
    return values.reshape(-1, channels).mean(axis=1) / 2.0 ** (8 * width - 1), rate


def _opened(path: Path) -> io.BytesIO:
    """Return the head of a file that holds its first second.

    Recorders name the format of 24 bits "extensible", and the plain one as its subformat. Python's
    reader accepts that from 3.12 on; here the plain one is put in its place.
    """
    if not path.is_file():
        raise OSError("not an ordinary file")
    with path.open("rb") as stream:
        data = bytearray(stream.read(_MOST_BYTES))
    at = data.find(b"fmt ") + 8
    if data[at : at + 2] == _EXTENSIBLE and data[at + 24 : at + 40] == _PLAIN:
        data[at : at + 2] = _PLAIN[:2]
    return io.BytesIO(data)
