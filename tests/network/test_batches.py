"""Batches: as many at once as memory allows, fewer where TensorFlow finds none."""

from __future__ import annotations

import numpy as np
import pytest

from kerascnn import ModelError
from kerascnn.network.batches import Batches
from kerascnn.network.memory import MemoryBudget

ROWS = np.arange(16.0)


def test_a_batch_takes_what_the_budget_allows_and_ends_where_it_must():
    sizes = []

    def doubled(rows):
        sizes.append(len(rows))
        return (rows * 2,)

    (found,) = Batches(MemoryBudget(600)).run(doubled, 100, ROWS, ends=(2, 9, 16))
    np.testing.assert_array_equal(found, ROWS * 2)
    assert sizes == [2, 6, 1, 6, 1]


def test_the_run_goes_on_where_memory_is_short(capsys):
    import tensorflow as tf

    sizes, batches = [], Batches(MemoryBudget(10_000))

    def greedy(rows):
        sizes.append(len(rows))
        if len(rows) > 3:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")
        return (rows * 2,)

    (found,) = batches.run(greedy, 100, ROWS)
    np.testing.assert_array_equal(found, ROWS * 2)
    assert sizes == [16, 8, 4] + [2] * 8
    assert capsys.readouterr().err.count("memory is short") == 3
    batches.run(greedy, 100, ROWS)
    assert sizes[-8:] == [2] * 8  # what did fit is remembered


def test_no_memory_for_one_picture_is_an_error():
    def hopeless(rows):
        raise MemoryError

    with pytest.raises(ModelError, match="not enough memory for one picture"):
        Batches(MemoryBudget(10_000)).run(hopeless, 100, ROWS)
