"""Self-contained pages: templates filled in, with everything they need inside them."""

from __future__ import annotations

from kerascnn.pages.data_uri import data_uri, embedded
from kerascnn.pages.page import prose, render_page

__all__ = ["data_uri", "embedded", "prose", "render_page"]
