"""The lecture's own numbers, chapters 1 to 4: by plain sums, and by Keras."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerascnn.lecture.chapters import convolution, pooling, sharing
from kerascnn.lecture.experiments import arithmetic
from kerascnn.lecture.experiments.arithmetic import (
    correlate,
    filters,
    matrix,
    picture,
    pool,
    positions,
    wires,
)

FIRST = [[3, -1, -3, -1], [-3, 1, 0, -3], [-3, -3, 0, 1], [3, -2, -2, -1]]


def test_the_first_map_is_the_lectures():
    assert correlate(picture(), filters()[0]).tolist() == FIRST
    assert arithmetic.written(FIRST) == convolution.SAID_MAP


def test_the_second_map_begins_with_minus_one():
    found = correlate(picture(), filters()[1])
    assert found[0].tolist() == [-1, -1, -1, -1]
    assert found.shape == (4, 4)


def test_stride_two_skips():
    assert correlate(picture(), filters()[0], stride=2)[0].tolist() == [3, -3]


@pytest.mark.parametrize("stride", [1, 2])
def test_keras_gives_the_same_maps(stride):
    found = convolution.keras_maps(picture(), filters(), stride)
    for ours, kernel in zip(found, filters(), strict=True):
        assert ours.tolist() == correlate(picture(), kernel, stride).tolist()


def test_the_two_neurons_are_tied_as_the_lecture_says():
    kernel = filters()[0]
    assert wires(kernel, 6, 6, 0) == [1, 2, 3, 7, 8, 9, 13, 14, 15]
    assert wires(kernel, 6, 6, 1) == [2, 3, 4, 8, 9, 10, 14, 15, 16]


def test_the_matrix_is_cut_and_shared():
    weights = matrix(np.arange(1.0, 10).reshape(3, 3), 6, 6)
    assert weights.shape == (36, 16)
    assert np.count_nonzero(weights) == 9 * 16
    assert set(np.unique(weights)) == set(range(10))


def test_a_dense_layer_with_that_matrix_gives_the_map():
    found = sharing.dense_outputs(matrix(filters()[0], 6, 6), picture())
    assert found.reshape(4, 4).tolist() == FIRST


def test_the_pooled_map_is_the_lectures():
    found = pool(np.array(FIRST))
    assert found.tolist() == [[3, 0], [3, 1]]
    made = pooling.keras_pooled(np.array(FIRST, float))
    assert made["max"].tolist() == found.tolist()
    assert made["mean"].tolist() == pool(np.array(FIRST, float), how="mean").tolist()


def test_the_maximum_passes_its_gradient_to_the_largest():
    values = np.array([[5.0, 1, 0, 2], [3, 2, 7, 1], [0, 4, 6, 5], [1, 2, 3, 8]])
    expected = np.zeros((4, 4))
    expected[[0, 1, 2, 3], [0, 2, 1, 3]] = 1
    assert pooling.max_gradient(values).tolist() == expected.tolist()


@pytest.mark.parametrize(("before", "kernels", "after"), convolution.SIZES)
def test_the_courses_volumes(before, kernels, after):
    assert convolution.volume_after(before, kernels) == after
    assert positions(before[0], kernels[0], 1) == after[0]


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(3, 9), window=st.integers(1, 3), stride=st.integers(1, 4), seed=st.integers(0)
)
def test_sliding_is_a_matrix_and_sizes_are_the_formula(size, window, stride, seed):
    random = np.random.default_rng(seed)
    values, kernel = random.integers(-3, 4, (size, size)), random.integers(-3, 4, (window, window))
    found = correlate(values, kernel, stride)
    whole = (values.reshape(-1) @ matrix(kernel, size, size)).reshape(2 * (size - window + 1,))
    assert found.tolist() == whole[::stride, ::stride].tolist()
    assert len(found) == (size - window) // stride + 1


@settings(max_examples=30, deadline=None)
@given(height=st.integers(2, 9), width=st.integers(2, 9), seed=st.integers(0))
def test_pooling_drops_odd_rows_and_columns(height, width, seed):
    values = np.random.default_rng(seed).integers(0, 99, (height, width))
    found = pool(values)
    assert found.shape == (height // 2, width // 2)
    for row, column in np.ndindex(found.shape):
        group = values[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        assert found[row, column] == group.max()


def test_the_lectures_filters_look_the_same_when_turned():
    # Why the chapter changes a number to tell convolution from correlation.
    for kernel in arithmetic.filters():
        assert (np.rot90(kernel, 2) == kernel).all()
