"""Sphinx: the pages of this folder, and the API out of the docstrings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kerascnn import __version__

project = "kerascnn"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"kerascnn {__version__}"
html_copy_source = False

myst_heading_anchors = 3
# Links into the source are for those who read the pages beside it.
suppress_warnings = ["myst.xref_missing"]

default_role = "code"  # as the docstrings mean a word between single backticks
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True  # attributes once: where the class lists them
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "exclude-members": "model_config, model_post_init"}


def setup(app: Any) -> None:
    """Show diagrams as their text: drawing them would take a script from elsewhere."""
    from pygments.lexers.special import TextLexer

    app.add_lexer("mermaid", TextLexer)
