"""``builtin:NAME``: the networks of keras.applications, and those that come with the package."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from kerascnn.errors import KerascnnError, ModelError, UsageError, nearest, one_line
from kerascnn.families import Model, family_of_model, keras_of
from kerascnn.loading.loaded import Loaded

PREFIX = "builtin:"


def _vgg16() -> Model:
    from kerascnn.models import vgg16_features

    return vgg16_features()


#: Networks that come with the package: name → a function that returns a Keras model. They go before
#: those of keras.applications.
BUILTINS: dict[str, Callable[[], Model]] = {"vgg16": _vgg16}


def names() -> list[str]:
    """Return the names that ``builtin:`` takes. Imports Keras."""
    return sorted({*BUILTINS, *_applications()}, key=str.lower)


def load(path: str) -> Loaded:
    """Load the network ``builtin:NAME``.

    Args:
        path: with the prefix; capitals, dashes and underscores in the name don't matter.

    Raises:
        UsageError: there is no network of that name.
        ModelError: its weights are not here and can't be fetched.
    """
    wanted = _plain(path.removeprefix(PREFIX))
    packaged = {_plain(name): build for name, build in BUILTINS.items()}
    if wanted in packaged:
        model, form = packaged[wanted](), "built-in"
    else:
        model, form = _application(path, wanted), "keras.applications"
    family = family_of_model(model) or "keras2"
    return Loaded(model, form, keras_of(family).__version__, family, path)


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).lower()


def _applications() -> dict[str, Callable[..., Model]]:
    # Keras 2's, on every TensorFlow we run on; it has all the networks of Keras 3's and more.
    module = keras_of("keras2", PREFIX).applications
    return {
        name: getattr(module, name)
        for name in dir(module)
        if name[0].isupper() and callable(getattr(module, name))
    }


def _application(path: str, wanted: str) -> Model:
    builders = {_plain(name): build for name, build in _applications().items()}
    if wanted not in builders:
        close = nearest(wanted, [name.lower() for name in names()])
        raise UsageError(f"{one_line(path)}: there is no network of that name{close}")
    try:
        return builders[wanted](weights="imagenet")
    except KerascnnError:
        raise
    except Exception as error:
        raise _not_fetched(path, error) from error


def _not_fetched(path: str, error: Exception) -> ModelError:
    """Return an error that names the file wanted and its place, where Keras' message has them."""
    address = re.search(r"https?://\S+", str(error))
    if address is None:
        return ModelError(f"{one_line(path)}: can't be built: {one_line(error, 200)}")
    url = address.group().rstrip(":.,")
    folder = Path("~/.keras/models")
    return ModelError(
        f"{one_line(path)}: its weights can't be fetched (no network?): fetch {one_line(url, 160)} "
        f"and put it into {folder}"
    )
