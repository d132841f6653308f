"""A loaded model and where it came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from kerascnn.families import Model


@dataclass(frozen=True)
class Loaded:
    """A loaded model and where it came from.

    Attributes:
        model: the live Keras model.
        format: ``"HDF5"``, ``"Keras archive"``, ``"SavedModel"``, ``"weights + architecture"``,
            ``"architecture JSON + weights"``, ``"keras.applications"`` or ``"built-in"``.
        keras_version: as the file says.
        family: ``"keras2"`` or ``"keras3"``: which Keras the model belongs to.
        path: as given by the user, or ``builtin:NAME``.
        digest: of the file that holds the weights, or None for a built-in; see ``sha256``.
        findings: what the scan would have refused, had the user not trusted the file.
        warnings: what the user should know.
    """

    model: Model
    format: str
    keras_version: str | None
    family: str
    path: str
    digest: Callable[[], str] | None = field(default=None, repr=False, compare=False)
    findings: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def trusted(self) -> bool:
        """Whether the file was loaded although the scan would have refused it."""
        return bool(self.findings)

    @property
    def sha256(self) -> str | None:
        """The SHA-256 of the file with the weights (of a folder: of its sorted contents).

        That of a large file is computed in the background and waited for here.

        Raises:
            ModelError: the file was changed before it was read to its end.
        """
        return None if self.digest is None else self.digest()
