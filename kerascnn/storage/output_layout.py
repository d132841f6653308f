"""Where results go: every folder and file name, in one place.

``kerascnn-out/<model>/<plugin>/`` holds ``<plugin>.png``, ``<plugin>.npz`` and ``manifest.json``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

OUTPUT = Path("kerascnn-out")
"""The folder that is written to where the user names none."""

RESULTS = OUTPUT / "<model>" / "<plugin>"
"""Where results go in it, as help shows it."""

STYLE = OUTPUT / "style"
"""Where painted pictures go in it."""


def result_folders(model: str, plugins: Sequence[str], out: Path | None = None) -> list[Path]:
    """Return where the results of each plugin go.

    Args:
        model: a model's path, or ``builtin:NAME``.
        plugins: their names.
        out: the folder that the user named. It is that of a single plugin; several have a folder
            each inside it, as inside the default.
    """
    if out is not None and len(plugins) == 1:
        return [out]
    name = Path(model.removeprefix("builtin:")).stem
    own = OUTPUT / (name if name.strip(".") else "model")
    return [(out or own) / plugin for plugin in plugins]


@dataclass(frozen=True)
class ResultFiles:
    """The files of one result.

    Attributes:
        folder: where they are.
        plugin: the visualizer's name.
    """

    folder: Path
    plugin: str

    @property
    def manifest(self) -> Path:
        """How the result was made, as JSON."""
        return self.folder / "manifest.json"

    def named(self, suffix: str) -> Path:
        """Return the file of the result in one format: ``png``, ``npz``, ``gif``, …."""
        return self.folder / f"{self.plugin}.{suffix}"

    @property
    def checkpoint(self) -> Path:
        """What an interrupted run resumes from."""
        return self.named("part.npz")
