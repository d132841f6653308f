"""Finding plugins: good ones are taken, bad ones reported by name, and nothing is fatal."""

from __future__ import annotations

import pickle
import re

import pytest

from kerascnn import PluginError, UsageError
from kerascnn.plugin.registry import Registry

GOOD = """
from kerascnn import Images, Visualizer, hookimpl, option

class {cls}(Visualizer):
    '''Shows {name}.'''
    name = {name!r}
    strength: int = option({default}, "how strong", ge=1)

    def visualize(self, network, images, target):
        return Images(images)

@hookimpl
def kerascnn_visualizers():
    yield {cls}
"""


def good(name, cls="Good", default=1):
    return GOOD.format(name=name, cls=cls, default=default)


def reasons(registry):
    return {problem.plugin: problem.reason for problem in registry.problems}


def test_the_first_party_plugins_are_found_without_a_problem():
    found = Registry().discover()
    assert {"activations", "filters", "saliency", "top-images"} <= set(found.plugins)
    assert found.problems == []
    assert {plugin.distribution for plugin in found.plugins.values()} == {"kerascnn"}
    assert found.get("filters").name == "filters"


def test_a_plugin_of_another_distribution_is_taken(install):
    install("acme-kerascnn", "acme", good("acme-look"), version="2.5")
    plugin = Registry().discover().get("acme-look")
    assert (plugin.distribution, plugin.version) == ("acme-kerascnn", "2.5")


