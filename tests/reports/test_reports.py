"""The report and the comparison: what is on them, what a hostile model may not do, in a browser."""

from __future__ import annotations

import base64
import hashlib
import json

import numpy as np
import pytest

from helpers.html_page import Page
from kerascnn import Heatmap, Visualizer, option
from kerascnn.cli import main
from kerascnn.plugin.options import given_flags
from kerascnn.plugin.registry import Registry
from kerascnn.plugin.visualizer import variants_of
from kerascnn.reports import make_comparison, make_report
from kerascnn.testing import families, tiny_network

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>&\"'"


class Blind(Visualizer):
    """The picture's own brightness: nothing of the network."""

    name = "blind"
    variants = ({}, {"half": True})
    half: bool = option(False, "half as bright")
    gain: float = option(1.0, "how bright")

    def visualize(self, network, images, target):
        """Brightness."""
        values = images.mean(axis=-1) * self.gain * (0.5 if self.half else 1)
        return Heatmap(values, over=images, title=HOSTILE, notes=[HOSTILE])


class Gradient(Visualizer):
    """The gradient."""

    name = "gradient"

    def visualize(self, network, images, target):
        """Gradient."""
        values = (images * network.gradients(images, target)).sum(axis=-1)
        return Heatmap(values, over=images, signed=True, title="gradient")


class Fails(Visualizer):
    """Never answers."""

    name = "fails"

    def visualize(self, network, images, target):
        """Fail."""
        raise KeyError(HOSTILE)


@pytest.fixture(scope="module")
def network():
    made = tiny_network(families()[-1])
    made.labels = (HOSTILE, "square", "other")
    return made


@pytest.fixture(scope="module")
def report(network):
    registry = Registry().discover()
    asked = [*variants_of(Blind, Blind()), Gradient(), Fails()]
    weights = network.model.get_weights()
    text = make_report(network, asked, registry, model=f"{HOSTILE}.h5", command="kerascnn report x")
    for before, after in zip(weights, network.model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    return text


def test_the_page_is_whole_and_asks_nothing_of_the_network(report):
    page = Page(report)
    attributes = [element.attrs for element in page.elements]
    sources = [attrs["src"] for attrs in attributes if "src" in attrs]
    assert len(sources) > 10
    assert all(source.startswith("data:image/") for source in sources)
    assert all(attrs.get("href", "#").startswith(("#", "data:,")) for attrs in attributes)
    assert not any(page.find(tag) for tag in ("iframe", "object", "embed", "base"))
    (policy,) = page.find("meta", http_equiv="Content-Security-Policy")
    assert "default-src 'none'" in policy.attrs["content"]
    (script,) = page.find("script")
    digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy.attrs["content"]


def test_what_a_model_is_called_is_shown_and_not_obeyed(report):
    page = Page(report)
    assert len(page.find("script")) == 1
    assert not [e for e in page.elements if any(name.startswith("on") for name in e.attrs)]
    assert page.text.count("document.title='owned'") > 3


def test_it_says_what_the_model_is_what_it_predicts_and_what_was_asked(report, network):
    page = Page(report)
    text = " ".join(page.text.split())
    for layer in network.layers:
        assert layer.name in text
    for word in ("blind --half", "gradient", "fails", "KeyError", "deletion", "random order"):
        assert word in text
    manifest = json.loads(page.find("pre", class_="manifest")[0].text)
    assert manifest["command"] == "kerascnn report x"
    assert [found.get("plugin") for found in manifest["asked"]] == [
        "blind",
        "blind",
        "gradient",
        None,
    ]
    checks = {check["attribution"]: check for check in manifest["checks"]}
    assert set(checks) == {"blind", "blind --half", "gradient", "random order"}
    # The blind map can't change with the weights, and is marked; the gradient does.
    assert checks["blind"]["rank_correlation_under_shuffled_weights"] == pytest.approx(1)
    assert abs(checks["gradient"]["rank_correlation_under_shuffled_weights"]) < 0.8
    marked = [row.text.split("\n")[0] for row in page.find("tr", class_="no")]
    assert marked == ["blind", "blind --half"]


def test_variants_leave_alone_what_the_user_said():
    assert variants_of(Blind, Blind()) == [Blind(), Blind(half=True)]
    assert variants_of(Blind, Blind(gain=2)) == [Blind(gain=2), Blind(gain=2, half=True)]
    assert variants_of(Blind, Blind(half=True)) == [Blind(half=True)]
    assert given_flags(Blind(half=True, gain=2, seed=3)) == [
        "--half", "--gain", "2.0", "--seed", "3",
    ]  # fmt: skip
    assert given_flags(Blind(half=False)) == []


def test_every_first_party_variant_is_valid():
    for plugin in Registry().discover().plugins.values():
        for variant in plugin.visualizer.variants:
            assert plugin.visualizer.parse(variant)


def test_two_models_side_by_side(network):
    other = tiny_network(families()[0], seed=1)
    page = make_comparison((network, other), ("a.h5", HOSTILE), [Blind(), Gradient()])
    text = " ".join(Page(page).text.split())
    assert "The two agree on" in text
    assert "Rank correlation of the two models' maps: +1.00" in text
    assert len(Page(page).find("script")) == 1
    same = make_comparison((network, network), ("a.h5", "b.h5"), [Gradient()])
    assert "agree on 1 of 1" in " ".join(Page(same).text.split())
    assert "0.0000" in same


def test_the_command_writes_the_page(tmp_path, lecture_models, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flags = ["--plugin", "saliency,filters", "--method", "gradient", "--target", "3"]
    assert main(["report", str(lecture_models["cnn"]), *flags, "-o", "out/page.html"]) == 0
    out, _ = capsys.readouterr()
    assert out == "out/page.html\n"
    text = (tmp_path / "out" / "page.html").read_text(encoding="utf-8")
    assert "kerascnn visualize --plugin saliency" in text
    assert "--target 3" in text
    both = [str(lecture_models[name]) for name in ("cnn", "dnn")]
    code = main(["compare", *both, "--plugin", "saliency", "--method", "gradient", "--json"])
    out, _ = capsys.readouterr()
    assert code == 0
    assert json.loads(out)["file"] == "compare.html"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["report", "m.h5", "--plugin", "salency"], ["salency", "saliency"]),
        (["report", "{cnn}", "--units-of", "conv9", "--plugin", "filters"], ["conv9"]),
        (
            ["report", "{cnn}", "--target", "11", "--plugin", "filters"],
            ["target", "from 0 to 9", "11"],
        ),
        (["compare", "m.h5"], ["SECOND"]),
    ],
)
def test_wrong_usage_is_one_line_and_leaves_nothing(
    arguments, words, tmp_path, capsys, monkeypatch, lecture_models
):
    monkeypatch.chdir(tmp_path)
    given = [word.replace("{cnn}", str(lecture_models["cnn"])) for word in arguments]
    assert main(given) == 2
    _, err = capsys.readouterr()
    last = err.strip().splitlines()[-1]
    assert last.startswith("kerascnn: error: ")
    for word in words:
        assert word in last
    assert list(tmp_path.iterdir()) == []


