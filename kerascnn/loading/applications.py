"""``builtin:NAME``: the networks of keras.applications, and those that come with the package."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kerascnn.errors import KerascnnError, ModelError, UsageError, nearest, one_line
from kerascnn.families import family_of_model, keras_of

PREFIX = "builtin:"


def _vgg16() -> Any:
    from kerascnn.models import vgg16_features

    return vgg16_features()


#: Models that come with the package: name → a function that returns a Keras model. They go before
#: those of keras.applications.
BUILTINS: dict[str, Callable[[], Any]] = {"vgg16": _vgg16}


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).lower()


def names() -> list[str]:
    """Return the names that ``builtin:`` takes. Imports Keras."""
    return sorted({*BUILTINS, *_applications()}, key=str.lower)


def _applications() -> dict[str, Callable[..., Any]]:
    # Keras 2's, on every TensorFlow we run on; it has all the networks of Keras 3's and more.
    module = keras_of("keras2", PREFIX).applications
    return {
        name: getattr(module, name)
        for name in dir(module)
        if name[0].isupper() and callable(getattr(module, name))
    }


def load(path: str) -> tuple[Any, str, str]:
    """Load the model ``builtin:NAME``.

    Args:
        path: with the prefix; capitals, dashes and underscores in the name don't matter.

    Returns:
        The model, its format (``"built-in"`` or ``"keras.applications"``) and its family.

    Raises:
        UsageError: there is no network of that name.
        ModelError: its weights are not here and can't be fetched.
    """
    wanted = _plain(path[len(PREFIX) :])
    for name, build in BUILTINS.items():
        if _plain(name) == wanted:
            model = build()
            return model, "built-in", family_of_model(model) or "keras2"
    builders = {_plain(name): (name, build) for name, build in _applications().items()}
    if wanted not in builders:
        known = [*BUILTINS, *(name for name, _ in builders.values())]
        close = nearest(wanted, [name.lower() for name in known])
        raise UsageError(f"{one_line(path)}: there is no network of that name{close}")
    name, build = builders[wanted]
    try:
        model = build(weights="imagenet")
    except KerascnnError:
        raise
    except Exception as error:
        raise _not_fetched(path, error) from error
    return model, "keras.applications", "keras2"


def _not_fetched(path: str, error: Exception) -> ModelError:
    """Say which file was wanted and where to put it, as far as Keras' message tells."""
    address = re.search(r"https?://\S+", str(error))
    if address is None:
        return ModelError(f"{one_line(path)}: can't be built: {one_line(error, 200)}")
    url = address.group().rstrip(":.,")
    folder = Path("~/.keras/models")
    return ModelError(
        f"{one_line(path)}: its weights can't be fetched (no network?): fetch {one_line(url, 160)} "
        f"and put it into {folder}"
    )
