"""What setup.cfg has no words for: packages found, and plugins/ installed as kerascnn_plugins."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["kerascnn", "kerascnn.*"]), "kerascnn_plugins"])
