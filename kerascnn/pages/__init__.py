"""Self-contained pages: templates filled in, with all they need inside them.

A page is one file that asks nothing of the network, and is told so: its content security policy
allows the scripts and styles that it was written with, pictures that it carries, and nothing else.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import io
import math
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment
    from markdown_it import MarkdownIt
    from markupsafe import Markup
    from PIL.Image import Image

#: WebP of this quality for photographs, where lossless would be much larger.
_QUALITY = 82
_WORTH = 0.6
_SMALL = 60_000  # bytes: not worth a loss
_WIDEST = 1600


def render_page(
    template: str,
    *,
    scripts: Iterable[str] = (),
    styles: Iterable[str] = (),
    **values: Any,
) -> str:
    """Fill in a template of ``kerascnn/pages/templates``.

    Everything in ``values`` is escaped; only what is made by `prose` is taken as HTML.

    Args:
        template: its file name. It extends ``base.html``, which gives the side bar, the theme and
            language switches and the enlarging of pictures.
        scripts: files of ``kerascnn/pages/static`` beside ``page.js``.
        styles: files of ``kerascnn/pages/static`` beside ``page.css``.
        **values: what the template takes.
    """
    from markupsafe import Markup

    script = _joined("page.js", *scripts)
    style = _joined("page.css", *styles) + _one_language(values["languages"])
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
    return _environment().get_template(template).render(**inside, **values)


def prose(text: str, *, inline: bool = False) -> Markup:
    """Return Markdown as HTML; HTML inside it is shown, not taken.

    Args:
        text: CommonMark, with tables.
        inline: without paragraphs, for captions and cells.
    """
    from markupsafe import Markup

    made = _markdown().renderInline(text) if inline else _markdown().render(text)
    return Markup(made)  # markdown-it has escaped what was HTML


def embedded(png: bytes) -> str:
    """Return a picture as a data URI: as WebP where that is smaller.

    Drawings stay exact; photographs are packed with a loss that is not seen. Very large pictures
    are made 1600 pixels wide.

    Args:
        png: a picture file that Pillow reads.
    """
    from PIL import Image as Pictures

    with Pictures.open(io.BytesIO(png)) as opened:
        picture = opened.convert("RGBA" if "A" in opened.getbands() else "RGB")
    if picture.width > _WIDEST:
        height = math.ceil(picture.height * _WIDEST / picture.width)
        picture = picture.resize((_WIDEST, height), Pictures.Resampling.LANCZOS)
    exact = _webp(picture, lossless=True, quality=20, method=2)
    if len(exact) < _SMALL:
        return data_uri(exact, "image/webp")
    near = _webp(picture, quality=_QUALITY, method=4)
    return data_uri(near if len(near) < _WORTH * len(exact) else exact, "image/webp")


def _webp(picture: Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", **options)
    return buffer.getvalue()


def data_uri(data: bytes, kind: str) -> str:
    """Return a file's content as a URI.

    Args:
        data: the content.
        kind: its media type, as ``image/png``.
    """
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


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
    environment.filters["prose"] = _everywhere(prose)
    environment.filters["line"] = _everywhere(functools.partial(prose, inline=True))
    return environment


def _everywhere(make: Any) -> Any:
    """Return a filter for a text, or for a mapping of a text in each language."""

    def each(value: str | Mapping[str, str]) -> Any:
        if isinstance(value, Mapping):
            return {language: make(text) for language, text in value.items()}
        return make(value)

    return each


@functools.cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table")
