"""Name the packages: `find:` in setup.cfg can't name one whose folder has another name."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["kerascnn", "kerascnn.*"]), "kerascnn_plugins"])
