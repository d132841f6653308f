"""A browser for the pages."""

from helpers.browser import browser

__all__ = ["browser"]
