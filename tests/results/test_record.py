"""Kinds of results that plugins bring: arrays and lists are declared as fields."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import field, replace

import numpy as np
import pytest

from kerascnn import DataError, Images, PluginError, Result, array, items


class Spread(Result):
    """Counts for each layer: each sort of declaration once."""

    counts: np.ndarray = array("N×P", dtype="int64")
    layer: str
    edges: np.ndarray = array("E | N×E", saved_as="bounds")
    names: Sequence[str] = items("N")
    ends: np.ndarray | None = array("N×2", default=None)
    ranks: Sequence[int] = items("N", of=int, default=())
    more: dict[str, int] = field(default_factory=dict)

    def check(self):
        if self.edges.shape[-1] != self.counts.shape[1] + 1:
            raise PluginError("one edge more than counts")


def spread(count=2, **more):
    given = {
        "counts": np.arange(3 * count).reshape(count, 3),
        "layer": "conv",
        "edges": range(4),
        "names": list("abcdef")[:count],
    }
    return Spread(**given | more)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"edges": np.ones((2, 4)), "ends": [[0, 1], [0, 1]], "ranks": (np.int64(3), 4)},
        {"captions": ["x", 1], "notes": ("n",), "facts": {"a": [1]}, "more": {"b": 2}},
    ],
)
def test_a_kind_of_its_own_is_written_and_read_back(tmp_path, more):
    result = spread(**more)
    result.save(tmp_path / "spread.npz")
    loaded = Result.load(tmp_path / "spread.npz")
    assert type(loaded) is Spread
    assert loaded.meaning() == json.loads(json.dumps(result.meaning()))
    arrays = result.arrays()
    assert set(arrays) == {"counts", "bounds"} | ({"ends"} if "ends" in more else set())
    assert arrays["counts"].dtype == np.int64
    assert arrays["bounds"].dtype == np.float32
    for name, values in arrays.items():
        np.testing.assert_array_equal(loaded.arrays()[name], values)
    assert loaded.count == 2


def test_fields_are_taken_in_their_order_and_those_of_every_result_by_name():
    result = Spread([[1, 2]], "conv", [0, 1, 2], ["a"], None, title="t")
    assert (result.layer, result.title, result.names) == ("conv", "t", ["a"])
    assert replace(result, names=["b"]).names == ["b"]
    with pytest.raises(TypeError, match="layer"):
        Spread([[1, 2]])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"counts": np.zeros(3)}, r"Spread.counts must be N×P. Received the shape \(3,\)"),
        ({"counts": np.zeros((2, 3))}, "Spread.counts must be whole numbers"),
        ({"counts": np.zeros((0, 3), int)}, "Spread.counts must be N×P"),
        ({"counts": None}, r"Spread.counts must be N×P. Received the shape \(\)"),
        ({"edges": np.ones((3, 4))}, r"E or N×E: \(E,\) or \(2, E\). Received the shape \(3, 4\)"),
        ({"edges": [1, 2, 3, np.nan]}, "Spread.edges has NaN or infinite numbers"),
        ({"edges": list("abcd")}, "Spread.edges must be real numbers"),
        ({"edges": range(3)}, "one edge more than counts"),
        ({"ends": np.ones((2, 3))}, r"Spread.ends must be N×2: \(2, 2\)"),
        ({"names": ["a"]}, "Spread.names must be 2. Received 1"),
        ({"names": []}, "Spread.names must be 2. Received 0"),
        ({"ranks": [1, 2, 3]}, "Spread.ranks must be 2. Received 3"),
        ({"captions": ["a"]}, "Spread.captions must be 2. Received 1"),
    ],
)
def test_what_does_not_fit_the_declaration_is_the_plugins_mistake(more, message):
    with pytest.raises(PluginError, match=message) as caught:
        spread(**more)
    assert "\n" not in str(caught.value)


def test_a_kind_made_out_of_ours_adds_to_it():
    class Pair(Images):
        other: np.ndarray = array("N×H×W×C")

    with pytest.raises(PluginError, match=r"other must be N×H×W×C: \(1, 2, 2, 3\)"):
        Pair(np.ones((1, 2, 2, 3)), np.ones((1, 2, 2, 1)))
    assert set(Pair(np.ones((1, 2, 2, 3)), np.ones((1, 2, 2, 3))).arrays()) == {"values", "other"}


def test_a_plugins_kind_does_not_take_the_name_of_ours(tmp_path):
    ours = Images(np.ones((1, 2, 2, 1)))
    type("Images", (Result,), {"__module__": "somebody"})
    ours.save(tmp_path / "r.npz")
    assert type(Result.load(tmp_path / "r.npz")) is Images


def test_a_file_of_a_kind_that_is_not_loaded_says_what_to_do(tmp_path):
    meaning = json.dumps({"kind": "Nobody"})
    np.savez(tmp_path / "r.npz", meaning=meaning, values=np.ones(2))
    with pytest.raises(DataError, match="'Nobody' is unknown; import the plugin that defines it"):
        Result.load(tmp_path / "r.npz")
