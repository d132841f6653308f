"""The histogram counts every number once."""

import numpy as np
import pytest
from kerascnn_layer_histogram import LayerHistogram

from kerascnn import UsageError
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
    low, high = result.x[1, 2], result.x[1, 3]
    share = ((values >= low) & (values < high)).mean()
    np.testing.assert_allclose(result.values[1, 2], share, atol=2 / values.size)
    assert result.facts["second"]["zeros"] == (values == 0).mean()


def test_an_unknown_layer_is_told():
    images = np.zeros((1, 24, 24, 3), np.float32)
    with pytest.raises(UsageError, match="third"):
        LayerHistogram(layer=("third",)).visualize(tiny_network(), images, None)
