"""The book's page in a real browser: driven by playwright."""

from __future__ import annotations

import re

import pytest

from kerascnn.lecture import make_book
from kerascnn.lecture.book.settings import Settings
from kerascnn.lecture.experiments.arithmetic import correlate, filters, picture

CHAPTERS = ("convolution", "sharing", "shapes")
ENGLISH = re.compile(r"(?:\b[a-z]{2,}\b[ ,]+){3}\b[a-z]{2,}\b")


@pytest.fixture(scope="module")
def address(tmp_path_factory, browser):
    out = tmp_path_factory.mktemp("book") / "out"
    make_book(out, Settings(quick=True), CHAPTERS)
    return (out / "index.html").as_uri()


class Opened:
    """A page, and what it said and asked for."""

    def __init__(self, page):
        self.page = page
        self.said, self.asked = [], []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))


@pytest.fixture
def opened(browser, address):
    context = browser.new_context(locale="en-GB", viewport={"width": 1200, "height": 800})
    found = Opened(context.new_page())
    found.page.goto(address)
    yield found
    assert found.said == []
    outside = [url for url in found.asked if not url.startswith("data:")]
    assert all(url.partition("#")[0].partition("?")[0] == address for url in outside)
    context.close()


def leaf(page):
    """The name of the leaf that is seen."""
    found = page.locator(".leaf:visible")
    assert found.count() == 1
    return found.get_attribute("id")


def wait_for_leaf(page, name):
    # Not for the address: the page turns the leaf a moment after the address has changed.
    shown = "name => document.querySelector('#side a[aria-current]')?.hash === `#${name}`"
    page.wait_for_function(shown, arg=name)


def turn_to(page, name):
    page.click(f'#side a[href="#{name}"]')
    wait_for_leaf(page, name)


def test_every_chapter_opens(opened):
    page = opened.page
    assert leaf(page) == "cover"
    links = page.locator("#side ol a")
    names = [links.nth(number).get_attribute("href")[1:] for number in range(links.count())]
    assert names == ["cover", *CHAPTERS, "claims", "colophon"]
    for name in names:
        turn_to(page, name)
        assert leaf(page) == name
        assert page.locator("#side a[aria-current]").get_attribute("href") == f"#{name}"
        assert page.locator(f"#{name} h1").is_visible()
    broken = page.evaluate(
        "[...document.querySelectorAll('figure img')].filter(i => !i.naturalWidth).length"
    )
    assert broken == 0


def test_arrow_keys_turn_the_leaves(opened):
    page = opened.page
    page.keyboard.press("ArrowRight")
    wait_for_leaf(page, "convolution")
    page.keyboard.press("ArrowRight")
    wait_for_leaf(page, "sharing")
    page.keyboard.press("ArrowLeft")
    wait_for_leaf(page, "convolution")
    assert leaf(page) == "convolution"


def numbers(page):
    """The stepper's map, as far as it is seen."""
    cells = page.locator(".board.map td:not(.unseen)")
    return [int(text.replace("−", "-")) for text in cells.all_inner_texts()]


@pytest.mark.parametrize(("kernel", "stride"), [(0, 1), (0, 2), (1, 1), (1, 2)])
def test_the_stepper_gives_the_lectures_numbers(opened, kernel, stride):
    page = opened.page
    turn_to(page, "convolution")
    page.select_option("select.filter", index=kernel)
    page.select_option("select.stride", index=stride - 1)
    expected = correlate(picture(), filters()[kernel], stride).ravel().astype(int).tolist()
    assert numbers(page) == expected[:1]
    for step in range(2, len(expected) + 1):
        page.click("button.next")
        assert numbers(page) == expected[:step]
    assert page.locator("button.next").is_disabled()
    last = page.locator(".play .sum").inner_text()
    assert last.replace("−", "-").endswith(f"= {expected[-1]}")


def test_the_stepper_by_keyboard(opened):
    page = opened.page
    turn_to(page, "convolution")
    page.focus(".board.picture")
    for key in ("ArrowRight", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    assert numbers(page) == [3, -1, -3, -1]
    page.keyboard.press("End")
    assert len(numbers(page)) == 16
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    assert page.locator(".board.map td.now").inner_text() == "−3"
    assert leaf(page) == "convolution"  # the leaf did not turn


def test_the_language_switches(opened):
    page = opened.page
    page.select_option("#language", "zh-Hans")
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    assert page.title().startswith("卷积")
    for name in ("cover", *CHAPTERS, "claims", "colophon"):
        page.evaluate(f"location.hash = '{name}'")
        page.wait_for_function(f"document.getElementById('{name}').classList.contains('open')")
        shown = page.evaluate(
            """name => { const leaf = document.getElementById(name).cloneNode(true);
            leaf.querySelectorAll('code, [lang="en"]').forEach(node => node.remove());
            leaf.querySelectorAll('template, noscript').forEach(node => node.remove());
            return leaf.textContent; }""",
            name,
        )
        assert re.search(r"[\u4e00-\u9fff]", shown)
        assert not ENGLISH.search(shown), (name, ENGLISH.search(shown))
    alts = page.eval_on_selector_all("figure img", "images => images.map(image => image.alt)")
    assert all(re.search(r"[\u4e00-\u9fff]", alt) for alt in alts)
    assert page.locator("button.next").inner_text() in ("", "前进 →")
    page.select_option("#language", "en")
    assert page.title().startswith("The lecture")


def test_a_chinese_reader_is_met_in_chinese(browser, address):
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(address)
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    context.close()


def test_pictures_enlarge_and_close_by_keyboard(opened):
    page = opened.page
    turn_to(page, "convolution")
    page.focus("#convolution-maps .enlarge")
    page.keyboard.press("Enter")
    assert page.locator("dialog#large").is_visible()
    assert page.locator("dialog#large img").get_attribute("alt").startswith("Two rows")
    page.keyboard.press("Escape")
    assert not page.locator("dialog#large").is_visible()


def test_tables_sort(opened):
    page = opened.page
    turn_to(page, "sharing")
    column = "#sharing table.sortable:not(.claims) tbody td:nth-child(5)"

    def values():
        return [int(text.replace(",", "")) for text in page.locator(column).all_inner_texts()]

    before = values()
    head = page.locator("#sharing table.sortable:not(.claims) thead th").nth(4)
    head.locator("button").click()
    assert values() == sorted(before)
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").click()
    assert values() == sorted(before, reverse=True)


def test_dark_and_narrow(browser, address):
    context = browser.new_context(
        color_scheme="dark", locale="en-GB", viewport={"width": 360, "height": 700}
    )
    page = context.new_page()
    page.goto(f"{address}#convolution")
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", colour)[:3])) < 60
    # Nothing makes the page wider than the phone.
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert not page.locator("#chapters").is_visible()
    page.click("#menu")
    turn_to(page, "shapes")
    assert page.locator("#shapes h1").is_visible()
    page.click("#menu")
    page.click("#theme")
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert min(map(int, re.findall(r"\d+", colour)[:3])) > 200
    context.close()


def test_all_leaves_are_printed(opened):
    opened.page.emulate_media(media="print")
    assert opened.page.locator(".leaf:visible").count() == len(CHAPTERS) + 3
    assert not opened.page.locator("#side").is_visible()


def test_without_scripts_all_is_there(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator(".leaf:visible").count() == len(CHAPTERS) + 3
    context.close()
