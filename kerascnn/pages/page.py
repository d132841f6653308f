"""`render_page`: a template filled in, as one file.

A page loads nothing from the network. Its content security policy allows the scripts and styles
that it was written with and the pictures inside it, and nothing else.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from importlib import resources
from typing import TYPE_CHECKING

from kerascnn.render import palette

if TYPE_CHECKING:
    from jinja2 import Environment
    from markdown_it import MarkdownIt
    from markupsafe import Markup


def render_page(
    template: str,
    *,
    scripts: Iterable[str] = (),
    styles: Iterable[str] = (),
    languages: Mapping[str, str],
    **values: object,
) -> str:
    """Fill in a template of ``kerascnn/pages/templates``.

    Everything in ``values`` is escaped; only what `prose` makes is taken as HTML.

    Args:
        template: its file name. It extends ``base.html``, which gives the side bar, the theme and
            language switches and the enlarging of pictures.
        scripts: files of ``kerascnn/pages/static``, after ``page.js``.
        styles: files of ``kerascnn/pages/static``, after ``page.css``.
        languages: those that the page is in: code → name.
        **values: what the template takes.
    """
    from markupsafe import Markup

    script = _joined("page.js", *scripts)
    style = "\n".join((themes(), _joined("page.css", *styles), _one_language(languages)))
    policy = "; ".join(
        (
            "default-src 'none'",
            "img-src data:",
            f"script-src '{_digest(script)}'",
            f"style-src '{_digest(style)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    # Our own files: whoever could change them could change this function.
    inside = {"script": Markup(script), "style": Markup(style), "policy": policy}
    return _environment().get_template(template).render(languages=languages, **inside, **values)


def prose(text: str, *, inline: bool = False) -> Markup:
    """Return Markdown as HTML; HTML inside it is shown as text.

    Args:
        text: CommonMark, with tables.
        inline: without paragraphs, for captions and cells.
    """
    from markupsafe import Markup

    made = _markdown().renderInline(text) if inline else _markdown().render(text)
    return Markup(made)  # markdown-it has escaped what was HTML


def themes() -> str:
    """Return the palette as CSS custom properties, light and dark; printed pages are light."""
    light, dark = (_properties(**asdict(each)) for each in (palette.LIGHT, palette.DARK))
    both = _properties(sheet=palette.SHEET, veil=palette.VEIL, on_veil=palette.ON_VEIL)
    return f"""\
:root {{ color-scheme: light dark; {light} {both} }}
:root[data-theme="light"] {{ color-scheme: light; }}
:root[data-theme="dark"] {{ color-scheme: dark; {dark} }}
@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ {dark} }} }}
@media print {{ :root:root {{ {light} {_properties(paper=palette.SHEET)} }} }}"""


def _properties(**colours: str) -> str:
    return " ".join(f"--{name.replace('_', '-')}: {colour};" for name, colour in colours.items())


def _joined(*names: str) -> str:
    folder = resources.files("kerascnn.pages") / "static"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def _one_language(languages: Iterable[str]) -> str:
    """Return the rules that show texts in the page's language and hide all others."""
    rule = 'html[lang="{0}"] [lang]:not([lang="{0}"], option) {{ display: none; }}'
    return "\n".join(rule.format(language) for language in languages)


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"


@functools.cache
def _environment() -> Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("kerascnn.pages", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = _in_each_language(prose)
    environment.filters["line"] = _in_each_language(functools.partial(prose, inline=True))
    return environment


def _in_each_language(
    make: Callable[[str], Markup],
) -> Callable[[str | Mapping[str, str]], Markup | dict[str, Markup]]:
    """Return a filter for a text, or for a mapping of a text in each language."""

    def each(value: str | Mapping[str, str]) -> Markup | dict[str, Markup]:
        if isinstance(value, Mapping):
            return {language: make(text) for language, text in value.items()}
        return make(value)

    return each


@functools.cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table")
