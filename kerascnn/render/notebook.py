"""Results in notebooks: drawn when a cell ends in one."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING, Any

from kerascnn.errors import one_line

if TYPE_CHECKING:
    import numpy as np

    from kerascnn.results.base import Result


def png(result: Result) -> bytes:
    """Return a result drawn, as a PNG file; pictures from their least value to their largest.

    A `Run` knows its network, and shows itself in the model's own colours.
    """
    from kerascnn.render import draw, to_png

    return to_png(draw(result, _unit))


def bundle(result: Result) -> dict[str, Any]:
    """Return a result as a notebook shows it, in each form by its MIME type."""
    picture = png(result)
    return {"image/png": picture, "text/html": html(result, picture)}


def html(result: Result, png: bytes) -> str:
    """Return a result as HTML: the picture, and the notes below it."""
    picture = base64.b64encode(png).decode("ascii")
    title = escape(one_line(result.title), quote=True)
    notes = "".join(f"<li>{escape(one_line(note))}</li>" for note in result.notes)
    return (
        f'<figure><img src="data:image/png;base64,{picture}" alt="{title}" '
        f'style="max-width: 100%">{f"<ul>{notes}</ul>" if notes else ""}</figure>'
    )


def _unit(values: np.ndarray) -> np.ndarray:
    """Return pictures from 0 to 1: from their least to their largest value, unless they are."""
    import numpy as np

    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 1:
        return values
    return np.asarray((values - low) / ((high - low) or 1.0), np.float32)
