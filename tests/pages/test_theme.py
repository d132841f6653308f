"""The colours of pages are the palette's, in both themes and on paper."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from kerascnn.pages import render_page
from kerascnn.render.palette import DARK, LIGHT, ON_VEIL, SHEET, VEIL

WORDS = {key: {"en": key} for key in ("skip", "contents", "language", "theme", "enlarged", "close")}


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    text = render_page(
        "base.html",
        styles=("book.css", "report.css"),
        title={"en": "a page"},
        words=WORDS,
        languages={"en": "English"},
    )
    file = tmp_path_factory.mktemp("page") / "page.html"
    file.write_text(text, encoding="utf-8")
    opened = browser.new_page()
    opened.goto(file.as_uri())
    yield opened
    opened.close()


def colours(page):
    """The custom properties that the page has, by their names in the palette."""
    names = [*asdict(LIGHT), "sheet", "veil", "on_veil"]
    read = "name => getComputedStyle(document.documentElement).getPropertyValue(name)"
    return {name: page.evaluate(read, f"--{name.replace('_', '-')}").strip() for name in names}


FIGURES = {"sheet": SHEET, "veil": VEIL, "on_veil": ON_VEIL}


@pytest.mark.parametrize("system", ["light", "dark"])
@pytest.mark.parametrize("chosen", [None, "light", "dark"])
def test_the_theme_is_the_one_chosen_or_the_systems(page, system, chosen):
    page.emulate_media(media="screen", color_scheme=system)
    page.evaluate("theme => { document.documentElement.dataset.theme = theme || '' }", chosen)
    wanted = {"light": LIGHT, "dark": DARK}[chosen or system]
    assert colours(page) == asdict(wanted) | FIGURES


@pytest.mark.parametrize("chosen", ["light", "dark"])
def test_on_paper_every_page_is_light(page, chosen):
    page.emulate_media(media="print", color_scheme=chosen)
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", chosen)
    assert colours(page) == asdict(LIGHT) | FIGURES | {"paper": SHEET}


def test_no_rule_uses_a_colour_that_the_palette_has_not(page):
    """Whatever a style sheet says of a colour, it says by a property that is defined."""
    used = page.evaluate(
        """() => [...document.styleSheets].flatMap(sheet => [...sheet.cssRules])
            .flatMap(rule => rule.cssRules ? [rule, ...rule.cssRules] : [rule])
            .flatMap(rule => [...(rule.style || [])].map(name => [name, rule.style[name]]))
            .filter(([name, value]) => /color|background|border|outline/.test(name))
            .map(([name, value]) => value || '')"""
    )
    assert len(used) > 20
    plain = [value for value in used if "rgb(" in value or value.startswith("#")]
    assert plain == []
