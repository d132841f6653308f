"""Pictures in: read from files, folders and arrays, or packaged samples, as a model takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerascnn.lazy import attach

if TYPE_CHECKING:
    from kerascnn.images.packaged import sample_pictures
    from kerascnn.images.paths import iter_picture_paths
    from kerascnn.images.picture import Picture
    from kerascnn.images.reading import iter_pictures, read_picture, read_pictures

_PLACES = {
    "Picture": "kerascnn.images.picture",
    "iter_picture_paths": "kerascnn.images.paths",
    "iter_pictures": "kerascnn.images.reading",
    "read_picture": "kerascnn.images.reading",
    "read_pictures": "kerascnn.images.reading",
    "sample_pictures": "kerascnn.images.packaged",
}
__all__ = [
    "Picture",
    "iter_picture_paths",
    "iter_pictures",
    "read_picture",
    "read_pictures",
    "sample_pictures",
]

__getattr__, __dir__ = attach(__name__, _PLACES)