HOOK = "from kerascnn import hookimpl\n@hookimpl\ndef kerascnn_visualizers():\n"
BROKEN = {
    "error at import": ("raise RuntimeError('no GPU\\nhere')", "RuntimeError: no GPU here"),
    "exit at import": ("import sys; sys.exit(3)", "can't be imported: SystemExit: 3"),
    "wrong syntax": ("def (:", "can't be imported: SyntaxError"),
    "missing library": ("import no_such_library_at_all", "No module named"),
    "hook that raises": (
        HOOK + "    1 / 0\n    yield",
        "can't be registered: ZeroDivisionError",
    ),
    "hook of another shape": (
        "from kerascnn import hookimpl\n@hookimpl\ndef kerascnn_visualizers(what):\n    return []",
        "can't be registered",
    ),
    "hook that gives None": (
        HOOK + "    return None",
        "can't be registered: TypeError",
    ),
    "no class": (
        HOOK + "    yield 'x'",
        "gives x, which is no Visualizer class",
    ),
    "bad name": (good("Bad Name"), "name must be lower case words"),
    "no name": (good(""), "name must be lower case words"),
    "name of a number": (good("x").replace("= 'x'", "= 7"), "name must be lower case words"),
    "default out of bounds": (good("odd", default=0), "a default breaks its own bounds"),
    "option type": (
        good("odd").replace("strength: int", "strength: dict"), "flags carry bool, int, float"
    ),
    "no docstring": (good("odd").replace("'''Shows odd.'''", ""), "has no docstring"),
    "no visualize": (good("odd").replace("def visualize", "def look"), "has no method 'visualize'"),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_a_bad_plugin_is_reported_and_stops_nothing(install, what):
    source, reason = BROKEN[what]
    install("bad-one", "bad_one", source)
    install("good-one", "good_one", good("fine"))
    found = Registry().discover()
    assert "fine" in found.plugins
    assert "filters" in found.plugins
    assert len(found.problems) == 1
    problem = found.problems[0]
    assert problem.distribution == "bad-one"
    assert re.search(reason, problem.reason), problem.reason
    assert str(problem).isprintable()
    with pytest.raises(PluginError, match="bad-one"):
        found.get(problem.plugin)


def test_a_flag_that_is_ours_is_refused(install):
    install("shadow", "shadow", good("shade").replace("strength", "image"))
    found = Registry(reserved=frozenset(["--image"])).discover()
    assert "option --image is a flag of kerascnn itself" in reasons(found)["shade"]


def test_a_doubled_name_leaves_the_first(install):
    install("thief", "thief", good("filters", cls="Thief"))
    install("one", "one_mod", good("same"))
    install("two", "two_mod", good("same"))
    found = Registry().discover()
    assert found.get("filters").distribution == "kerascnn"
    assert found.get("same").distribution == "one"
    assert sorted((p.plugin, p.distribution) for p in found.problems) == [
        ("filters", "thief"),
        ("same", "two"),
    ]
    assert "has the name of a plugin of kerascnn" in reasons(found)["filters"]


def test_two_distributions_may_use_one_entry_point_name(install):
    install("left", "left_mod", good("left-look"), {"look": "left_mod"})
    install("right", "right_mod", good("right-look"), {"look": "right_mod"})
    found = Registry().discover()
    assert {"left-look", "right-look"} <= set(found.plugins)
    assert found.problems == []


def test_one_module_under_two_names_is_one_plugin(install):
    install("twice", "twice_mod", good("twice"), {"a": "twice_mod", "b": "twice_mod"})
    found = Registry().discover()
    assert "twice" in found.plugins
    assert found.problems == []


def test_an_entry_point_to_nothing_is_reported(install):
    install("hollow", None, points={"hollow": "not_there_at_all", "odd": "kerascnn.errors:nothing"})
    found = Registry().discover()
    assert set(reasons(found)) == {"hollow", "odd"}
    assert "can't be imported" in reasons(found)["hollow"]


def test_escape_sequences_do_not_reach_the_terminal(install):
    evil = "\x1b]0;owned\x07\x1b[31m"
    install(
        "evil", "evil_mod", f"raise ValueError({evil!r} + 'x' * 5000)", {f"na{evil}me": "evil_mod"}
    )
    found = Registry().discover()
    assert len(found.problems) == 1
    assert str(found.problems[0]).isprintable()
    assert len(str(found.problems[0])) < 600


def test_a_damaged_distribution_stops_nothing(install, tmp_path):
    install("fine-one", "fine_one", good("fine"))
    broken = tmp_path / "site" / "broken-1.dist-info"
    broken.mkdir()
    (broken / "METADATA").write_bytes(b"\xff\xfe\x00broken")
    (broken / "entry_points.txt").write_bytes(b"[kerascnn\n= = =\n")
    assert "fine" in Registry().discover().plugins


def test_unknown_names_get_the_nearest():
    found = Registry().discover()
    with pytest.raises(UsageError, match="no plugin 'saliancy'; did you mean saliency"):
        found.get("saliancy")
    with pytest.raises(UsageError) as caught:
        found.get("\x1b[31m" + "x" * 900)
    assert str(caught.value).isprintable()


# --- files ----------------------------------------------------------------------------------------


def test_a_single_file_is_taken(tmp_path):
    path = tmp_path / "my plugin.py"
    path.write_text(good("mine"), encoding="utf-8")
    registry = Registry()
    assert [plugin.name for plugin in registry.add_file(path)] == ["mine"]
    made = registry.get("mine").visualizer.parse({"strength": "4"})
    assert pickle.loads(pickle.dumps(made)) == made


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "no such file"),
        ("raise OSError('x')", "can't be imported: OSError: x"),
        ("import sys\nsys.exit()", "can't be imported: SystemExit"),
        ("x = 1", "implements no hook of kerascnn"),
        (good("Bad Name"), "name must be lower case"),
        (good("filters"), "has the name of a plugin of kerascnn"),
        ("\x00", "can't be imported"),
    ],
)
def test_a_file_that_is_no_plugin_is_an_error(tmp_path, source, message):
    path = tmp_path / "p.py"
    if source is not None:
        path.write_text(source, encoding="utf-8")
    with pytest.raises(PluginError, match=message) as caught:
        Registry().discover().add_file(path)
    assert str(caught.value).isprintable()


def test_custom_objects_are_gathered_and_a_failing_hook_reported(install):
    hook = "from kerascnn import hookimpl\n@hookimpl\ndef kerascnn_custom_objects():\n    return {}"
    install("objects", "objects_mod", hook.format("{'Mine': int}"))
    install("failing", "failing_mod", hook.format("1 / 0"))
    found = Registry().discover()
    assert found.custom_objects() == {"Mine": int}
    assert any("ZeroDivisionError" in problem.reason for problem in found.problems)
