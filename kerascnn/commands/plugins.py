"""``kerascnn plugins``: the visualizers there are, and a new plugin's first files."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from kerascnn.commands.flags import DEBUG, JSON, PLUGIN_FILES, registry_of
from kerascnn.commands.group import Commands
from kerascnn.commands.output import print_columns, print_json
from kerascnn.errors import one_line
from kerascnn.plugin.hooks import PROJECT
from kerascnn.plugin.options import options
from kerascnn.plugin.visualizer import summary


@click.group(cls=Commands, invoke_without_command=True)
@PLUGIN_FILES
@JSON
@DEBUG
@click.pass_context
def plugins(ctx: click.Context, /, as_json: bool) -> None:
    """List the visualizers, the commands of plugins, and plugins that can't be used."""
    if ctx.invoked_subcommand is not None:
        return
    registry = registry_of(ctx)
    visualizers = [
        (plugin.name, summary(plugin.visualizer), plugin.distribution, plugin.version)
        for plugin in registry.plugins.values()
    ]
    commands = [
        (name, command.get_short_help_str(100), origin.distribution, origin.version)
        for name, (command, origin) in registry.commands.items()
        if origin.distribution != PROJECT
    ]
    if as_json:
        keys = ("name", "summary", "distribution", "version")
        print_json(
            {
                "plugins": [dict(zip(keys, row, strict=True)) for row in visualizers],
                "commands": [dict(zip(keys, row, strict=True)) for row in commands],
                "problems": [vars(problem) for problem in registry.problems],
            }
        )
        return
    _print_found(("plugin", "what it shows", "from"), visualizers)
    if commands:
        click.echo()
        _print_found(("command", "what it does", "from"), commands)
    for problem in registry.problems:
        click.echo(f"not used: {problem}")


def _print_found(head: Sequence[str], rows: Sequence[tuple[str, str, str, str]]) -> None:
    print_columns([head, *((name, told, f"{d} {v}".strip()) for name, told, d, v in rows)])


@plugins.command()
@click.argument("name")
@PLUGIN_FILES
@JSON
@DEBUG
@click.pass_context
def show(ctx: click.Context, /, name: str, as_json: bool) -> None:
    """Show one visualizer: what it does, its options and their defaults."""
    import inspect

    plugin = registry_of(ctx).get(name)
    declared = options(plugin.visualizer)
    if as_json:
        keys = ("name", "flag", "takes", "default", "help")
        print_json(
            {
                "name": plugin.name,
                "description": inspect.cleandoc(plugin.visualizer.__doc__ or ""),
                "distribution": plugin.distribution,
                "version": plugin.version,
                "reads_images": plugin.visualizer.reads_images,
                "options": [{key: getattr(option, key) for key in keys} for option in declared],
            }
        )
        return
    click.echo(f"{plugin.name} ({plugin.distribution} {plugin.version})".replace(" )", ")"))
    click.echo()
    for line in inspect.cleandoc(plugin.visualizer.__doc__ or "").splitlines():
        click.echo(one_line(line) if line else "")
    click.echo()
    rows = [(o.flag, o.takes, o.default_text, o.help) for o in declared]
    print_columns([("option", "takes", "default", "what it does"), *rows])
    click.echo()
    click.echo(f"kerascnn visualize --plugin {plugin.name} model.h5")


@plugins.command()
@click.argument("name")
@click.option("--into", default=".", metavar="DIR", help="Where to make its folder; default: here.")
@JSON
@DEBUG
@click.pass_context
def new(ctx: click.Context, /, name: str, into: str, as_json: bool) -> None:
    """Write a new plugin's package: a visualizer, a test, and the files to install them."""
    from kerascnn.plugin.scaffold.scaffold import check_name, write_plugin
    from kerascnn.version import __version__

    folder = write_plugin(check_name(name, registry_of(ctx).plugins), Path(into), __version__)
    files = sorted(str(path) for path in folder.rglob("*") if path.is_file())
    if as_json:
        print_json({"folder": str(folder), "files": files})
        return
    for path in files:
        click.echo(path)
    click.echo()
    click.echo(f"cd {shlex.quote(str(folder))}")
    click.echo("pip install --no-build-isolation --no-deps -e .")
    click.echo(f"kerascnn visualize --plugin {check_name(name)} builtin:vgg16")
