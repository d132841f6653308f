"""Commands that take the options of records as flags, those of plugins above all.

A plugin's flags are its options. Of several plugins, a flag goes to each that has an option of that
name, and ``--NAME.OPTION`` to the plugin NAME alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click

from kerascnn.commands.flags import registry_of
from kerascnn.errors import UsageError, nearest
from kerascnn.plugin.options import Option, options
from kerascnn.plugin.registry import Plugin, Registry
from kerascnn.plugin.visualizer import Visualizer, summary


class OptionsCommand(click.Command):
    """A command whose flags are its own and those of records of options.

    A subclass says which; the command's function gets the records themselves.
    """

    def option_flags(self, ctx: click.Context) -> list[click.Option]:
        """Return the flags of the records, made by `make_flag`."""
        raise NotImplementedError

    def records(self, ctx: click.Context, given: Mapping[str, object]) -> Mapping[str, object]:
        """Return arguments of the command's function.

        Args:
            ctx: has the command's own arguments.
            given: the values of the flags that were given, by the names of `make_flag`.
        """
        raise NotImplementedError

    def write_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help of the records' options."""
        raise NotImplementedError

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own parameters and the records' flags."""
        return [*super().get_params(ctx), *self.option_flags(ctx)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, and make the records: wrong values are found before anything slow begins."""
        rest = super().parse_args(ctx, args)
        values = {name: ctx.params.pop(name) for name in [*ctx.params] if "." in name}
        given = {name: value for name, value in values.items() if value not in (None, ())}
        ctx.params.update(self.records(ctx, given))
        return rest

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, then those of the records."""
        own = [p for p in super().get_params(ctx) if isinstance(p, click.Option)]
        records = [option.get_help_record(ctx) for option in own]
        with formatter.section("Options"):
            formatter.write_dl([record for record in records if record is not None])
        self.write_options(ctx, formatter)


class PluginCommand(OptionsCommand):
    """A command that runs the plugins that ``--plugin`` names.

    Its function gets them as ``visualizers``: a list, empty where there is no ``--plugin``.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find the plugins first, since they decide which flags there are."""
        registry = registry_of(ctx)
        for path in _peek(args, "--plugin-file"):
            registry.add_file(Path(path))
        ctx.meta[_CHOSEN] = _chosen(registry, _peek(args, "--plugin"))
        return super().parse_args(ctx, args)

    def option_flags(self, ctx: click.Context) -> list[click.Option]:
        """Return a flag for each name of an option, and one for each plugin's own alone."""
        named: dict[str, list[Option]] = {}
        alone = []
        for plugin in _plugins(ctx):
            for option in options(plugin.visualizer):
                named.setdefault(option.name, []).append(option)
                alone.append(make_flag(option, option.is_list, plugin.name))
        together = [
            make_flag(found[0], any(option.is_list for option in found))
            for found in named.values()
            # A switch here and a value there: one flag can't be read as both.
            if len({option.is_switch for option in found}) == 1
        ]
        return [*together, *alone]

    def records(self, ctx: click.Context, given: Mapping[str, object]) -> Mapping[str, object]:
        """Return the visualizers with their options."""
        return {"visualizers": [_visualizer(plugin, given) for plugin in _plugins(ctx)]}

    def write_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options of each plugin, or the plugins there are."""
        chosen = _plugins(ctx)
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
                found = registry_of(ctx).plugins.values()
                formatter.write_dl([(p.name, summary(p.visualizer)) for p in found])


_CHOSEN = "kerascnn.chosen"


def _plugins(ctx: click.Context) -> list[Plugin]:
    chosen: list[Plugin] = ctx.meta.get(_CHOSEN, [])
    return chosen


def reserved_flags(commands: Iterable[click.Command]) -> frozenset[str]:
    """Return the flags of those commands that take plugins' too: no option may be named so."""
    parameters = [p for c in commands if isinstance(c, PluginCommand) for p in c.params]
    return frozenset(
        text for parameter in parameters for text in parameter.opts if text.startswith("--")
    ) | {"--help"}


def make_flag(option: Option, is_list: bool, plugin: str = "") -> click.Option:
    """Return the flag of an option; with a plugin's name, the flag that is for it alone."""
    # Values are left as text: the record's own declaration converts and checks them.
    text = f"{plugin}.{option.flag[2:]}" if plugin else option.flag[2:]
    flag = f"--{text}/--no-{text}" if option.is_switch else f"--{text}"
    parameter = click.Option([flag, option.name], default=None, multiple=is_list)
    # click takes only identifiers; with a dot, no parameter of the command itself has this name.
    parameter.name = f"{plugin}.{option.name}"
    return parameter


def values_of(
    declared: Iterable[Option], given: Mapping[str, object], plugin: str = ""
) -> dict[str, object]:
    """Return what flags gave, by the names of options; lists are split at commas."""
    found = {}
    for option in declared:
        for key in (f".{option.name}", f"{plugin}.{option.name}"):  # what is for it alone wins
            if key in given:
                found[option.name] = _value(option, given[key])
    return found


def help_line(option: Option) -> tuple[str, str]:
    """Return what ``--help`` shows of an option: its flag, and what it does."""
    left = option.flag if option.is_switch else f"{option.flag} VALUE"
    if option.is_switch and option.default is True:
        left = f"--no-{option.flag[2:]}"
    takes = "" if option.is_switch else f" ({option.takes}; default: {option.default_text})"
    return left, option.help + takes


def _visualizer(plugin: Plugin, given: Mapping[str, object]) -> Visualizer:
    declared = options(plugin.visualizer)
    return plugin.visualizer.parse(values_of(declared, given, plugin.name))


def _value(option: Option, value: object) -> object:
    texts = value if isinstance(value, tuple) else (value,)
    if option.is_list:
        return tuple(item.strip() for text in texts for item in str(text).split(","))
    return texts[-1]


def _chosen(registry: Registry, given: Sequence[str]) -> list[Plugin]:
    names: dict[str, None] = {}
    for text in given:
        for name in text.split(","):
            if not name.strip():
                raise UsageError(
                    f"--plugin takes names with commas between them{nearest('', registry.plugins)}"
                )
            names[name.strip()] = None
    chosen = [registry.get(name) for name in names]
    registry.asked.update(plugin.distribution for plugin in chosen)
    return chosen


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
