"""Where things are in this checkout, and the command under test."""

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
ROOT = TESTS.parent
DOCS = ROOT / "docs"
SCRIPTS = ROOT / "scripts"

#: The command beside this interpreter: the one that the environment under test has installed.
COMMAND = Path(sys.executable).with_name("kerascnn")
