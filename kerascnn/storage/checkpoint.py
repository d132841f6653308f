"""Long work that can be taken up where it was left, however it ended."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from kerascnn.errors import one_line
from kerascnn.storage.files import replacing
from kerascnn.terminal.progress import say

_RECORD = "record"
_STALE_SECONDS = 3600
_DAMAGED = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


class Restorable(Protocol):
    """What a state can be put back into."""

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> object:
        """Take up a state; a ValueError says that it does not fit."""


@dataclass(frozen=True)
class Checkpoint:
    """The place of one work's state: arrays, and a record of how they came about.

    Attributes:
        path: the file; its name holds a digest of the configuration.
        configuration: all that the work's numbers depend on. A state that was saved under
            another configuration is never returned.
    """

    path: Path
    configuration: dict[str, Any]

    @classmethod
    def of(cls, folder: Path, name: str, configuration: dict[str, Any]) -> Checkpoint:
        """Return the place in ``folder`` for a configuration (of JSON values)."""
        text = json.dumps(configuration, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return cls(folder / f"{name}-{digest[:16]}.npz", json.loads(text))

    def save(self, state: dict[str, npt.NDArray[Any]], record: dict[str, Any]) -> None:
        """Put ``state`` and ``record`` (of JSON values) in place of what was there.

        Raises:
            OutputError: the file can't be written.
        """
        text = json.dumps({"configuration": self.configuration, "record": record})
        with replacing(self.path) as temporary:
            arrays: dict[str, Any] = {**state, _RECORD: np.array(text)}
            np.savez(temporary, **arrays)

    def load(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]] | None:
        """Return the state and the record, or None where there are none (or damaged ones)."""
        self._sweep()
        if not self.path.exists():
            return None
        try:
            with np.load(self.path, allow_pickle=False) as stored:
                state = {name: stored[name] for name in stored.files}
            told = json.loads(str(state.pop(_RECORD)))
            if told["configuration"] != self.configuration:
                raise ValueError("it is of other work")
            return state, told["record"]
        except _DAMAGED as error:
            say(f"{one_line(self.path)} can't be used, starting anew: {one_line(error, 120)}")
            return None

    def restore(self, trainer: Restorable) -> dict[str, Any] | None:
        """Bring a trainer to the state that was saved.

        Returns:
            The record; None where there is no state (or none of this network), and the trainer is
            as it was.
        """
        found = self.load()
        if found is None:
            return None
        state, record = found
        try:
            trainer.restore(state)
        except ValueError as error:
            say(f"{one_line(self.path)} can't be used, starting anew: {one_line(error, 120)}")
            return None
        return record

    def _sweep(self) -> None:
        # What a killed run was writing at that moment. Not what another run may be writing now.
        for stray in self.path.parent.glob(f".{self.path.stem[:60]}-*.npz"):
            with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                if time.time() - stray.stat().st_mtime > _STALE_SECONDS:
                    stray.unlink()
