"""``--architecture package.module:function``: a model built by the user's own code."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator

from kerascnn.errors import ModelError, UsageError, nearest, one_line
from kerascnn.families import Model, family_of_model


def build(architecture: str) -> tuple[Model, str]:
    """Import a function that the user named and let it build a model.

    The current folder is on Python's path meanwhile, as with ``python -m``, and not after.

    Args:
        architecture: ``package.module:function``; the function takes no arguments.

    Returns:
        The model and its family.

    Raises:
        UsageError: the text has another form, or there is no such module or function.
        ModelError: the function fails, or returns no Keras model.
    """
    shown = one_line(architecture, 120)
    name, _, attribute = architecture.partition(":")
    if not attribute or not all(part.isidentifier() for part in name.split(".")):
        raise UsageError(f"architecture must be package.module:function. Received: {shown}")
    with _current_folder():
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
                raise UsageError(f"architecture {shown}: there is no module {error.name}") from None
            raise _failed(shown, "importing it", error) from error
        except Exception as error:
            raise _failed(shown, "importing it", error) from error
        function = getattr(module, attribute, None)
        if not callable(function):
            functions = [key for key, value in vars(module).items() if callable(value)]
            raise UsageError(
                f"architecture {shown}: {name} has no function {one_line(attribute, 60)}"
                f"{nearest(attribute, functions)}"
            )
        try:
            model = function()
        except Exception as error:
            raise _failed(shown, "calling it without arguments", error) from error
    family = family_of_model(model)
    if family is None:
        raise ModelError(
            f"architecture {shown}: returned {type(model).__name__}, where a Keras model is wanted"
        )
    return model, family


def _failed(shown: str, doing: str, error: Exception) -> ModelError:
    return ModelError(
        f"architecture {shown}: {doing} failed: {type(error).__name__}: {one_line(error, 160)}"
    )


@contextlib.contextmanager
def _current_folder() -> Iterator[None]:
    here = os.getcwd()  # noqa: PTH109 - sys.path holds texts
    sys.path.insert(0, here)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(here)
