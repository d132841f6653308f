"""The state of long work in a file, from which a later run resumes, however the first one ended."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from kerascnn.errors import one_line
from kerascnn.storage.files import replacing
from kerascnn.terminal.progress import say

Arrays = dict[str, np.ndarray]
Json = dict[str, Any]
Resumed = TypeVar("Resumed")

_RECORD = "record"
_STALE_SECONDS = 3600


class Restorable(Protocol):
    """What can be set to a saved state."""

    def restore(self, state: Arrays) -> object:
        """Go back to a state; a ValueError says that it does not fit."""


@dataclass(frozen=True)
class Checkpoint:
    """A file with the state of one piece of work: arrays, and a record of how they were made.

    Whatever is wrong with the file is damage: a line says so, the file is renamed to
    ``….damaged``, and the work starts from the beginning.

    Attributes:
        path: the file, an NPZ.
        configuration: all that the work's numbers depend on, of JSON values. A state that was
            saved under another configuration is never returned.
    """

    path: Path
    configuration: Json

    @classmethod
    def of(cls, folder: Path, name: str, configuration: Json) -> Checkpoint:
        """Return the checkpoint in ``folder`` whose name holds a digest of the configuration."""
        text = _text(configuration)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return cls(folder / f"{name}-{digest[:16]}.npz", json.loads(text))

    def save(self, state: Arrays, record: Json) -> None:
        """Write ``state`` and ``record`` (of JSON values) in place of what was there.

        Raises:
            OutputError: the file can't be written.
        """
        text = json.dumps({"configuration": self.configuration, "record": record})
        with replacing(self.path, ".npz") as temporary:
            arrays: dict[str, Any] = {**state, _RECORD: np.array(text)}
            np.savez(temporary, **arrays)

    def resume(self, use: Callable[[Arrays, Json], Resumed]) -> Resumed | None:
        """Give the saved state and record to ``use``, and return what it returns.

        None where nothing is saved, where it belongs to another configuration, or where it is
        damaged: any error of ``use`` says that too.
        """
        self._remove_strays()
        if not self.path.exists():
            return None
        try:
            with np.load(self.path, allow_pickle=False) as stored:
                state = {name: stored[name] for name in stored.files}
            found = json.loads(str(state.pop(_RECORD)))
            if _text(found["configuration"]) != _text(self.configuration):
                say(
                    f"{one_line(self.path)} is of other work (options, inputs or versions have "
                    "changed); starting from the beginning"
                )
                return None
            return use(state, found["record"])
        # A damaged file makes readers raise nearly anything; one whose header promises more than
        # memory holds, a MemoryError.
        except Exception as error:
            self._set_aside(error)
            return None

    def restore(self, trainer: Restorable) -> Json | None:
        """Set a trainer to the saved state; return the record, or None as of `resume`."""

        def use(state: Arrays, record: Json) -> Json:
            trainer.restore(state)
            return record

        return self.resume(use)

    def _set_aside(self, error: Exception) -> None:
        damaged = self.path.with_name(f"{self.path.name}.damaged")
        say(
            f"{one_line(self.path)} is damaged ({one_line(error, 80) or type(error).__name__}); "
            f"it is kept as {one_line(damaged.name)}; starting from the beginning"
        )
        with contextlib.suppress(OSError):  # a folder that can't be written to is told when saving
            self.path.replace(damaged)

    def _remove_strays(self) -> None:
        # What a killed run was writing at that moment. Not what another run may be writing now.
        for stray in self.path.parent.glob(f".{glob.escape(self.path.stem[:60])}-*.npz"):
            with contextlib.suppress(OSError):  # gone meanwhile
                if time.time() - stray.stat().st_mtime > _STALE_SECONDS:
                    stray.unlink()


def _text(configuration: Json) -> str:
    return json.dumps(configuration, sort_keys=True)
