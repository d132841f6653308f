"""Long work resumes where it was stopped; a damaged checkpoint never stops it."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kerascnn.errors import OutputError, PluginError
from kerascnn.storage.checkpoint import Checkpoint

STATE = {"weight-0": np.arange(600, dtype=np.float32).reshape(20, 30), "epoch": np.array(3)}
RECORD = {"seconds": 1.5, "loss": [0.5, 0.25], "test_accuracy": [[1, 0.5], [2, 0.75]]}


def place(folder, **configuration):
    return Checkpoint.of(folder, "cnn-0", {"seed": 0, "layers": [{"units": 10}], **configuration})


def loaded(checkpoint):
    return checkpoint.resume(lambda state, record: (state, record))


def assert_same(state):
    assert set(state) == set(STATE)
    for name, values in STATE.items():
        assert state[name].dtype == values.dtype
        assert np.array_equal(state[name], values)


def test_there_and_back(tmp_path):
    checkpoint = place(tmp_path)
    assert loaded(checkpoint) is None
    checkpoint.save(STATE, RECORD)
    state, record = loaded(place(tmp_path))
    assert_same(state)
    assert record == RECORD
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.path.name]


def test_another_configuration_has_another_place(tmp_path):
    place(tmp_path).save(STATE, RECORD)
    for other in ({"seed": 1}, {"epochs": 3}, {"layers": [{"units": 11}]}):
        assert loaded(place(tmp_path, **other)) is None


def test_the_order_of_the_settings_does_not_matter(tmp_path):
    a = Checkpoint.of(tmp_path, "x", {"a": 1, "b": (2, 3)})
    b = Checkpoint.of(tmp_path, "x", {"b": [2, 3], "a": 1})
    assert a == b


def test_the_name_alone_is_not_believed(tmp_path, capsys):
    ours, other = place(tmp_path), place(tmp_path, seed=1)
    other.save(STATE, RECORD)
    other.path.rename(ours.path)
    assert loaded(ours) is None
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "other work" in told
    assert ours.path.exists()  # it is not damaged


def test_python_objects_are_never_loaded(tmp_path, capsys):
    checkpoint = place(tmp_path)
    text = json.dumps({"configuration": checkpoint.configuration, "record": RECORD})
    trap = np.array([print], dtype=object)
    np.savez(checkpoint.path, record=np.array(text), trap=trap)
    assert loaded(checkpoint) is None
    assert "starting from the beginning" in capsys.readouterr().err


def encrypted(content):
    """Set the bit that says so, in the first member's own header and in the directory's entry."""
    directory = content.index(b"PK\x01\x02")
    content[6] |= 1
    content[directory + 8] |= 1
    return content


def cut_short(content):
    return content[: len(content) // 2]


def deep_record(content):
    return with_array(content, "record", np.array("[" * 100_000))


def record_of_another_kind(content):
    return with_array(content, "record", np.array("[1, 2]"))


def huge_header(content):
    return with_header(content, f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({2**50},)}}")


def deep_header(content):
    return with_header(content, "-" * 9000)


def no_archive(_):
    return bytearray(b"\x93NUMPY nothing more")


def with_array(content, name, array):
    member = io.BytesIO()
    np.save(member, array)
    return with_member(content, name, member.getvalue())


def with_header(content, text):
    head = b"\x93NUMPY\x01\x00" + (len(text) + 1).to_bytes(2, "little")
    return with_member(content, "epoch", head + text.encode() + b"\n" + bytes(64))


def with_member(content, name, data):
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(changed, "w") as new:
        for member in old.namelist():
            new.writestr(member, data if member == f"{name}.npy" else old.read(member))
    return bytearray(changed.getvalue())


DAMAGES = [
    encrypted, cut_short, deep_record, record_of_another_kind, huge_header, deep_header, no_archive,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_told_and_set_aside_and_the_work_begins_anew(tmp_path, capsys, damage):
    checkpoint = place(tmp_path)
    checkpoint.save(STATE, RECORD)
    damaged = bytes(damage(bytearray(checkpoint.path.read_bytes())))
    checkpoint.path.write_bytes(damaged)
    assert loaded(checkpoint) is None
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "is damaged" in told
    assert "starting from the beginning" in told
    aside = tmp_path / f"{checkpoint.path.name}.damaged"
    assert aside.read_bytes() == damaged
    assert list(tmp_path.iterdir()) == [aside]
    assert loaded(checkpoint) is None
    assert capsys.readouterr().err == ""  # told once
    checkpoint.save(STATE, RECORD)
    assert_same(loaded(checkpoint)[0])


@pytest.mark.parametrize("name", ["a**b", "[x]*?", "***"])
def test_a_name_may_hold_the_signs_of_patterns(tmp_path, name):
    checkpoint = Checkpoint(tmp_path / f"{name}.npz", {"seed": 0})
    checkpoint.save(STATE, RECORD)
    assert_same(loaded(checkpoint)[0])


@pytest.mark.parametrize("error", [KeyError("step3"), PluginError("step3 is no array")])
def test_a_state_that_does_not_fit_is_damage(tmp_path, capsys, error):
    def use(state, record):
        raise error

    checkpoint = place(tmp_path)
    checkpoint.save(STATE, RECORD)
    assert checkpoint.resume(use) is None
    assert "is damaged" in (told := capsys.readouterr().err)
    assert "step3" in told
    assert not checkpoint.path.exists()


class Trainer:
    def restore(self, state):
        self.state = state


def test_a_trainer_is_set_to_the_state(tmp_path):
    trainer, checkpoint = Trainer(), place(tmp_path)
    assert checkpoint.restore(trainer) is None
    checkpoint.save(STATE, RECORD)
    assert checkpoint.restore(trainer) == RECORD
    assert_same(trainer.state)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(where=st.floats(0, 1), value=st.integers(0, 255), cut=st.booleans())
def test_damage_is_found(tmp_path_factory, where, value, cut):
    checkpoint = place(tmp_path_factory.mktemp("damaged"))
    checkpoint.save(STATE, RECORD)
    content = bytearray(checkpoint.path.read_bytes())
    at = int(where * (len(content) - 1))
    content[at] = value
    checkpoint.path.write_bytes(content[:at] if cut else content)
    found = loaded(checkpoint)
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
    assert_same(loaded(checkpoint)[0])
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
    loaded(checkpoint)
    assert not old.exists()
    assert new.exists()
