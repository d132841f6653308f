"""Commands of plugins: through the hook of kerascnn's own, and never in their place."""

from __future__ import annotations

import json

import pytest

from kerascnn.cli import main

COMMANDS = '''
import sys

import click

from kerascnn import UsageError, hookimpl
from kerascnn.commands import model_flags, open_network


@click.command()
@click.argument("model")
@model_flags
def layer_names(model, model_options):
    """Name the layers of a model."""
    for layer in open_network(model, model_options).layers:
        click.echo(layer.name)


@click.command()
@click.argument("how")
@click.pass_context
def leave(ctx, how):
    """End in some way."""
    if how == "exit":
        sys.exit(0)
    if how == "context":
        ctx.exit(5)
    if how == "raise":
        raise ValueError("two\\nlines")
    if how == "usage":
        raise UsageError("not like this")
    if how == "click":
        raise click.BadParameter("nor like this")
    return 7


@click.group()
def many():
    """Several in one."""


@many.command()
def one():
    """Print one."""
    click.echo("one")


@hookimpl
def kerascnn_commands():
    yield from (layer_names, leave, many)
'''

HOOK = "import sys\nimport click\nfrom kerascnn import hookimpl\n{}\n@hookimpl\ndef {}():\n    {}\n"


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    return (code, *capsys.readouterr())


def only_line(err):
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    return lines[0]


@pytest.fixture
def commands(install):
    install("acme-tools", "acme_tools", COMMANDS)


def test_a_plugins_commands_are_in_the_help_among_our_own(capsys, commands):
    code, out, err = run(capsys, "--help")
    assert (code, err) == (0, "")
    assert "Name the layers of a model." in out
    assert "visualize" in out


def test_a_plugins_command_opens_models_with_the_flags_of_all(capsys, commands, lecture_models):
    code, out, _ = run(capsys, "layer-names", "--help")
    assert code == 0
    for flag in ("--trust", "--precision", "--plugin-file", "--debug"):
        assert flag in out
    code, out, err = run(capsys, "layer-names", lecture_models["dnn"])
    assert code == 0, err
    assert "dense" in out
    code, _, err = run(capsys, "layer-names", "nowhere.h5", "--memory", "much")
    assert code == 2
    assert "--memory" in only_line(err)


def test_a_group_of_a_plugin_has_commands_of_its_own(capsys, commands):
    assert run(capsys, "many", "one") == (0, "one\n", "")


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [
        ("exit", 1, "command 'leave' of acme-tools failed: SystemExit: 0"),
        ("raise", 1, "command 'leave' of acme-tools failed: ValueError: two lines"),
        ("usage", 2, "not like this"),
        ("click", 2, "nor like this"),
    ],
)
def test_a_command_that_fails_is_one_line(capsys, commands, how, code, words):
    got, out, err = run(capsys, "leave", how)
    assert (got, out) == (code, "")
    assert only_line(err).startswith("kerascnn: error: ")
    assert words in err


def test_a_command_ends_with_the_exit_code_that_it_chose(capsys, commands):
    assert run(capsys, "leave", "context") == (5, "", "")
    assert run(capsys, "leave", "by itself") == (0, "", "")


def test_plugins_lists_the_commands_of_plugins_and_not_our_own(capsys, commands):
    code, out, _ = run(capsys, "plugins")
    assert code == 0
    row = next(line for line in out.splitlines() if line.startswith("layer-names"))
    assert "acme-tools 1.0" in row
    found = json.loads(run(capsys, "plugins", "--json")[1])
    assert {each["name"] for each in found["commands"]} == {"layer-names", "leave", "many"}


def test_no_plugin_takes_the_name_of_a_command_of_ours(capsys, install):
    thief = "@click.command('visualize')\ndef thief():\n    'Not ours.'\n    click.echo('stolen')\n"
    install("aaa", "aaa_mod", HOOK.format(thief, "kerascnn_commands", "return [thief]"))
    code, out, _ = run(capsys, "visualize", "--help")
    assert code == 0
    assert "Not ours" not in out
    problems = json.loads(run(capsys, "plugins", "--json")[1])["problems"]
    assert [problem["plugin"] for problem in problems] == ["aaa_mod"]
    assert "'visualize' has the name of a command of kerascnn" in problems[0]["reason"]


def test_the_first_of_two_commands_of_one_name_is_kept(capsys, install):
    for name in ("first", "second"):
        body = f"@click.command('same')\ndef same():\n    'Say which.'\n    click.echo('{name}')\n"
        install(name, f"{name}_mod", HOOK.format(body, "kerascnn_commands", "yield same"))
    assert run(capsys, "same")[:2] == (0, "first\n")
    problems = json.loads(run(capsys, "plugins", "--json")[1])["problems"]
    assert "a command of first" in problems[0]["reason"]


@pytest.mark.parametrize(
    ("offers", "reason"),
    [
        ("yield 7", "gives 7, which is no click command"),
        ("yield click.Command('Bad Name', help='x')", "'Bad Name' must be named by lower case"),
        ("yield click.Command(None, help='x')", "must be named by lower case"),
        ("yield click.Command('plain')", "'plain' has no docstring"),
        ("return None", "can't be registered: TypeError"),
        ("sys.exit(0)", "can't be registered: SystemExit: 0"),
        ("raise OSError('disk')", "can't be registered: OSError: disk"),
    ],
)
def test_a_bad_command_is_a_problem_and_stops_nothing(capsys, install, commands, offers, reason):
    install("bad-one", "bad_one", HOOK.format("", "kerascnn_commands", offers))
    code, out, err = run(capsys, "plugins", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert len(found["problems"]) == 1
    assert found["problems"][0]["distribution"] == "bad-one"
    assert reason in found["problems"][0]["reason"]
    assert "saliency" in {plugin["name"] for plugin in found["plugins"]}
    assert run(capsys, "many", "one")[:2] == (0, "one\n")
    code, out, err = run(capsys, "bad_one")
    assert (code, out) == (1, "")
    assert reason in only_line(err)


def test_an_unknown_command_tells_that_a_plugin_cannot_be_used(capsys, install):
    install("bad-one", "bad_one", "raise SystemExit(0)")
    code, out, err = run(capsys, "layer-names")
    assert (code, out) == (2, "")
    assert "kerascnn plugins tells why" in only_line(err)
