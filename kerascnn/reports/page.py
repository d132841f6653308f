"""`report_page`: what the pages of reports and comparisons have in common."""

from __future__ import annotations

from kerascnn.errors import one_line
from kerascnn.pages import render_page

InLanguages = dict[str, str]
"""A text in each language of the page: here in English alone."""


def in_english(text: object, limit: int = 400) -> InLanguages:
    """Return a text as the templates take it: one line, shown as it is."""
    return {"en": one_line(text, limit)}


_WORDS = {
    name: in_english(text)
    for name, text in {
        "skip": "To the text",
        "contents": "Contents",
        "language": "Language",
        "theme": "Light / dark",
        "enlarge": "Enlarge the picture",
        "enlarged": "Enlarged picture",
        "close": "Close",
        "raw": "raw values",
    }.items()
}


def report_page(template: str, title: str, **values: object) -> str:
    """Fill in a template in English, with the scripts and styles of reports.

    Args:
        template: its file name in ``kerascnn/pages/templates``.
        title: of the page.
        **values: what the template takes.
    """
    return render_page(
        template,
        scripts=("report.js",),
        styles=("report.css",),
        title=in_english(title, 120),
        languages={"en": "English"},
        words=_WORDS,
        **values,
    )
