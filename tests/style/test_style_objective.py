"""The loss of a painting and its slope, against formulas in double precision."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from helpers.style_oracle import Oracle, small_kernels
from kerascnn.style.features import Features, load_kernels
from kerascnn.style.masks import at_layer
from kerascnn.style.objective import Objective, Targets
from kerascnn.style.settings import StyleSettings
from kerascnn.style.statistics import statistic
from kerascnn.style.tiles import cut

RANDOM = np.random.default_rng(3)


KERNELS = small_kernels(np.random.default_rng(1))


CONTENT = {"block3_conv1": 0.7, "block4_conv2": 1.3}
STYLE = {"block1_conv1": 0.5, "block2_conv1": 1.0, "block3_conv1": 2.0, "block4_conv1": 0.4}


def picture(height, width, random=RANDOM):
    return random.uniform(-100, 100, (height, width, 3))


@functools.cache
def compiled(kind, pooling, padding, width_weights):
    """Return the loss on the small network, compiled once for all tests."""
    features = Features(KERNELS, pooling=pooling, padding=padding)
    return Objective(features, CONTENT, STYLE, statistic(kind, width_weights=width_weights))


def scene(kind, pooling="average", padding="replicate", width_weights=True, size=(37, 50),
          regions=0, pixels=10**9, tv_weight=0.02, given=None, kernels=KERNELS):  # fmt: skip
    """Return ours and the oracle's value of one picture."""
    random = np.random.default_rng(5)
    oracle = Oracle(kernels, pooling, padding)
    objective = given or compiled(kind, pooling, padding, width_weights)
    features = objective.features
    x, content = picture(*size, random), picture(*size, random)
    styles = [picture(41, 33, random) for _ in range(max(1, regions))]
    tiles = cut(size, objective.taps, pixels)
    masks, layer_masks, shares = None, [], np.ones(1)
    if regions:
        soft = random.uniform(0, 1, (regions, *size)).astype(np.float32)
        masks = {name: at_layer(soft, features.tap(name)) for name in objective.style}
        layer_masks = [masks[name] for name in objective.style]
        shares = soft.mean((1, 2))
    means = [
        objective.means_of(style[None].astype(np.float32), [], cut((41, 33), objective.taps, 10**9))
        for style in styles
    ]
    ours = objective.evaluate(
        x[None].astype(np.float32),
        Targets(
            objective.content_of(content[None].astype(np.float32), tiles),
            [
                [np.concatenate(parts) for parts in zip(*layer, strict=True)]
                for layer in zip(*means, strict=True)
            ],
            layer_masks,
            shares.astype(np.float32),
            tv_weight,
            tiles,
        ),
    )
    moments = [oracle.moments(style, objective.style) for style in styles]
    targets = {
        "content": oracle.forward(content)[0],
        "style": {name: [found[name][0] for found in moments] for name in objective.style},
    }
    theirs = oracle.loss(
        x,
        targets,
        objective.content,
        objective.style,
        kind,
        width_weights,
        masks,
        tuple(shares),
        tv_weight,
    )
    return ours, theirs, tiles


def agree(ours, theirs, tolerance=1e-4):
    terms, slope = theirs
    np.testing.assert_allclose(ours.terms, terms, rtol=tolerance)
    np.testing.assert_allclose(ours.loss, terms.sum(), rtol=tolerance)
    assert np.abs(ours.gradient[0] - slope).max() <= tolerance * np.abs(slope).max()


@pytest.mark.parametrize(
    ("kind", "pooling", "padding"),
    [
        ("gram", "average", "replicate"),
        ("gram", "max", "zero"),
        ("mean-std", "average", "replicate"),
        ("wasserstein", "average", "replicate"),
    ],
)
def test_every_term_and_the_slope_are_those_of_the_formulas(kind, pooling, padding):
    ours, theirs, tiles = scene(kind, pooling, padding)
    assert len(tiles) == 1
    agree(ours, theirs)


def test_a_distance_is_never_negative():
    """Of flat maps only rounding is left of a covariance."""
    import tensorflow as tf

    from kerascnn.style.statistics import statistic

    wasserstein = statistic("wasserstein", width_weights=True)
    values = np.random.default_rng(0).uniform(100, 1000, (20, 1, 1, 1, 8)).astype(np.float32)
    for value in values:
        maps = tf.constant(np.broadcast_to(value, (1, 30, 31, 8)))
        means = [part / np.float32(30 * 31) for part in wasserstein.sums(maps, None)]
        other = [part * np.float32(1 + 1e-7) for part in means]
        assert float(wasserstein.distance(means, other)[0]) >= 0.0


def test_layers_may_go_without_weights_by_their_width():
    agree(*scene("gram", width_weights=False)[:2])


@pytest.mark.parametrize("kind", ["gram", "mean-std", "wasserstein"])
def test_regions_are_weighed_by_their_soft_masks(kind):
    agree(*scene(kind, regions=2)[:2])


@pytest.mark.parametrize(("kind", "regions"), [("gram", 0), ("gram", 2), ("wasserstein", 0)])
def test_tiles_give_the_whole_pictures_value_and_slope(kind, regions):
    # Odd sides, so that poolings leave rows and columns out at the end.
    ours, theirs, tiles = scene(kind, size=(139, 155), regions=regions, pixels=140 * 140)
    assert len(tiles) > 1
    agree(ours, theirs)


def test_a_tile_is_never_larger_than_allowed_and_cores_fill_the_picture():
    features = Features(KERNELS, pooling="average", padding="zero")
    taps = [features.tap(name) for name in ("block1_conv1", "block5_conv1")]
    for size in ((300, 500), (497, 331), (256, 1024)):
        tiles = cut(size, taps, 240 * 260)
        seen = np.zeros(size, int)
        for tile in tiles:
            (top, bottom), (left, right) = tile.core
            seen[top:bottom, left:right] += 1
            assert tile.rows[0] % 16 == tile.columns[0] % 16 == 0
        assert (seen == 1).all()


def test_too_little_for_any_tile_is_told():
    from kerascnn import ModelError

    features = Features(KERNELS, pooling="average", padding="zero")
    with pytest.raises(ModelError, match=r"smallest tile.*--memory"):
        cut((500, 500), [features.tap("block5_conv1")], 100 * 100)


def test_a_unit_sees_no_further_than_its_reach():
    """What lies beyond a tile's margin has no influence on what is its own."""
    features = Features(KERNELS, pooling="max", padding="zero")
    tap = features.tap("block5_conv1")
    x = picture(240, 240).astype(np.float32)
    before = np.asarray(features.trace(x[None], [tap.name])[tap.name])
    x[:, : 112 - tap.reach] += 50.0
    x[:, 128 + tap.reach :] -= 50.0
    after = np.asarray(features.trace(x[None], [tap.name])[tap.name])
    np.testing.assert_array_equal(before[:, 7:8, 7], after[:, 7:8, 7])
    assert (before[:, 7, 3] != after[:, 7, 3]).any()


@pytest.fixture(scope="module")
def vgg():
    return load_kernels("vgg16", "embedded")


def test_the_real_network_agrees_too(vgg):
    """VGG16 at 32×48 and the layers of the default, against the same formulas."""
    exact = {name: (np.float64(kernel), np.float64(bias)) for name, (kernel, bias) in vgg.items()}
    chosen = StyleSettings()
    features = Features(vgg, pooling=chosen.pooling, padding=chosen.padding)
    objective = Objective(
        features, chosen.content, chosen.style, statistic("gram", width_weights=True)
    )
    agree(*scene("gram", size=(32, 48), given=objective, kernels=exact)[:2])
