"""Virtual environments for what is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

from helpers.paths import ROOT

#: What a release is built from; MANIFEST.in adds the pages for people.
SOURCES = (
    "kerascnn", "plugins", "setup.cfg", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md",
    "CHANGELOG.md", "CITATION.cff", "LICENSE", "NOTICE", "SECURITY.md",
)  # fmt: skip


class Environment:
    """A virtual environment that borrows all installed packages; kerascnn itself if wanted."""

    def __init__(self, folder: Path, borrow_kerascnn: bool) -> None:
        self.folder = folder
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        self.bin = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.bin / "python"
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
            self.python, "-m", "pip", "install", "-q", "--no-deps",
            "--no-index", "--no-build-isolation", *arguments,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def command(self, *arguments, **more):
        return self.run(self.python, "-m", "kerascnn", *arguments, **more)


def copy_sources(folder: Path) -> Path:
    """Copy what a release is built from into a new folder, without anything that was built."""
    folder.mkdir()
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


def build(folder: Path) -> tuple[Path, Path]:
    """Build the source distribution, and the wheel from it, as a release does."""
    source = copy_sources(folder / "source")
    script = "import sys\nfrom setuptools import build_meta\nbuild_meta.build_sdist(sys.argv[1])"
    _check([sys.executable, "-c", script, str(folder)], cwd=source)
    archive = next(folder.glob("*.tar.gz"))
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    unpacked = folder / archive.name.removesuffix(".tar.gz")
    _check(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
         "-w", str(folder), str(unpacked)],
    )  # fmt: skip
    return archive, next(folder.glob("*.whl"))


def _check(command: list[str], **more) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, done.stderr
