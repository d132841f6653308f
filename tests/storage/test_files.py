"""Files written whole or not at all: what they replace, and what stays when writing ends early."""

from __future__ import annotations

import os
import stat

import pytest

from kerascnn.errors import OutputError
from kerascnn.storage.files import replacing, write_bytes

posix = pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_what_ends_the_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "result.json"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as temporary:
        temporary.write_bytes(b"half a fi")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@posix
@pytest.mark.parametrize("permissions", [0o600, 0o640, 0o444, 0o755])
def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path, permissions):
    path = tmp_path / "private.json"
    path.write_bytes(b"old")
    path.chmod(permissions)
    with replacing(path) as temporary:
        temporary.write_bytes(b"new")
        assert not mode(temporary) & ~permissions & 0o077  # not even for a moment more
    assert path.read_bytes() == b"new"
    assert mode(path) == permissions


@posix
@pytest.mark.parametrize(("umask", "permissions"), [(0o022, 0o644), (0o077, 0o600)])
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path, umask, permissions):
    before = os.umask(umask)
    try:
        write_bytes(tmp_path / "new.json", b"new")
    finally:
        os.umask(before)
    assert mode(tmp_path / "new.json") == permissions


@posix
def test_a_symbolic_link_stays_and_its_file_is_written(tmp_path):
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "result.json", tmp_path / "link.json"
    link.symlink_to(target)
    for content in (b"first", b"second"):  # where it leads to nothing yet, and to a file
        write_bytes(link, content)
        assert link.is_symlink()
        assert target.read_bytes() == content
    assert list((tmp_path / "far").iterdir()) == [target]


@posix
def test_the_content_is_on_the_disk_before_it_is_the_file(tmp_path, monkeypatch):
    path, synced = tmp_path / "result.json", []

    def sync(handle):
        synced.append((os.fstat(handle).st_ino, path.exists()))

    monkeypatch.setattr(os, "fsync", sync)
    write_bytes(path, b"content")
    assert synced == [(path.stat().st_ino, False), (tmp_path.stat().st_ino, True)]


def test_a_folder_that_is_a_file_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="can't write"):
        write_bytes(tmp_path / "file" / "result.json", b"new")
