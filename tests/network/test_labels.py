"""Class names out of files, and those of keras.applications."""

from __future__ import annotations

import json

import pytest

from kerascnn import DataError
from kerascnn.network.labels import known_labels, read_labels


@pytest.mark.parametrize(
    "text",
    [
        "cat\ndog\n",
        "\ufeffcat\n\n dog \n",
        '["cat", "dog"]',
        '{"1": ["n2", "dog"], "0": ["n1", "cat"]}',
    ],
)
def test_names_in_order(tmp_path, text):
    path = tmp_path / "labels"
    path.write_text(text, encoding="utf-8")
    assert read_labels(path) == ("cat", "dog")


@pytest.mark.parametrize(
    "text", ["", "[1, 2]", '{"0": "cat", "2": "dog"}', "[" * 5000, '{"a": 1}', '["cat"', "[]"]
)
def test_what_is_no_list_of_names_is_one_line(tmp_path, text):
    path = tmp_path / "labels"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="labels") as caught:
        read_labels(path)
    assert "\n" not in str(caught.value)


def test_bytes_and_folders_are_no_names(tmp_path):
    path = tmp_path / "labels"
    path.write_bytes(b"\xff\xfe\x00\x80")
    for wrong in (path, tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DataError):
            read_labels(wrong)


def test_imagenets_names_come_from_keras_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert known_labels("vgg16", 1000) is None
    index = {str(n): [f"n{n}", f"class {n}"] for n in range(1000)}
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "imagenet_class_index.json").write_text(json.dumps(index))
    assert known_labels("vgg16", 1000)[281] == "class 281"
    assert known_labels("mine", 1000) is None
    assert known_labels("vgg16", 10) is None
