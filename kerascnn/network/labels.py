"""Class names out of a file."""

from __future__ import annotations

import json
import os
from pathlib import Path

from kerascnn.errors import DataError, one_line
from kerascnn.network.applications import preprocessing_of_application

_LARGEST = 16 << 20
_IMAGENET = 1000


def read_labels(path: Path, *, option: str = "labels") -> tuple[str, ...]:
    """Read class names in the order of the classes.

    Args:
        path: a text file with a name a line, a JSON list of names, or a JSON object that gives
            each index its name (or a list that ends in it, as ImageNet's class index does).
        option: what the user calls the option, for errors.

    Raises:
        DataError: the file can't be read, or is none of these.
    """
    shown = f"{option} {one_line(path)}"
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            raise DataError(f"{shown}: no such file, or one over 16 MB")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{shown} can't be read as text: {one_line(error)}") from error
    if text.lstrip()[:1] in ("[", "{"):
        names = _from_json(text, shown)
    else:
        names = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not names:
        raise DataError(f"{shown} holds no names")
    return tuple(one_line(name, 80) for name in names)


def known_labels(model: str, classes: int | None) -> tuple[str, ...] | None:
    """Return ImageNet's class names for a network of keras.applications with its own head.

    They are those that keras.applications keeps in its cache once it has decoded predictions;
    nothing is fetched here. None for a model of another name, or with other classes.
    """
    if classes != _IMAGENET or preprocessing_of_application(model) is None:
        return None
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    path = home / "models" / "imagenet_class_index.json"
    try:
        found = read_labels(path)
    except DataError:
        return None
    return found if len(found) == _IMAGENET else None


def _from_json(text: str, shown: str) -> tuple[str, ...]:
    try:
        found = json.loads(text)
        if isinstance(found, dict):
            # Indices must be 0, 1, 2 …: a gap would shift every name behind it.
            found = [found[str(index)] for index in range(len(found))]
        names = [item[-1] if isinstance(item, list) and item else item for item in found]
    except (ValueError, KeyError, RecursionError) as error:
        raise DataError(f"{shown} is no list of names: {one_line(error)}") from error
    if not all(isinstance(name, str) for name in names):
        raise DataError(f"{shown} must hold names as text")
    return tuple(names)
