"""Reproduce the lecture: the installed command ``kerascnn lecture``, and nothing more.

python scripts/reproduce_lecture.py [--out DIR] [--seeds N] … (``--help`` lists all flags)
"""

from __future__ import annotations

import sys

from kerascnn.cli import main

if __name__ == "__main__":
    sys.exit(main(["lecture", *sys.argv[1:]]))
