"""Pages in a real browser: Debian's chromium, driven by playwright."""

from __future__ import annotations

import contextlib
import os
import shutil

import pytest


@contextlib.contextmanager
def chromium():
    """Give a browser; skip where there is none, but not where all tests are meant to run."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sync_playwright = None
    if path is None or sync_playwright is None:
        reason = "there is no chromium, or no playwright"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(f"{reason}, and CI is set")
        pytest.skip(reason)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
