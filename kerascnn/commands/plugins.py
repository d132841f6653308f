"""``kerascnn plugins``: the visualizers at hand."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from kerascnn.commands.flags import DEBUG_UNUSED, JSON, PLUGIN_FILES
from kerascnn.commands.group import Commands
from kerascnn.commands.output import print_columns, print_json
from kerascnn.commands.plugin_flags import open_registry
from kerascnn.errors import one_line
from kerascnn.plugin.registry import Registry
from kerascnn.plugin.visualizer import options, summary


@click.group(cls=Commands, invoke_without_command=True)
@PLUGIN_FILES
@JSON
@DEBUG_UNUSED
@click.pass_context
def plugins(ctx: click.Context, plugin_files: tuple[str, ...], as_json: bool) -> None:
    """List the visualizers at hand, and plugins that could not be taken."""
    registry = open_registry(ctx, plugin_files)
    ctx.obj = registry
    if ctx.invoked_subcommand is not None:
        return
    found = list(registry.plugins.values())
    if as_json:
        print_json(
            {
                "plugins": [
                    {
                        "name": plugin.name,
                        "summary": summary(plugin.visualizer),
                        "distribution": plugin.distribution,
                        "version": plugin.version,
                    }
                    for plugin in found
                ],
                "problems": [vars(problem) for problem in registry.problems],
            }
        )
        return
    rows = [(p.name, summary(p.visualizer), f"{p.distribution} {p.version}".strip()) for p in found]
    print_columns([("plugin", "what it shows", "from"), *rows])
    for problem in registry.problems:
        click.echo(f"not taken: {problem}")


@plugins.command()
@click.argument("name")
@PLUGIN_FILES
@JSON
@DEBUG_UNUSED
@click.pass_obj
def show(registry: Registry, name: str, plugin_files: tuple[str, ...], as_json: bool) -> None:
    """Show one visualizer: what it does, its options and their defaults."""
    import inspect

    for path in plugin_files:
        registry.add_file(Path(path))
    plugin = registry.get(name)
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
@click.option("--into", default=".", metavar="DIR", help="Where its folder is made; default: here.")
@JSON
@DEBUG_UNUSED
@click.pass_obj
def new(registry: Registry, name: str, into: str, as_json: bool) -> None:
    """Write a new plugin's package: a visualizer, a test, and what installs them."""
    from kerascnn.plugin.scaffold.scaffold import check_name, write_plugin
    from kerascnn.version import __version__

    folder = write_plugin(check_name(name, registry.plugins), Path(into), __version__)
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
