"""Data sets, each with a part embedded in the package."""
