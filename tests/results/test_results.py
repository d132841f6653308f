"""Results: checked when they are made, the same after a round trip, refused when damaged."""

from __future__ import annotations

import dataclasses
import json
import shutil
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.paths import TESTS
from helpers.results import each_kind, numbers, top
from kerascnn import (
    DataError,
    Heatmap,
    Images,
    LayerMaps,
    Maps,
    PluginError,
    Result,
    TopImages,
)

DRAW = np.random.default_rng(0)


def neurons(count, **more):
    return LayerMaps("a", numbers(count, 3), range(3), 3, **more)


@pytest.mark.parametrize("result", list(each_kind()), ids=lambda result: type(result).__name__)
def test_a_result_comes_back_as_it_was(tmp_path, result):
    result.save(tmp_path / "r.npz")
    back = Result.load(tmp_path / "r.npz")
    assert type(back) is type(result)
    assert back.meaning() == json.loads(json.dumps(result.meaning()))
    assert back.arrays().keys() == result.arrays().keys()
    for name, array in result.arrays().items():
        assert back.arrays()[name].dtype == array.dtype
        np.testing.assert_array_equal(back.arrays()[name], array)


OLD = sorted((TESTS / "data" / "results").glob("*.npz"))


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_files_of_the_first_format_are_read_and_written_again_as_they_were(tmp_path, path):
    """Written before arrays were declared as fields: names, dtypes, meaning are the same."""
    Result.load(shutil.copy(path, tmp_path)).save(tmp_path / "again.npz")
    with np.load(path) as old, np.load(tmp_path / "again.npz") as new:
        assert new.files == old.files
        for name in old.files:
            assert new[name].dtype == old[name].dtype
            np.testing.assert_array_equal(new[name], old[name])


def test_every_kind_has_a_file_of_the_first_format():
    kinds = {type(Result.load(path)).__name__ for path in OLD}
    assert kinds == {"Curves", "Film", "Heatmap", "Images", "Kernels", "Maps", "TopImages"}


def test_files_hold_nothing_that_needs_pickle(tmp_path):
    for number, result in enumerate(each_kind()):
        path = tmp_path / f"{number}.npz"
        result.save(path)
        with np.load(path, allow_pickle=False) as stored:
            assert all(stored[name].dtype != object for name in stored.files)
        assert [entry.name for entry in tmp_path.glob(".*")] == []


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_a_data_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damaged") / "r.npz"
    Images(np.ones((1, 4, 4, 1))).save(path)
    whole = path.read_bytes()
    if data.draw(st.booleans()):
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    else:
        place = data.draw(st.integers(0, len(whole) - 1))
        path.write_bytes(
            whole[:place] + data.draw(st.binary(min_size=1, max_size=4)) + whole[place + 4 :]
        )
    try:
        found = Result.load(path)
    except DataError as error:
        assert "\n" not in str(error)
    else:  # what was hit carries no meaning: a date in the archive, say
        np.testing.assert_array_equal(found.arrays()["values"], np.ones((1, 4, 4, 1)))


@pytest.mark.parametrize(
    "meaning",
    ["{}", '{"kind": "Result"}', '{"kind": "Nobody"}', "[]", "x", '{"kind": "Images", "a": 1}'],
)
def test_another_archive_is_a_data_error(tmp_path, meaning):
    np.savez(tmp_path / "r.npz", meaning=meaning, values=np.ones((1, 2, 2, 1)))
    with pytest.raises(DataError, match="is no result of kerascnn"):
        Result.load(tmp_path / "r.npz")


