"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from kerascnn.errors import OutputError, one_line


@contextlib.contextmanager
def replacing(path: Path, suffix: str | None = None) -> Iterator[Path]:
    """Give a temporary file to write to, which becomes ``path`` when the block ends well.

    Whatever ends the block early (an error, Ctrl-C, a full disk) leaves the old file as it was; so
    does a loss of power, since the new content is on the disk before it takes the old one's place.
    A file that is replaced keeps its permissions, and a symbolic link keeps leading to it.

    Args:
        path: the file to write; its folder is made.
        suffix: the temporary file's suffix, by which some writers choose the format; without, that
            of ``path``.

    Raises:
        OutputError: the folder can't be made or written to.
    """
    temporary: Path | None = None
    try:
        target = Path(os.path.realpath(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        permissions = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
        name = f".{path.stem[:60]}-{secrets.token_hex(4)}{suffix or path.suffix}"
        # Private content is at no moment readable by others.
        mode = 0o666 if permissions is None else permissions | stat.S_IWUSR
        os.close(os.open(target.with_name(name), os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
        temporary = target.with_name(name)
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        if permissions is not None:
            temporary.chmod(permissions)
        temporary.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise OutputError(
            f"can't write {one_line(path)}: {one_line(error.strerror or error)}"
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Bring a folder's list of names to the disk, where the system can."""
    with contextlib.suppress(OSError):  # Windows opens no folders
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def output_folder(path: Path) -> Iterator[Path]:
    """Make a folder for results, and check that it can be written to before long work begins.

    Where the block fails, folders that were made and are still empty are removed.

    Raises:
        OutputError: it can't be made or written to.
    """
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        check_writable(path)
        yield path
    except BaseException:
        for folder in made:
            with contextlib.suppress(OSError):  # not empty, or never made
                folder.rmdir()
        raise


def check_writable(folder: Path) -> None:
    """Make a folder, and check that files can be written there.

    Raises:
        OutputError: they can't; it names the folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except FileExistsError as error:
        raise OutputError(
            f"can't write to {one_line(folder)}: it is a file, not a folder"
        ) from error
    except OSError as error:
        reason = one_line(error.strerror or error)
        raise OutputError(f"can't write to {one_line(folder)}: {reason}") from error


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` as UTF-8, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: object) -> None:
    """Write ``value`` to ``path`` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_with(path: Path, writer: Callable[[Path], object]) -> None:
    """Let ``writer`` write to a temporary path that then becomes ``path``."""
    with replacing(path) as temporary:
        writer(temporary)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
