"""`Film`: pictures that follow one another, and the bytes of its GIF or MP4 file."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kerascnn.errors import OutputError, UsageError, one_line
from kerascnn.results.images import Images

if TYPE_CHECKING:
    import numpy as np


class Film(Images):
    """Pictures that follow one another; also written as a film.

    Attributes:
        format: ``"gif"`` or ``"mp4"``.
        rate: pictures per second.
    """

    format: str = "gif"
    rate: float = 12.0

    def files(self, decode: Callable[[np.ndarray], np.ndarray]) -> dict[str, bytes]:
        """Return the film."""
        return {self.format: encode(decode(self.values), self.format, self.rate)}

    @staticmethod
    def check_format(format: str) -> None:
        """Check that a film can be written, before long work begins.

        Raises:
            UsageError: the format is unknown, or the package that writes it is not installed.
        """
        if format == "gif":
            return
        if format != "mp4":
            raise UsageError(f"a film is gif or mp4. Received: {one_line(format, 40)!r}")
        try:
            import imageio.v2  # noqa: F401
            import imageio_ffmpeg  # noqa: F401
        except ImportError as error:
            raise UsageError(
                "an MP4 film needs two more packages: pip install 'kerascnn[film]' "
                "(or use --film gif)"
            ) from error


def encode(pictures: np.ndarray, format: str, rate: float) -> bytes:
    """Return a film as the bytes of its file.

    Args:
        pictures: N×H×W×C in [0, 1]; one channel is grey, three are RGB.
        format: ``"gif"`` or ``"mp4"``.
        rate: pictures per second.

    Raises:
        UsageError: the format can't be written here.
        OutputError: writing failed.
    """
    import numpy as np

    Film.check_format(format)
    frames = np.round(np.clip(pictures, 0.0, 1.0) * 255).astype(np.uint8)
    if frames.shape[-1] == 1:
        frames = np.repeat(frames, 3, axis=-1)
    return _gif(frames[..., :3], rate) if format == "gif" else _mp4(frames[..., :3], rate)


def _gif(frames: np.ndarray, rate: float) -> bytes:
    from PIL import Image

    # Each picture has its own 256 colours: shared by a whole film they would show as bands.
    pictures = [Image.fromarray(frame).quantize(256, dither=Image.Dither.NONE) for frame in frames]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=round(1000 / rate),
        loop=0,
    )
    return buffer.getvalue()


def _mp4(frames: np.ndarray, rate: float) -> bytes:
    import imageio.v2 as imageio

    # The usual colour subsampling needs sides of even length.
    even = frames[:, : frames.shape[1] // 2 * 2, : frames.shape[2] // 2 * 2]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        try:
            imageio.mimwrite(path, list(even), fps=rate, quality=8, macro_block_size=2)
            return path.read_bytes()
        except (OSError, RuntimeError, ValueError) as error:
            raise OutputError(f"can't write the MP4 film: {one_line(error)}") from error
