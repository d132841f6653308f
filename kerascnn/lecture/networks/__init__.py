"""Builders of the networks of the lecture's last part, in Keras 2."""

from typing import Any, TypeAlias

#: A model of Keras 2; which classes it is made of is known at run time alone.
Model: TypeAlias = Any
#: A layer of such a model.
Layer: TypeAlias = Any
