"""Nested arguments: what they hold, and the same form with other leaves."""

from __future__ import annotations

from collections import namedtuple

from kerascnn.graph.structure import leaves, map_leaves

Pair = namedtuple("Pair", "first second")


def test_leaves_come_in_order_and_dicts_by_their_keys():
    assert leaves((1, [2, {"b": 4, "a": 3}], Pair(5, (6,)))) == [1, 2, 3, 4, 5, 6]
    assert leaves("text") == ["text"]
    assert leaves([]) == []


def test_the_form_is_kept():
    given = (1, [2, {"b": 4, "a": 3}], Pair(5, (6,)), None)
    found = map_leaves(given, lambda leaf: leaf and 10 * leaf)
    assert found == (10, [20, {"b": 40, "a": 30}], Pair(50, (60,)), None)
    assert isinstance(found[2], Pair)
    assert list(found[1][1]) == ["b", "a"]
