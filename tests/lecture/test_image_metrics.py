"""What pictures look like, in numbers: against pictures of which the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from kerascnn.lecture.experiments import image_metrics

RANDOM = np.random.default_rng(0)
NOISE = RANDOM.random((4, 64, 64))
ROWS, COLUMNS = np.mgrid[:64, :64]


def test_waves_run_in_one_direction_and_noise_in_none():
    waves = np.stack([np.sin(2 * np.pi * (ROWS * np.cos(a) + COLUMNS * np.sin(a)) / 8)
                      for a in (0, 0.5, 1.2)])  # fmt: skip
    assert image_metrics.coherence(waves) == pytest.approx(1, abs=0.05)
    assert (image_metrics.coherence(NOISE) < 0.1).all()


def test_neighbours_are_alike_in_what_is_smooth():
    assert np.abs(image_metrics.neighbours_alike(NOISE)).max() < 0.05
    slope = (ROWS + COLUMNS)[None].astype(float)
    assert image_metrics.neighbours_alike(slope) == pytest.approx(1)


def test_the_nearest_is_found_where_it_was_moved():
    known = RANDOM.random((9, 28, 28))
    moved = np.roll(known[[7, 2]], (1, -2), (1, 2))
    which, how = image_metrics.nearest(moved, known)
    assert list(which) == [7, 2]
    assert how == pytest.approx(1, abs=1e-5)


def test_votes_and_closeness_against_loops():
    known, classes = RANDOM.random((40, 5, 6)), RANDOM.integers(0, 3, 40)
    pictures = RANDOM.random((7, 5, 6))
    expected, cosines = [], []
    for picture in pictures:
        distances = [((picture - other) ** 2).sum() for other in known]
        votes = [classes[i] for i in np.argsort(distances)[:5]]
        expected.append(max(range(3), key=lambda c, votes=votes: (votes.count(c), -c)))
        cosines.append(
            max((picture * o).sum() / np.sqrt((picture**2).sum() * (o**2).sum()) for o in known)
        )
    assert list(image_metrics.voted(pictures, known, classes)) == expected
    np.testing.assert_allclose(image_metrics.closeness(pictures, known), cosines, rtol=1e-5)
    assert image_metrics.closeness(np.zeros((1, 5, 6)), known) == 0
