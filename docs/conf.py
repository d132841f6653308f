"""Settings of Sphinx: the pages in this folder, and the API from the docstrings."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kerascnn import __version__

project = "kerascnn"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"kerascnn {__version__}"
html_copy_source = False
html_baseurl = os.environ.get("READTHEDOCS_CANONICAL_URL", "")  # where it is hosted

myst_heading_anchors = 3
# Links to files outside this folder work in a checkout only.
suppress_warnings = ["myst.xref_missing"]

default_role = "code"  # what single backticks mean in our docstrings
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True  # each attribute is shown once, in its class's list
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "exclude-members": "model_config, model_post_init"}


def setup(app: Sphinx) -> None:
    """Show diagrams as text; drawing them would need a script from another host."""
    from pygments.lexers.special import TextLexer

    app.add_lexer("mermaid", TextLexer)