def test_an_archive_with_a_pickle_is_refused(tmp_path):
    np.savez(tmp_path / "r.npz", meaning=np.array({"kind": "Images"}, dtype=object))
    with pytest.raises(DataError, match=r"allow_pickle|pickle"):
        Result.load(tmp_path / "r.npz")
    with zipfile.ZipFile(tmp_path / "text.npz", "w") as archive:
        archive.writestr("hello.txt", "hello")
    for name in ("text.npz", "missing.npz"):
        with pytest.raises(DataError):
            Result.load(tmp_path / name)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Images(np.full((1, 2, 2, 1), np.nan)), "NaN or infinite"),
        (lambda: Heatmap(np.full((1, 2, 2), np.inf), over=numbers(1, 2, 2, 1)), "NaN or infinite"),
        (lambda: Images(numbers(2, 2, 1)), r"must be N×H×W×C. Received the shape \(2, 2, 1\)"),
        (lambda: Images(numbers(0, 2, 2, 1)), "must be N×H×W×C"),
        (lambda: Images(np.array([[[["a"]]]])), "must be real numbers"),
        (lambda: Images(1j * np.ones((1, 1, 1, 1))), "must be real numbers"),
        (
            lambda: Heatmap(numbers(2, 3, 3), over=numbers(1, 3, 3, 1)),
            r"must be N×H×W×C: \(2, H, W, C\). Received the shape \(1, 3, 3, 1\)",
        ),
        (lambda: Images(numbers(2, 2, 2, 1), captions=["one"]), "captions must be 2. Received 1"),
        (lambda: Maps(over=numbers(1, 2, 2, 1), layers=[]), "must name at least one layer"),
        (
            lambda: Maps(over=numbers(1, 2, 2, 1), layers=[neurons(2)]),
            r"must be as many as the pictures \(1\)",
        ),
        (lambda: LayerMaps("a", numbers(1, 3), [0, 1], 3), "'a'.channels must be 3. Received 2"),
        (lambda: neurons(1, names=["x"]), "names must be 3. Received 1"),
        (lambda: neurons(1, kernels=numbers(2, 3, 3, 1)), r"must be K×kh×kw×C: \(3, kh, kw, C\)"),
        (lambda: LayerMaps("a", numbers(3), range(3), 3), "must be N×K"),
        (lambda: top([[1, 2]], [[0, 1]], seen=5), "1 units × 3 pictures"),
        (lambda: top([[1, 2, 3]], [[0, 1, 5]], seen=5), "from 0 to 4"),
        (lambda: top([[1, 2, np.nan]], [[0, 1, 2]], seen=5), "NaN"),
        (lambda: top([[1, 2, 3]], [[0, 1]], seen=5), r"indices must be U×K: \(1, 3\)"),
        (
            lambda: top([[1, 2, 3]], [[0, 1, 2]], seen=5, units=[1, 2]),
            "units must be 1. Received 2",
        ),
        (lambda: top([[1, 2, 3]], [[0.0, 1.0, 2.5]], seen=5), "must be whole numbers"),
    ],
)  # fmt: skip
def test_wrong_values_are_the_plugins_mistake(make, message):
    with pytest.raises(PluginError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_results_of_other_kinds_do_not_merge():
    with pytest.raises(PluginError, match="can't be merged"):
        Images(numbers(1, 1, 1, 1)).merge(Images(numbers(1, 1, 1, 1)))
    one = top([[3, 2, 1]], [[0, 1, 2]], seen=3)
    for other in (top([[3, 2, 1]], [[0, 1, 2]], seen=3, units=[7]), Images(numbers(1, 1, 1, 1))):
        with pytest.raises(PluginError, match="same layer, units and number"):
            one.merge(other)


# --- merging ------------------------------------------------------------------------------------


def ranked(scores, most, first=0):
    """The result for pictures first, first + 1 … with these scores: pictures × units."""
    scores = np.asarray(scores, np.float32)
    order = np.argsort(-scores, axis=0, kind="stable")[:most].T
    values = np.take_along_axis(scores.T, order, 1)
    # Places tell of the picture's number in the whole set, so that a mix-up is seen.
    places = np.stack(
        [order + first, np.broadcast_to(np.arange(len(order))[:, None], order.shape)], -1
    )
    result = TopImages(
        values, order, places, np.repeat(places, 2, -1), layer="conv", units=range(len(order)),
        most=most, seen=len(scores),
    )  # fmt: skip
    pictures = np.asarray(result.wanted, np.float32).reshape(-1, 1, 1, 1) + first
    return result.complete(pictures, [f"p{index + first}" for index in result.wanted])


def same(one, other):
    assert one.meaning() == other.meaning()
    for name, array in one.arrays().items():
        np.testing.assert_array_equal(array, other.arrays()[name], err_msg=name)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_parts_merge_into_the_whole_wherever_it_is_cut(data):
    units, most = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 5))
    count = data.draw(st.integers(3, 14))
    # Few values: ties are the rule.
    scores = data.draw(st.lists(st.lists(st.integers(0, 3), min_size=units, max_size=units),
                                min_size=count, max_size=count))  # fmt: skip
    cuts = sorted(data.draw(st.sets(st.integers(1, count - 1), min_size=2, max_size=2)))
    a, b, c = (
        ranked(scores[start:stop], most, start)
        for start, stop in zip([0, *cuts], [*cuts, count], strict=True)
    )
    whole = ranked(scores, most)
    same(a.merge(b).merge(c), whole)
    same(a.merge(b.merge(c)), whole)


def test_a_merge_wants_pictures_that_the_halves_did_not_keep():
    a = dataclasses.replace(ranked([[5, 1], [4, 6]], 1), show=1)
    b = dataclasses.replace(
        ranked([[8, 0], [7, 2]], 1), show=1, pictures=None, picture_indices=None, names=()
    )
    merged = a.merge(b)
    assert merged.pictures is None
    assert merged.shown == [0]
    assert merged.wanted == [2]


def test_the_strongest_units_are_shown_first():
    result = top([[1, 0, 0], [9, 0, 0], [5, 0, 0]], [[0, 1, 2]] * 3, seen=3, show=2)
    assert result.shown == [1, 2]
    assert dataclasses.replace(result, show=0).shown == [0, 1, 2]
