"""Results in notebooks: drawn when a cell ends in one."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

from kerascnn.errors import one_line
from kerascnn.render.figure import draw, to_png

if TYPE_CHECKING:
    import numpy as np

    from kerascnn.results.base import Result


def bundle(result: Result) -> dict[str, str | bytes]:
    """Return a result as a notebook shows it, in each form by its MIME type.

    Pictures are drawn from their lowest value to their highest: a result doesn't know its network.
    A `Run` does, and shows itself in the model's own colours.
    """
    picture = to_png(draw(result, _unit))
    return {"image/png": picture, "text/html": _html(result, picture)}


def _html(result: Result, png: bytes) -> str:
    """Return the picture, and the notes below it."""
    picture = base64.b64encode(png).decode("ascii")
    title = escape(one_line(result.title), quote=True)
    notes = "".join(f"<li>{escape(one_line(note))}</li>" for note in result.notes)
    return (
        f'<figure><img src="data:image/png;base64,{picture}" alt="{title}" '
        f'style="max-width: 100%">{f"<ul>{notes}</ul>" if notes else ""}</figure>'
    )


def _unit(values: np.ndarray) -> np.ndarray:
    """Return pictures in [0, 1]: from their lowest to their highest value, unless they are."""
    import numpy as np

    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 1:
        return values
    return np.asarray((values - low) / ((high - low) or 1.0), np.float32)
