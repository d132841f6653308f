"""Trainings are taken up where they were left, whatever ended them."""

from __future__ import annotations

import json
import os
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kerascnn.errors import OutputError
from kerascnn.storage.checkpoint import Checkpoint

STATE = {"weight-0": np.arange(600, dtype=np.float32).reshape(20, 30), "epoch": np.array(3)}
RECORD = {"seconds": 1.5, "loss": [0.5, 0.25], "test_accuracy": [[1, 0.5], [2, 0.75]]}


def place(folder, **configuration):
    return Checkpoint.of(folder, "cnn-0", {"seed": 0, "layers": [{"units": 10}], **configuration})


def assert_same(state):
    assert set(state) == set(STATE)
    for name, values in STATE.items():
        assert state[name].dtype == values.dtype
        assert np.array_equal(state[name], values)


def test_there_and_back(tmp_path):
    checkpoint = place(tmp_path)
    assert checkpoint.load() is None
    checkpoint.save(STATE, RECORD)
    state, record = place(tmp_path).load()
    assert_same(state)
    assert record == RECORD
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.path.name]


def test_another_configuration_has_another_place(tmp_path):
    place(tmp_path).save(STATE, RECORD)
    for other in ({"seed": 1}, {"epochs": 3}, {"layers": [{"units": 11}]}):
        assert place(tmp_path, **other).load() is None


def test_the_order_of_the_settings_does_not_matter(tmp_path):
    a = Checkpoint.of(tmp_path, "x", {"a": 1, "b": (2, 3)})
    b = Checkpoint.of(tmp_path, "x", {"b": [2, 3], "a": 1})
    assert a == b


def test_the_name_alone_is_not_believed(tmp_path, capsys):
    ours, other = place(tmp_path), place(tmp_path, seed=1)
    other.save(STATE, RECORD)
    other.path.rename(ours.path)
    assert ours.load() is None
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "other work" in told


def test_python_objects_are_never_loaded(tmp_path, capsys):
    checkpoint = place(tmp_path)
    text = json.dumps({"configuration": checkpoint.configuration, "record": RECORD})
    trap = np.array([print], dtype=object)
    np.savez(checkpoint.path, record=np.array(text), trap=trap)
    assert checkpoint.load() is None
    assert "starting anew" in capsys.readouterr().err


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(where=st.floats(0, 1), value=st.integers(0, 255), cut=st.booleans())
def test_damage_is_found(tmp_path_factory, where, value, cut):
    checkpoint = place(tmp_path_factory.mktemp("damaged"))
    checkpoint.save(STATE, RECORD)
    content = bytearray(checkpoint.path.read_bytes())
    at = int(where * (len(content) - 1))
    content[at] = value
    checkpoint.path.write_bytes(content[:at] if cut else content)
    found = checkpoint.load()
    if found is not None:  # a byte that nothing hangs on
        assert_same(found[0])
        assert found[1] == RECORD


def test_what_ends_the_writing_leaves_the_last_state(tmp_path, monkeypatch):
    checkpoint = place(tmp_path)
    checkpoint.save(STATE, RECORD)

    def interrupted(path, **arrays):
        path.write_bytes(b"half a fi")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", interrupted)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save({"epoch": np.array(4)}, RECORD)
    assert_same(checkpoint.load()[0])
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OutputError, match="No space left"):
        place(tmp_path).save(STATE, RECORD)


def test_what_killed_runs_left_is_swept_once_it_is_old(tmp_path):
    checkpoint = place(tmp_path)
    checkpoint.save(STATE, RECORD)
    old, new = (tmp_path / f".{checkpoint.path.stem}-{name}.npz" for name in ("a", "b"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    checkpoint.load()
    assert not old.exists()
    assert new.exists()
