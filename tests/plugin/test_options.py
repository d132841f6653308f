"""Options of visualizers: from fields to flags, checks, defaults and errors of one line."""

from __future__ import annotations

import pickle
from typing import Annotated, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import field_validator, model_validator

from kerascnn import PluginError, UsageError, Visualizer, option
from kerascnn.plugin.options import flag, options


class Example(Visualizer):
    """Every sort of option.

    And more about it.
    """

    name = "example"
    switch: bool = option(False, "a switch")
    on: bool = option(True, "a switch that is on")
    number: int = option(3, "a number", ge=1, lt=10)
    share: float = option(0.5, "a share", gt=0, le=1)
    text: str = option("a", "a text", min_length=1, max_length=5, pattern="[a-z]+")
    way: Literal["left", "right"] = option("left", "a way")
    sizes: tuple[int, ...] = option((1, 2), "sizes")
    maybe: int | None = option(None, "a number or none")
    old_style: Optional[float] = option(None, "the same in the older spelling")  # noqa: UP045
    noted: Annotated[int, "a note"] = option(1, "with a note")
    ways: tuple[Literal["a", "b"], ...] = option((), "several ways")
    even: int = option(2, "an even number", multiple_of=2)

    @field_validator("even")
    @classmethod
    def _not_six(cls, value):
        if value == 6:
            raise ValueError("six is taken")
        return value

    @model_validator(mode="after")
    def _together(self):
        if self.switch and self.number == 9:
            raise ValueError("--switch does not go with --number 9")
        return self


def test_fields_become_options_in_their_order_the_seed_last():
    found = {each.name: each for each in options(Example)}
    assert list(found) == [
        "switch", "on", "number", "share", "text", "way", "sizes", "maybe", "old_style", "noted",
        "ways", "even", "seed",
    ]  # fmt: skip
    assert found["old_style"].flag == "--old-style" == flag("old_style")
    assert (found["switch"].is_switch, found["number"].is_switch) == (True, False)
    assert (found["sizes"].is_list, found["ways"].is_list, found["way"].is_list) == (
        True,
        True,
        False,
    )
    assert found["way"].choices == found["way"].choices == ("left", "right")
    assert found["ways"].choices == ("a", "b")
    assert found["number"].default == 3
    assert found["number"].help == "a number"


@pytest.mark.parametrize(
    ("name", "takes"),
    [
        ("switch", "on or off"),
        ("number", "a whole number, at least 1, less than 10"),
        ("share", "a number, greater than 0, at most 1"),
        ("text", "text, of at least 1 characters, of at most 5 characters, like [a-z]+"),
        ("way", "left | right"),
        ("sizes", "a whole number, repeatable or with commas"),
        ("maybe", "a whole number"),
        ("even", "a whole number, a multiple of 2"),
    ],
)
def test_help_says_what_a_flag_takes(name, takes):
    assert {each.name: each.takes for each in options(Example)}[name] == takes


def test_values_as_typed_are_converted():
    made = Example.parse(
        {"number": "4", "share": "0.25", "switch": "true", "sizes": ("3", "4"), "maybe": "7",
         "ways": ["a"], "seed": "5"}
    )  # fmt: skip
    assert made == Example(
        number=4, share=0.25, switch=True, sizes=(3, 4), maybe=7, ways=("a",), seed=5
    )
    assert Example.parse({}) == Example()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"number": "0"}, "--number takes a whole number, at least 1, less than 10. Received: '0'"),
        ({"number": "10"}, "less than 10"),
        ({"number": "3.5"}, "--number takes a whole number"),
        ({"number": "three"}, "Received: 'three'"),
        ({"share": "0"}, "--share takes a number, greater than 0"),
        ({"share": "nan"}, "--share takes a number"),
        ({"way": "up"}, r"--way takes left \| right. Received: 'up'"),
        ({"text": ""}, "--text takes text"),
        ({"text": "A\x1b[31m\nB"}, "--text takes text"),
        ({"sizes": ("1", "x")}, "--sizes takes .* Received: '1', 'x'"),
        ({"switch": "perhaps"}, "--switch takes on or off"),
        ({"maybe": "x"}, "--maybe takes a whole number"),
        ({"even": "6"}, r"--even takes .* \(six is taken\). Received: '6'"),
        ({"even": "7"}, "a multiple of 2"),
        ({"seed": "-1"}, "--seed takes a whole number, at least 0"),
        ({"seed": str(2**32)}, "--seed takes"),
        ({"switch": "true", "number": "9"}, "--switch does not go with --number 9"),
        ({"nubmer": "3"}, "example has no option --nubmer; did you mean --number"),
        ({"name": "x"}, "example has no option --name"),
        ({"streams": "1"}, "example has no option --streams"),
    ],
)
def test_a_wrong_value_is_told_in_one_line(values, message):
    with pytest.raises(UsageError, match=message) as caught:
        Example.parse(values)
    text = str(caught.value)
    assert text.isprintable()
    assert "pydantic" not in text.lower()


@given(st.dictionaries(st.sampled_from(sorted(Example.model_fields)), st.text(max_size=12)))
def test_any_text_is_taken_or_refused(values):
    try:
        made = Example.parse(values)
    except UsageError as error:
        assert str(error).isprintable()
    else:
        assert 1 <= made.number < 10
        assert 0 < made.share <= 1


def test_records_do_not_change_and_travel():
    made = Example(number=4)
    with pytest.raises(ValueError, match="frozen"):
        made.number = 5
    assert pickle.loads(pickle.dumps(made)) == made
    assert hash(made) == hash(Example(number=4))
    assert made != Example()


def of_type(annotation, default=None, help_="help"):
    field = option(default, help_)
    body = {"__annotations__": {"odd": annotation}, "odd": field, "__doc__": "Odd.", "name": "odd"}
    return type("Odd", (Visualizer,), {**body, "__module__": __name__})


@pytest.mark.parametrize(
    "annotation",
    [dict, list[int], tuple[int, int], bytes, int | str, tuple[bool, ...], Literal[1, 2],
     tuple[tuple[int, ...], ...], object],
)  # fmt: skip
def test_types_that_no_flag_can_carry_are_the_plugins_mistake(annotation):
    with pytest.raises(PluginError, match="option 'odd' of visualizer 'odd' has the type"):
        options(of_type(annotation))


def test_an_option_needs_help_and_a_default():
    with pytest.raises(PluginError, match="has no help"):
        options(of_type(int, 1, ""))
    bare = type(
        "Bare", (Visualizer,), {"__annotations__": {"odd": int}, "__doc__": "Bare.", "name": "bare",
                                "__module__": __name__},
    )  # fmt: skip
    with pytest.raises(PluginError, match="has no"):
        options(bare)


def test_options_are_inherited():
    class Child(Example):
        """A child."""

        name = "child"
        more: int = option(1, "more")

    names = [each.name for each in options(Child)]
    assert names[-2:] == ["more", "seed"]
    assert "number" in names
