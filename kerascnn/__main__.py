"""``python -m kerascnn``: the same as the console script."""

from kerascnn.cli import entry

if __name__ == "__main__":
    entry()
