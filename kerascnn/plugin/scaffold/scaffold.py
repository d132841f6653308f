"""A new plugin's first files: a package that works at once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection
from importlib import resources
from pathlib import Path
from string import Template

from kerascnn.errors import OutputError, UsageError, one_line
from kerascnn.plugin.visualizer import NAME

_PREFIX = "kerascnn-"
_LONGEST = 40

# The template's file → where it goes; $module is the module's name.
_FILES = {
    "module.txt": "$module.py",
    "test.txt": "tests/test_$module.py",
    "pyproject.txt": "pyproject.toml",
    "readme.txt": "README.md",
    "gitignore.txt": ".gitignore",
}


def check_name(name: str, taken: Collection[str] = ()) -> str:
    """Return a new plugin's name, without the prefix that its package gets.

    Args:
        name: lower case words joined by hyphens, with or without ``kerascnn-``.
        taken: names of the plugins at hand.

    Raises:
        UsageError: it is no such name, or is taken.
    """
    short = name.removeprefix(_PREFIX)
    if not NAME.fullmatch(short) or len(short) > _LONGEST:
        raise UsageError(
            f"a plugin's name is lower case words joined by hyphens, as edge-map, of at most "
            f"{_LONGEST} characters. Received: {one_line(name, 60)!r}"
        )
    if short in taken:
        raise UsageError(f"there is a plugin {short!r} already; choose another name")
    return short


def write_plugin(name: str, folder: Path, version: str) -> Path:
    """Write a package with one visualizer, a test that computes something, and what installs it.

    Args:
        name: as of `check_name`.
        folder: in which the package's own folder ``kerascnn-<name>`` is made.
        version: the least version of kerascnn that it asks for.

    Returns:
        The package's folder, written whole or not at all.

    Raises:
        OutputError: it is there already, or can't be written.
    """
    target = folder / (_PREFIX + name)
    words = {
        "name": name,
        "distribution": target.name,
        "module": target.name.replace("-", "_"),
        "class_name": "".join(word.capitalize() for word in name.split("-")),
        "words": name.replace("-", " "),
        "Words": name.replace("-", " ").capitalize(),
        "version": version,
    }
    try:
        if target.exists() or target.is_symlink():
            raise OutputError(f"{one_line(target)} is there already; nothing was written")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as temporary:
            made = Path(temporary) / target.name
            for template, place in _FILES.items():
                path = made / Template(place).substitute(words)
                path.parent.mkdir(parents=True, exist_ok=True)
                text = (resources.files(__package__) / "template" / template).read_text("utf-8")
                path.write_text(Template(text).substitute(words), encoding="utf-8")
            # A rename never replaces a folder that has something in it.
            shutil.move(str(made), str(target))
    except OSError as error:
        raise OutputError(
            f"can't write {one_line(target)}: {one_line(error.strerror or error)}"
        ) from error
    return target
