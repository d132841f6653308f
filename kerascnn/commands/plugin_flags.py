"""Commands that take the flags of the plugins they are told to run.

A plugin's flags are its options. Of several plugins, a flag goes to each that has an option of that
name, and ``--NAME.OPTION`` to the plugin NAME alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from kerascnn.errors import UsageError, nearest
from kerascnn.plugin.registry import Plugin, Registry
from kerascnn.plugin.visualizer import Option, Visualizer, options, summary


def open_registry(ctx: click.Context, plugin_files: Sequence[str]) -> Registry:
    """Find all plugins: those installed, and those in single files."""
    registry = Registry(reserved=_reserved(ctx)).discover()
    for path in plugin_files:
        registry.add_file(Path(path))
    return registry


def _reserved(ctx: click.Context) -> frozenset[str]:
    """Return the flags of all commands that take those of plugins: no option may be named so."""
    root = ctx.find_root().command
    commands = root.commands.values() if isinstance(root, click.Group) else [root]
    parameters = [
        p for command in commands if isinstance(command, PluginCommand) for p in command.params
    ]
    return frozenset(
        text for parameter in parameters for text in parameter.opts if text.startswith("--")
    ) | {"--help"}


class PluginCommand(click.Command):
    """A command whose flags are its own and those of the plugins that ``--plugin`` names.

    The registry and the plugins are in the context's ``meta``, as ``registry`` and ``plugins``.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find the plugins first, since they decide which flags there are."""
        registry = open_registry(ctx, _peek(args, "--plugin-file"))
        ctx.meta["registry"] = registry
        ctx.meta["plugins"] = _chosen(registry, _peek(args, "--plugin"))
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own parameters and the plugins' flags."""
        return [*super().get_params(ctx), *_flags_of(ctx.meta.get("plugins", []))]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, then those of each plugin, or the plugins there are."""
        own = [p for p in super().get_params(ctx) if isinstance(p, click.Option)]
        records = [option.get_help_record(ctx) for option in own]
        with formatter.section("Options"):
            formatter.write_dl([record for record in records if record is not None])
        chosen: list[Plugin] = ctx.meta["plugins"]
        for plugin in chosen:
            with formatter.section(f"Options of {plugin.name}"):
                formatter.write_dl([help_line(o) for o in options(plugin.visualizer)])
        if len(chosen) > 1:
            name = chosen[-1].name
            option = options(chosen[-1].visualizer)[0]
            formatter.write_paragraph()
            formatter.write_text(
                "An option goes to each of the plugins that has it; to one alone with the "
                f"plugin's name before it: --{name}.{option.flag[2:]}."
            )
        if not chosen:
            with formatter.section("Plugins (each has options of its own: --plugin NAME --help)"):
                found = ctx.meta["registry"].plugins.values()
                formatter.write_dl([(p.name, summary(p.visualizer)) for p in found])


def make_visualizers(
    chosen: Sequence[Plugin], values: Mapping[str, Any]
) -> list[tuple[Plugin, Visualizer]]:
    """Make each plugin's record out of the flags that were given; lists are split at commas.

    Args:
        chosen: the plugins.
        values: the command's parameters by the names that `PluginCommand` gave them.

    Raises:
        UsageError: a value is wrong.
    """
    made = []
    for plugin in chosen:
        given = {}
        for option in options(plugin.visualizer):
            for key in (option.name, _alone(plugin, option)):  # what is meant for it alone wins
                value = values.get(key)
                if value is not None and value != ():
                    given[option.name] = flag_value(option, value)
        made.append((plugin, plugin.visualizer.parse(given)))
    return made


def flag_value(option: Option, value: Any) -> Any:
    """Return what the flags gave as the option takes it; lists are split at commas."""
    if option.is_list:
        return tuple(item.strip() for text in value for item in text.split(","))
    return value[-1] if isinstance(value, tuple) else value


def _chosen(registry: Registry, given: Sequence[str]) -> list[Plugin]:
    names: dict[str, None] = {}
    for text in given:
        for name in text.split(","):
            if not name.strip():
                raise UsageError(
                    f"--plugin takes names with commas between them{nearest('', registry.plugins)}"
                )
            names[name.strip()] = None
    return [registry.get(name) for name in names]


def _peek(arguments: Sequence[str], flag: str) -> list[str]:
    """Return a flag's values, before the parser can know the other flags."""
    found = []
    for position, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument == flag and position + 1 < len(arguments):
            found.append(arguments[position + 1])
        elif argument.startswith(flag + "="):
            found.append(argument[len(flag) + 1 :])
    return found


def _flags_of(chosen: Sequence[Plugin]) -> list[click.Option]:
    """Return a flag for each name of an option, and one for each plugin's own alone."""
    named: dict[str, list[Option]] = {}
    alone = []
    for plugin in chosen:
        for option in options(plugin.visualizer):
            named.setdefault(option.name, []).append(option)
            prefix = f"{plugin.name}."
            alone.append(make_flag(option, _alone(plugin, option), prefix, option.is_list))
    together = [
        make_flag(found[0], name, "", any(option.is_list for option in found))
        for name, found in named.items()
        # A switch here and a value there: one flag can't be read as both.
        if len({option.is_switch for option in found}) == 1
    ]
    return [*together, *alone]


def _alone(plugin: Plugin, option: Option) -> str:
    return f"{plugin.name}.{option.name}"


def make_flag(option: Option, name: str, prefix: str, is_list: bool) -> click.Option:
    """Return the flag of an option, under a name of its own."""
    # Values are left as text: the visualizer's own declaration converts and checks them.
    text = option.flag[2:]
    flag = f"--{prefix}{text}/--no-{prefix}{text}" if option.is_switch else f"--{prefix}{text}"
    parameter = click.Option([flag, option.name], default=None, multiple=is_list)
    parameter.name = name  # click takes identifiers alone, and ours may have a dot
    return parameter


def help_line(option: Option) -> tuple[str, str]:
    """Return what ``--help`` shows of an option: its flag, and what it does."""
    left = option.flag if option.is_switch else f"{option.flag} VALUE"
    if option.is_switch and option.default is True:
        left = f"--no-{option.flag[2:]}"
    takes = "" if option.is_switch else f" ({option.takes}; default: {option.default_text})"
    return left, option.help + takes
