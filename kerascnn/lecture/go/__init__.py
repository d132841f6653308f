"""Go as AlphaGo's policy network saw it: 48 planes of a position."""

from kerascnn.lecture.go.planes import PLANES, Position, planes

__all__ = ["PLANES", "Position", "planes"]
