"""The first-party visualizers, a file each: found by entry points like anybody's."""
