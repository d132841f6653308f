"""Every honest model is prepared, verified against the original, and asked."""

from __future__ import annotations

import numpy as np
import pytest

from helpers import honest_models
from kerascnn import ModelError, Network

#: Inputs that are no pictures: volumes and films.
NO_PICTURE = {"three_dimensional", "over_time"}


@pytest.mark.parametrize("name", sorted(set(honest_models.HONEST) - honest_models.LARGE))
def test_it_is_prepared_and_derived(name, keras):
    model = honest_models.HONEST[name](keras)
    if name in NO_PICTURE:
        with pytest.raises(ModelError, match="no picture"):
            Network(model)
        return
    network = Network(model)  # raises where the prepared outputs differ from the original's
    height, width, channels = network.input.shape
    shape = (2, height or 32, width or 32, channels)
    images = network.input.encode(np.random.default_rng(0).random(shape, np.float32))
    scores = network.scores(images)
    assert scores.shape == (2, network.classes)
    gradients = network.gradients(images, scores.argmax(axis=-1))
    assert gradients.shape == images.shape
    assert np.isfinite(gradients).all()
