"""The histogram counts every number once."""

import numpy as np
import pytest
from kerascnn_layer_histogram import Histograms, LayerHistogram

from kerascnn import Result, UsageError, draw
from kerascnn.testing import check_visualizer, families, tiny_network


def test_it_keeps_the_contract():
    check_visualizer(LayerHistogram)


@pytest.mark.parametrize("family", families())
def test_it_counts_every_number_once(family):
    network = tiny_network(family)
    images = np.random.default_rng(0).random((3, 24, 24, 3), np.float32)
    result = LayerHistogram(bins=7).visualize(network, images, None)
    assert result.names == ["first", "second", "classes"]
    np.testing.assert_allclose(result.values.sum(axis=1), 1, rtol=1e-6)
    values = network.activations(images, "second")
    low, high = result.edges[1, 2], result.edges[1, 3]
    share = ((values >= low) & (values < high)).mean()
    np.testing.assert_allclose(result.values[1, 2], share, atol=2 / values.size)
    assert result.facts["second"]["zeros"] == (values == 0).mean()


def test_its_own_kind_is_read_back_and_drawn_as_it_says(tmp_path):
    edges = np.array([[-1.0, 1.0, 2.0], [1.0, 2.0, 3.0]])
    result = Histograms([[0.25, 0.75], [0.5, 0.5]], edges, ["a", "b"], captions=["x", "y"])
    result.save(tmp_path / "r.npz")
    loaded = Result.load(tmp_path / "r.npz")
    assert type(loaded) is Histograms
    one, other = draw(loaded, lambda values: values).axes
    assert [bar.get_height() for bar in one.patches] == [0.25, 0.75]
    assert [bar.get_x() for bar in other.patches] == [1.0, 2.0]
    holds_zero, plain = (bar.get_facecolor() for bar in one.patches)
    assert holds_zero != plain
    assert {bar.get_facecolor() for bar in other.patches} == {plain}


def test_an_unknown_layer_is_told():
    images = np.zeros((1, 24, 24, 3), np.float32)
    with pytest.raises(UsageError, match="third"):
        LayerHistogram(layer=("third",)).visualize(tiny_network(), images, None)
