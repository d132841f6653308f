"""The packaged convolutions of VGG16."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.paths import TESTS
from kerascnn import Network
from kerascnn.images import read_picture
from kerascnn.models import vgg16_features

FULL = np.load(TESTS / "data" / "vgg16-features.npz")


@pytest.fixture(scope="module")
def network():
    return Network(vgg16_features((64, 64, 3)))


def test_the_shapes_are_those_of_the_paper():
    model = vgg16_features()
    assert model.output_shape == (None, 7, 7, 512)
    assert model.count_params() == 14_714_688
    first = model.get_layer("block1_conv1")
    # The numbers by which the full file is known.
    assert abs(float(first.bias[0]) - 0.73429835) < 5e-4
    assert abs(float(np.max(model.get_layer("block5_conv3").bias)) - 9.431553) < 5e-3


def test_its_input_is_told_by_its_name(network):
    assert network.input.preprocessing == "caffe"
    assert network.head.kind == "features"


@pytest.mark.parametrize("layer", sorted(FULL.files))
def test_half_precision_gives_the_features_of_the_full_weights(network, layer):
    import kerascnn

    path = Path(kerascnn.__file__).parent / "images" / "samples" / "cat.jpg"
    picture = read_picture(path, network.input).values[None]
    ours, full = network.activations(picture, layer).ravel()[::7], FULL[layer]
    cosine = (ours @ full) / np.sqrt((ours @ ours) * (full @ full))
    assert cosine >= 0.9999


def test_it_is_built_in(command, tmp_path):
    done = command("visualize", "--plugin", "filters", "builtin:vgg16", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "kerascnn-out" / "vgg16" / "filters" / "filters.png").is_file()
