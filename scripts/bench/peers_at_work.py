"""Other tools: an environment for each, and the same tasks timed in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from bench.measured import Json

_PROGRAMS = Path(__file__).with_name("peers")


@dataclass(frozen=True)
class Peer:
    """A tool that does some of our tasks.

    Attributes:
        requirements: what is installed in its environment.
        program: in ``bench/peers/``, run in that environment.
        rows: the rows that it is timed for.
        framework: what its bare code is written in.
    """

    requirements: tuple[str, ...]
    program: str
    rows: tuple[str, ...]
    framework: str = "TensorFlow"


# Of our 169 positions the peers compute 49, with a stride of 32: each costs the same, and a full
# run should end within 40 minutes.
_SHARE = {"occlusion-32-16": 49 / 169}
_OLD = ("tensorflow==2.15.*", "tf-keras-vis==0.8.7", "tf-explain==0.3.1", "opencv-python-headless")
PEERS = {
    "xplique": Peer(("xplique==2.0.2",), "run_xplique.py", ("saliency", "occlusion-32-16")),
    "tf-keras-vis": Peer(_OLD, "run_tf_keras_vis.py", ("saliency", "max-activation")),
    "tf-explain": Peer(_OLD, "run_tf_explain.py", ("saliency", "occlusion-32-16")),
    "pytorch": Peer(
        ("torch", "captum"),
        "run_pytorch.py",
        ("saliency", "occlusion-32-16", "style-256", "style-512"),
        "PyTorch",
    ),
}


def peers_of(row: str) -> list[str]:
    """Return the names of the peers that are timed for a row."""
    return [name for name, peer in PEERS.items() if row in peer.rows]


def prepare(name: str, folder: Path) -> Path:
    """Make a peer's environment unless it exists; return its Python.

    Raises:
        subprocess.CalledProcessError: pip can't install it.
    """
    requirements = PEERS[name].requirements
    home = folder / _folder_name(requirements)
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = home / "complete"
    if not done.exists():
        print(f"  making an environment for {name} in {home}", file=sys.stderr)
        venv.EnvBuilder(with_pip=True, clear=True).create(home)
        command = [str(python), "-m", "pip", "install", "--quiet", *requirements]
        subprocess.run(command, check=True)
        done.touch()
    return python


def _folder_name(requirements: tuple[str, ...]) -> str:
    return "+".join(requirement.partition("=")[0] for requirement in requirements[-2:])


def measure(name: str, row: str, repeat: int, folder: Path) -> Json:
    """Time a peer's task in its environment.

    Returns:
        ``{"peer": seconds, "bare": seconds}`` of all of our task, or ``{"error": reason}``.
    """
    peer = PEERS[name]
    try:
        python = prepare(name, folder)
        found = subprocess.run(
            [str(python), str(_PROGRAMS / peer.program), row, str(repeat)],
            capture_output=True,
            text=True,
            check=True,
            timeout=1800,
        )
    except (subprocess.SubprocessError, OSError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        return {"error": said[-1] if said else "failed"}
    record: Json = json.loads(found.stdout.strip().splitlines()[-1])
    share = _SHARE.get(row, 1.0)
    record = {key: [seconds / share for seconds in values] for key, values in record.items()}
    return {**record, "framework": peer.framework}
