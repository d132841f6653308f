"""Arguments in, exit code out.

What is slow to import (TensorFlow, Matplotlib, NumPy) is imported by the command that needs it, so
that ``--help`` and ``kerascnn plugins`` are fast.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

import click

from kerascnn.commands import first_party
from kerascnn.commands.flags import REGISTRY, registry_of
from kerascnn.commands.group import Commands
from kerascnn.commands.plugin_flags import reserved_flags
from kerascnn.errors import KerascnnError, RefusedError, UsageError, one_line
from kerascnn.plugin.guard import guarded
from kerascnn.plugin.hooks import PROJECT
from kerascnn.plugin.registry import Origin, Registry
from kerascnn.version import __version__

_INTERRUPTED = 130
# How a command says that it ends: usage errors, its own exit code, Ctrl-C.
_OF_CLICK = (click.ClickException, click.exceptions.Exit, click.Abort)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; None for those of this process.

    Returns:
        The exit code: 0, 1 (it failed), 2 (wrong usage), 3 (refused), 130 (Ctrl-C).
    """
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        # None, or the exit code that a command ended with by click's `Context.exit`.
        code: int | None = cli.main(given, prog_name="kerascnn", standalone_mode=False)
    except KerascnnError as error:
        return _fail(error, given)
    except click.ClickException as error:
        return _fail(UsageError(error.format_message()), given)
    except (KeyboardInterrupt, click.Abort):
        print("kerascnn: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # The program that read our output has ended: nothing to say. Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except MemoryError:
        return _fail(KerascnnError("there is not enough memory for this"), given)
    except (Exception, SystemExit) as error:
        text = f"{type(error).__name__}: {one_line(error)} (unexpected; --debug shows where)"
        return _fail(KerascnnError(text), given)
    return code or 0


def entry() -> None:
    """Run the console script."""
    sys.exit(main())


def _fail(error: KerascnnError, given: Sequence[str]) -> int:
    if "--debug" in given:
        traceback.print_exc()
    kind = "refused" if isinstance(error, RefusedError) else "error"
    print(f"kerascnn: {kind}: {one_line(error, 2000)}", file=sys.stderr)
    return error.exit_code


class CommandLine(Commands):
    """The commands of kerascnn itself, and those of plugins under other names."""

    def registry(self, ctx: click.Context) -> Registry:
        """Return the registry of this run; the first call finds the plugins."""
        if REGISTRY not in ctx.meta:
            registry = ctx.meta[REGISTRY] = Registry()
            registry.register(first_party, Origin("commands", PROJECT, __version__))
            registry.reserved = reserved_flags(own.command for own in registry.commands.values())
            registry.discover()
        return registry_of(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(self.registry(ctx).commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """Return a command, or raise a `UsageError` or `PluginError`."""
        return self.registry(ctx).get_command(cmd_name).command

    def invoke(self, ctx: click.Context) -> None:
        """Run the command; what a plugin's command raises becomes an error of one line."""
        try:
            super().invoke(ctx)
        except BaseException:
            found = self.registry(ctx).commands.get(ctx.invoked_subcommand or "")
            if found is None or found.origin.distribution == PROJECT:
                raise
            told = f"command {ctx.invoked_subcommand!r} of {found.origin.distribution} failed"
            with guarded(told, KerascnnError, BrokenPipeError, *_OF_CLICK):
                raise


@click.group(cls=CommandLine, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kerascnn")
def cli() -> None:
    """Look into convolutional networks.

    Visualizers for any saved Keras model, and a lecture reproduced.
    """
