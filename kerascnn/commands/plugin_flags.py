"""Flags made from the options of records: of plugins, and of style settings.

A plugin's flags are its options. Of several plugins, a flag goes to each that has an option of that
name, and ``--NAME.OPTION`` to the plugin NAME alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click

from kerascnn.commands.flags import registry_of
from kerascnn.errors import UsageError, nearest
from kerascnn.plugin.options import Option, OptionRecord, options
from kerascnn.plugin.registry import Plugin, Registry
from kerascnn.plugin.visualizer import summary


class OptionFlag(click.Option):
    """The flag of a record's option.

    Args:
        option: its declaration, which converts and checks the value; click leaves it as text.
        section: its heading in ``--help``; None where help does not show it.
        plugin: the only plugin that it is for; empty for all that have such an option.
        is_list: whether it may be repeated.
    """

    def __init__(
        self, option: Option, section: str | None, *, is_list: bool, plugin: str = ""
    ) -> None:
        text = f"{plugin}.{option.flag[2:]}" if plugin else option.flag[2:]
        flag = f"--{text}/--no-{text}" if option.is_switch else f"--{text}"
        super().__init__([flag, option.name], default=None, multiple=is_list)
        # click takes only identifiers; with a dot, no argument of a command has this name.
        self.name = f"{plugin}.{option.name}"
        self.option, self.section = option, section

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return what ``--help`` shows: the flag, and what it does."""
        if self.section is None:
            return None
        option = self.option
        left = option.flag if option.is_switch else f"{option.flag} VALUE"
        if option.is_switch and option.default is True:
            left = f"--no-{option.flag[2:]}"
        takes = "" if option.is_switch else f" ({option.takes}; default: {option.default_text})"
        return left, option.help + takes


class SectionedCommand(click.Command):
    """A command whose help has a section for the options of each record."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, then those of the records."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if isinstance(parameter, click.Option) and record is not None:
                title = getattr(parameter, "section", "Options")
                sections.setdefault(title, []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


class PluginCommand(SectionedCommand):
    """A command that runs the plugins that ``--plugin`` names.

    Its function gets them as ``visualizers``: a list, empty where there is no ``--plugin``.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find the plugins, which decide what flags there are; parse; make the visualizers."""
        registry = registry_of(ctx)
        for path in _peek(args, "--plugin-file"):
            registry.add_file(Path(path))
        chosen = ctx.meta[_CHOSEN] = _named(registry, _peek(args, "--plugin"))
        rest = super().parse_args(ctx, args)
        given = {name: ctx.params.pop(name) for name in [*ctx.params] if "." in name}
        ctx.params["visualizers"] = [
            plugin.visualizer.parse(values_of(plugin.visualizer, given, plugin.name))
            for plugin in chosen
        ]
        return rest

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own parameters and the plugins' flags."""
        return [*super().get_params(ctx), *_flags_of(ctx.meta.get(_CHOSEN, []))]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write all options, then how to set those of one plugin, or which plugins there are."""
        super().format_options(ctx, formatter)
        chosen: list[Plugin] = ctx.meta[_CHOSEN]
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


def reserved_flags(commands: Iterable[click.Command]) -> frozenset[str]:
    """Return the flags of the commands that run plugins: no plugin's option may have one."""
    parameters = [p for c in commands if isinstance(c, PluginCommand) for p in c.params]
    flags = {text for p in parameters for text in p.opts if text.startswith("--")}
    return frozenset({*flags, "--help"})


def values_of(
    record: type[OptionRecord], given: Mapping[str, object], plugin: str = ""
) -> dict[str, object]:
    """Return what the flags of a record's options gave; lists are split at commas.

    Args:
        record: whose options.
        given: the values by the names of the `OptionFlag`; None or empty where one was not given.
        plugin: the plugin whose own flags count too.
    """
    found: dict[str, object] = {}
    for option in options(record):
        for key in (f".{option.name}", f"{plugin}.{option.name}"):  # the plugin's own flag wins
            value = given.get(key)
            if value is None or value == ():
                continue
            texts = value if isinstance(value, tuple) else (value,)
            items = tuple(item.strip() for text in texts for item in str(text).split(","))
            found[option.name] = items if option.is_list else texts[-1]
    return found


def _flags_of(chosen: Sequence[Plugin]) -> list[OptionFlag]:
    """Return a flag for each name of an option, and one for each plugin's own alone."""
    named: dict[str, list[Option]] = {}
    flags = []
    for plugin in chosen:
        for option in options(plugin.visualizer):
            named.setdefault(option.name, []).append(option)
            section = f"Options of {plugin.name}"
            flags.append(OptionFlag(option, section, is_list=option.is_list, plugin=plugin.name))
    for found in named.values():
        # A switch here and a value there: one flag can't be read as both.
        if len({option.is_switch for option in found}) == 1:
            is_list = any(option.is_list for option in found)
            flags.append(OptionFlag(found[0], None, is_list=is_list))
    return flags


def _named(registry: Registry, given: Sequence[str]) -> list[Plugin]:
    names = [name.strip() for text in given for name in text.split(",")]
    if not all(names):
        raise UsageError(
            f"--plugin takes names with commas between them{nearest('', registry.plugins)}"
        )
    chosen = [registry.get(name) for name in dict.fromkeys(names)]
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
