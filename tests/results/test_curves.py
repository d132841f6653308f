"""`Curves`: checked, written and read back, drawn."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.figures import is_drawn
from kerascnn import Curves, PluginError, Result
from kerascnn.render import draw, to_png

VALUES = np.random.default_rng(0).random((3, 5))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((np.zeros(5), np.zeros(5)), "N×P"),
        ((VALUES, np.zeros(4)), r"\(5,\).*\(4,\)"),
        ((VALUES, np.zeros((2, 5))), r"\(3, 5\).*\(2, 5\)"),
        ((VALUES * np.nan, np.zeros(5)), "NaN"),
    ],
)
def test_arrays_must_fit(arguments, words):
    with pytest.raises(PluginError, match=words):
        Curves(*arguments)


def test_names_must_be_as_many():
    with pytest.raises(PluginError, match=r"names must be 3\. Received 2"):
        Curves(VALUES, np.arange(5), names=["a", "b"])


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("x", [np.arange(5.0), np.arange(15.0).reshape(3, 5)])
def test_they_are_written_read_back_and_drawn(tmp_path, apart, x):
    result = Curves(
        VALUES, x, names=["$a$", "b\x1b", "c"], captions=["1", "2", "3"], x_label="x", unit="y",
        bars=True, apart=apart, title="t",
    )  # fmt: skip
    result.save(tmp_path / "curves.npz")
    loaded = Result.load(tmp_path / "curves.npz")
    assert isinstance(loaded, Curves)
    np.testing.assert_array_equal(loaded.values, np.float32(VALUES))
    assert loaded.meaning() == result.meaning()
    figure = draw(loaded, lambda values: values)
    panels = [axis for axis in figure.axes if axis.lines]
    assert len(panels) == (3 if apart else 1)
    np.testing.assert_allclose(panels[0].lines[0].get_ydata(), VALUES[0], rtol=1e-6)
    assert is_drawn(to_png(figure))
