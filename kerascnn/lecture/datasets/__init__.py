"""Data sets of the lecture's last part, a module each, each with a part in the package."""
