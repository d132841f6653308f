"""Virtual environments for what is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from helpers.paths import ROOT


class Environment:
    """A virtual environment that borrows all installed packages but kerascnn itself."""

    def __init__(self, folder: Path, borrow_kerascnn: bool) -> None:
        self.folder = folder
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        target = Path(
            sysconfig.get_path("purelib", "venv", vars={"base": str(folder)})
            if "venv" in sysconfig.get_scheme_names()
            else next(folder.glob("lib/python*/site-packages"))
        )
        # Both folders where the platform keeps two; a link for each package is as good as a copy.
        for source in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
            for entry in Path(source).iterdir():
                ours = "kerascnn" in entry.name
                if (borrow_kerascnn or not ours) and not (target / entry.name).exists():
                    (target / entry.name).symlink_to(entry)

    def run(self, *arguments, **more):
        return subprocess.run(
            [str(argument) for argument in arguments],
            capture_output=True, text=True, encoding="utf-8", timeout=300, check=False, **more,
        )  # fmt: skip

    def install(self, *arguments):
        done = self.run(
            self.folder / "bin" / "python", "-m", "pip", "install", "-q", "--no-deps",
            "--no-index", "--no-build-isolation", *arguments,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def command(self, *arguments, **more):
        script = "import sys; from kerascnn.cli import main; sys.exit(main())"
        return self.run(self.folder / "bin" / "python", "-c", script, *arguments, **more)


def build_wheel(folder: Path) -> Path:
    """Build the wheel out of a clean copy of the tree, as a release would be."""
    source = folder / "source"
    source.mkdir()
    for name in (
        "kerascnn",
        "plugins",
        "scripts",
        "setup.cfg",
        "setup.py",
        "pyproject.toml",
        "README.md",
    ):
        copy(ROOT / name, source / name)
    for name in ("LICENSE", "NOTICE"):
        copy(ROOT / name, source / name)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
         "-w", str(folder), str(source)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)
