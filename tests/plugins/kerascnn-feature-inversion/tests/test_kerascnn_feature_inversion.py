"""Feature inversion gets back what a layer kept, and nothing else."""

import numpy as np
import pytest
from kerascnn_feature_inversion import FeatureInversion

from kerascnn.testing import check_visualizer, families, tiny_network


def test_it_keeps_the_contract():
    check_visualizer(FeatureInversion(steps=3))


@pytest.mark.parametrize("family", families())
def test_the_first_layer_still_knows_the_picture(family):
    network = tiny_network(family)
    rows, columns = np.mgrid[:24, :24] / 23
    picture = np.stack([rows, columns, (rows + columns) / 2], -1)[None].astype(np.float32)
    options = FeatureInversion(layer=("first",), steps=300, smooth=0)
    result = options.visualize(network, picture, None)
    original, found = result.values
    np.testing.assert_array_equal(original, picture[0])
    assert result.facts["error"]["first"][0] < 0.01
    grey = abs(picture[0] - 0.5).mean()
    assert abs(found - picture[0]).mean() < 0.5 * grey
