"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kerascnn.errors import OutputError, one_line


@contextlib.contextmanager
def replacing(path: Path, suffix: str | None = None) -> Iterator[Path]:
    """Give a temporary path beside ``path`` to write to; move it over ``path`` on success.

    Whatever ends the block early (an error, Ctrl-C, a full disk) leaves the old file as it was. The
    temporary name keeps the suffix, since some writers choose the format by it.

    Args:
        path: the file to write; its folder is made.
        suffix: the temporary file's suffix, where it must differ from that of ``path``.

    Raises:
        OutputError: the folder can't be made or written to.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem[:60]}-", suffix=suffix or path.suffix, dir=path.parent
        )
        os.close(handle)
        temporary = Path(name)
        yield temporary
        # mkstemp makes files private; a result is an ordinary file.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise OutputError(
            f"can't write {one_line(path)}: {one_line(error.strerror or error)}"
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


@contextlib.contextmanager
def output_folder(path: Path) -> Iterator[Path]:
    """Make a folder for results, and see that it can be written to before long work begins.

    A folder made for nothing, since the block failed, is taken away again.

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
    """Make a folder, and see that files can be written there.

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


def write_json(path: Path, value: Any) -> None:
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
