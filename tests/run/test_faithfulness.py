"""Deletion and insertion against brute force in NumPy; shuffled weights put back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerascnn.run import faithfulness
from kerascnn.testing import families, tiny_network

RANDOM = np.random.default_rng(5)
IMAGE = RANDOM.random((5, 7, 3)).astype(np.float32)
WEIGHTS = RANDOM.normal(size=(5, 7, 3))


def score(pictures):
    return (pictures * WEIGHTS).sum(axis=(1, 2, 3))


def brute(begin, end, order, cuts):
    scores = []
    for cut in cuts:
        picture = begin.copy()
        for number in order[:cut]:
            picture[number // 7, number % 7] = end[number // 7, number % 7]
        scores.append((picture * WEIGHTS).sum())
    return np.array(scores)


@pytest.mark.parametrize("steps", [1, 7, 35, 99])
def test_curves_are_those_of_a_plain_loop(steps):
    order = RANDOM.permutation(35)
    cuts = np.round(np.linspace(0, 35, min(steps, 35) + 1)).astype(int)
    mean = np.broadcast_to(IMAGE.mean(axis=(0, 1)), IMAGE.shape).copy()
    found = faithfulness.deletion(score, IMAGE, order, steps=steps)
    np.testing.assert_allclose(found.shares, cuts / 35)
    np.testing.assert_allclose(found.scores, brute(IMAGE, mean, order, cuts), rtol=1e-5)
    soft = faithfulness.blurred(IMAGE)
    found = faithfulness.insertion(score, IMAGE, order, steps=steps)
    np.testing.assert_allclose(found.scores, brute(soft, IMAGE, order, cuts), rtol=1e-5)
    area = (
        np.trapezoid(found.scores, found.shares)
        if hasattr(np, "trapezoid")
        else np.trapz(found.scores, found.shares)
    )
    assert found.area == pytest.approx(area)


def test_of_all_orders_a_linear_networks_own_shares_delete_best():
    away = (IMAGE - IMAGE.mean(axis=(0, 1))) * WEIGHTS
    own = faithfulness.by_importance(away.sum(axis=-1))
    best = faithfulness.deletion(score, IMAGE, own, steps=35).area
    for _ in range(50):
        assert best <= faithfulness.deletion(score, IMAGE, RANDOM.permutation(35), steps=35).area
    worst = faithfulness.deletion(score, IMAGE, own[::-1], steps=35).area
    assert best < worst


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 30), st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_coarse_maps_are_stretched_without_new_extremes(h, w, height, width):
    values = np.random.default_rng(h * 100 + w).normal(size=(h, w))
    found = faithfulness.importance(values, (height, width))
    assert found.shape == (height, width)
    assert found.min() >= values.min() - 1e-12
    assert found.max() <= values.max() + 1e-12
    same = faithfulness.importance(np.full((h, w), 3.0), (height, width))
    np.testing.assert_allclose(same, 3.0)


def test_a_map_of_the_pictures_size_stays_and_low_is_turned():
    values = RANDOM.normal(size=(5, 7))
    np.testing.assert_array_equal(faithfulness.importance(values, (5, 7)), values)
    np.testing.assert_array_equal(faithfulness.importance(values, (5, 7), True), -values)


def test_the_most_important_comes_first_and_equals_in_no_row_order():
    order = faithfulness.by_importance(np.array([[0.0, 3.0], [1.0, 0.0]]))
    assert list(order[:2]) == [1, 2]
    blank = faithfulness.by_importance(np.zeros((10, 10)))
    assert sorted(blank) == list(range(100))
    assert list(blank) != list(range(100))


def test_likeness():
    maps = RANDOM.normal(size=(3, 8, 8))
    assert faithfulness.likeness(maps, maps) == pytest.approx(1)
    assert faithfulness.likeness(maps, -2 * maps) == pytest.approx(1)
    assert faithfulness.likeness(maps, np.exp(np.abs(maps))) == pytest.approx(1)
    assert abs(faithfulness.likeness(maps, RANDOM.normal(size=maps.shape))) < 0.35
    assert faithfulness.likeness(maps, np.zeros_like(maps)) == 0
    up = np.arange(64.0).reshape(1, 8, 8)
    assert faithfulness.likeness(up, up[:, ::-1, ::-1]) == pytest.approx(-1)


@pytest.mark.parametrize("family", families())
def test_weights_are_shuffled_among_themselves_and_put_back(family):
    network = tiny_network(family)
    images = RANDOM.random((2, 24, 24, 3)).astype(np.float32)
    before, scores = network.model.get_weights(), network.scores(images)
    with faithfulness.shuffled(network) as other:
        during = other.model.get_weights()
        assert abs(other.scores(images) - scores).max() > 1e-3
    for old, new in zip(before, during, strict=True):
        np.testing.assert_array_equal(np.sort(old.ravel()), np.sort(new.ravel()))
    assert (before[0] != during[0]).any()
    np.testing.assert_array_equal(network.scores(images), scores)
    with pytest.raises(KeyError), faithfulness.shuffled(network):
        raise KeyError
    for old, new in zip(before, network.model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
