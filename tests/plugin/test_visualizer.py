"""`Visualizer`: what its class says of it, before it is asked anything."""

from __future__ import annotations

import pytest

from kerascnn import PluginError, Visualizer
from kerascnn.plugin.registry import Registry
from kerascnn.plugin.visualizer import summary


class Wordy(Visualizer):
    """One line
    that goes on.

    Another.
    """

    name = "wordy"


def test_the_summary_is_the_first_paragraph_on_one_line():
    assert summary(Wordy) == "One line that goes on"


def test_a_visualizer_without_an_answer_says_so():
    with pytest.raises(PluginError, match="no method 'visualize'"):
        Wordy().visualize(None, None, None)


def test_which_visualizers_take_a_target():
    plugins = Registry().discover().plugins
    taking = {name for name, plugin in plugins.items() if plugin.visualizer.takes_target()}
    assert {"saliency", "occlusion"} <= taking
    assert not {"filters", "top-images", "deep-dream"} & taking
    assert Wordy().takes_target()