# --- in a browser -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def opened(report, browser, tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(report, encoding="utf-8")
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    told = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: told.append(request.url))
    page.goto(file.as_uri())
    yield page, told, file.as_uri()
    page.close()


def test_in_a_browser_nothing_runs_and_nothing_is_fetched(opened):
    page, told, address = opened
    page.wait_for_timeout(200)
    assert page.title() != "owned"
    assert [text for text in told if not text.startswith(("data:", address))] == []


def test_in_a_browser_the_slider_lays_maps_and_a_click_enlarges(opened):
    page, _, address = opened
    page.goto(f"{address}#maps")
    assert page.locator("#maps").is_visible()
    assert not page.locator("#cover").is_visible()
    shown = page.locator(".overlay .map").first
    page.locator("#strength").fill("20")
    assert shown.evaluate("node => getComputedStyle(node).opacity") == "0.2"
    before = page.locator(".overlay").first.bounding_box()["width"]
    page.locator(".overlay .grow").first.click()
    assert page.locator(".overlay").first.bounding_box()["width"] > 1.5 * before
    page.goto(f"{address}#answer-0")
    picture = page.locator("#answer-0 .enlarge img")
    assert picture.evaluate("node => node.decode().then(() => node.naturalWidth)") > 300
    page.locator("#answer-0 .enlarge").click()
    assert page.locator("dialog#large").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("dialog#large").is_visible()


def test_in_a_browser_nothing_is_wider_than_a_phone(opened):
    page, _, address = opened
    page.set_viewport_size({"width": 390, "height": 800})
    for leaf in ("cover", "pictures", "maps", "trust", "answer-0", "units", "made"):
        page.goto(f"{address}#{leaf}")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 391, leaf
