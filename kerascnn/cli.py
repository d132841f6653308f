"""Arguments in, exit code out.

What is slow to import (TensorFlow, Matplotlib, NumPy) is imported by the command that needs it, so
that ``--help`` and ``kerascnn plugins`` answer at once.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

import click

from kerascnn.commands.group import Commands
from kerascnn.commands.inspect import inspect
from kerascnn.commands.lecture import lecture
from kerascnn.commands.plugins import plugins
from kerascnn.commands.report import compare, report
from kerascnn.commands.style import style
from kerascnn.commands.visualize import visualize
from kerascnn.errors import KerascnnError, RefusedError, UsageError, one_line
from kerascnn.version import __version__

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; None for those of this process.

    Returns:
        The exit code: 0, 1 (it failed), 2 (wrong usage), 3 (refused), 130 (Ctrl-C).
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        cli.main(given, prog_name="kerascnn", standalone_mode=False)
    except KerascnnError as error:
        return _fail(error, given)
    except click.ClickException as error:
        return _fail(UsageError(error.format_message()), given)
    except (KeyboardInterrupt, click.Abort):
        print("kerascnn: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone: not worth a word. Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except MemoryError:
        return _fail(KerascnnError("there is not enough memory for this"), given)
    except Exception as error:
        text = f"{type(error).__name__}: {one_line(error)} (a mistake of kerascnn; --debug tells)"
        return _fail(KerascnnError(text), given)
    return 0


def entry() -> None:
    """Run the console script."""
    sys.exit(main())


def _fail(error: KerascnnError, given: Sequence[str]) -> int:
    if "--debug" in given:
        traceback.print_exc()
    kind = "refused" if isinstance(error, RefusedError) else "error"
    print(f"kerascnn: {kind}: {one_line(error, 2000)}", file=sys.stderr)
    return error.exit_code


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kerascnn")
def cli() -> None:
    """Look into convolutional networks.

    Visualizers for any saved Keras model, and a lecture reproduced.
    """


for _command in (visualize, report, compare, plugins, inspect, lecture, style):
    cli.add_command(_command)
