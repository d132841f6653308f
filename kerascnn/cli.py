"""Arguments in, exit code out.

What is slow to import (TensorFlow, Matplotlib, NumPy) is imported by the command that needs it, so
that ``--help`` and ``kerascnn plugins`` answer at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kerascnn import __version__
from kerascnn.errors import KerascnnError, RefusedError, UsageError, nearest, one_line
from kerascnn.progress import say
from kerascnn.registry import Plugin, Registry
from kerascnn.visualizer import Option, Visualizer, options, summary

if TYPE_CHECKING:
    from kerascnn.network import Network
    from kerascnn.running import Run

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


class _Commands(click.Group):
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise UsageError(
                f"no command {one_line(args[0], 40)!r}{nearest(args[0], self.list_commands(ctx))}"
            )
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kerascnn")
def cli() -> None:
    """Look into convolutional networks.

    Visualizers for any saved Keras model, and a lecture reproduced.
    """


# --- flags that several commands share ----------------------------------------------------------

_DEBUG = click.option(
    "--debug", is_flag=True, help="Show tracebacks and what TensorFlow says by itself."
)
# Commands without TensorFlow take the flag too; `_fail` looks for it among the arguments.
_DEBUG_UNUSED = click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks.")
_JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout, nothing else there."
)
_PLUGIN_FILES = click.option(
    "--plugin-file",
    "plugin_files",
    multiple=True,
    metavar="FILE.py",
    help="Take the plugin in a single file too. Repeatable.",
)
_MODEL_FLAGS = [
    click.option("--weights", metavar="FILE", help="Weights of a model saved as JSON."),
    click.option(
        "--architecture",
        metavar="MODULE:FUNCTION",
        help="What builds the model of a file that holds weights alone.",
    ),
    click.option(
        "--trust", is_flag=True, help="Load even what could run code. Only for files you made."
    ),
    click.option(
        "--preprocess",
        metavar="NAME",
        help="unit [0,1] | symmetric [-1,1] | caffe | torch | raw 0-255; default: found out.",
    ),
    click.option("--input", "input_name", metavar="NAME", help="Which input takes the picture."),
    click.option("--output", "output_name", metavar="NAME", help="Which output to explain."),
    click.option("--labels", metavar="FILE", help="Class names: a line each, or a JSON list."),
    click.option(
        "--memory", metavar="SIZE", help="What work may take, as 500M; default: ¼ of what is free."
    ),
]


def _model_flags(command: Any) -> Any:
    for flag in reversed(_MODEL_FLAGS):
        command = flag(command)
    return command


def _open(registry: Registry, model: str, flags: Mapping[str, Any]) -> Network:
    """Load a model as the shared flags say, and tell what the user should know of it."""
    from kerascnn.labels import read_labels
    from kerascnn.memory import parse_bytes
    from kerascnn.quiet import hush

    memory = None if flags["memory"] is None else parse_bytes(flags["memory"])
    labels = None if flags["labels"] is None else read_labels(Path(flags["labels"]))
    if not flags["debug"]:
        hush()
    from kerascnn.network import Network

    # Keras tells of its downloads on stdout, which is kept for results.
    with contextlib.redirect_stdout(sys.stderr):
        network = Network.load(
            model,
            weights=flags["weights"],
            architecture=flags["architecture"],
            trust=flags["trust"],
            custom_objects=registry.custom_objects(),
            preprocessing=flags["preprocess"],
            labels=labels,
            input=flags["input_name"],
            output=flags["output_name"],
            memory=memory,
        )
    loaded = network.loaded
    if loaded is not None and loaded.trusted:
        say(f"loading {one_line(model)} on trust, SHA-256 {loaded.sha256}")
        for finding in loaded.findings:
            say(f"on trust: {finding}")
    return network


def _registry(plugin_files: Sequence[str]) -> Registry:
    registry = Registry(reserved=_reserved()).discover()
    for path in plugin_files:
        registry.add_file(Path(path))
    return registry


# --- visualize ----------------------------------------------------------------------------------


class _Visualize(click.Command):
    """A command whose flags are its own and those of the plugin that is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        name = _peek(args, "--plugin")
        registry = _registry(_peek(args, "--plugin-file"))
        ctx.meta["registry"], ctx.meta["plugin"] = registry, None
        if name:
            ctx.meta["plugin"] = registry.get(name[-1])
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        plugin = ctx.meta.get("plugin")
        own = [] if plugin is None else [_flag_of(o) for o in options(plugin.visualizer)]
        return [*super().get_params(ctx), *own]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        plugin = ctx.meta.get("plugin")
        own = [p for p in super().get_params(ctx) if isinstance(p, click.Option)]
        records = [option.get_help_record(ctx) for option in own]
        with formatter.section("Options"):
            formatter.write_dl([record for record in records if record is not None])
        if plugin is not None:
            with formatter.section(f"Options of {plugin.name}"):
                formatter.write_dl([_help_line(o) for o in options(plugin.visualizer)])
            return
        with formatter.section("Plugins (each has options of its own: --plugin NAME --help)"):
            found = ctx.meta["registry"].plugins.values()
            formatter.write_dl([(p.name, summary(p.visualizer)) for p in found])


@cli.command(cls=_Visualize)
@click.argument("model")
@click.option("--plugin", metavar="NAME", help="Which question to ask; see kerascnn plugins.")
@_PLUGIN_FILES
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="PATH",
    help="A picture or a folder of them. Repeatable; default: a packaged sample that fits.",
)
@click.option(
    "--target",
    default="predicted",
    metavar="CLASS",
    help="What to explain: a class index or name, LAYER:CHANNEL, or predicted (default).",
)
@click.option(
    "--out", metavar="DIR", help="Where to write; default: kerascnn-out/<model>/<plugin>/."
)
@_model_flags
@_JSON
@_DEBUG
@click.pass_context
def visualize(ctx: click.Context, model: str, plugin: str | None, **flags: Any) -> None:
    """Ask one question of a saved model: kerascnn visualize --plugin saliency model.h5.

    MODEL is a file or folder of any Keras format, or builtin:NAME.
    """
    registry: Registry = ctx.meta["registry"]
    if plugin is None:
        raise UsageError(f"--plugin is missing{nearest('', registry.plugins)}")
    chosen: Plugin = ctx.meta["plugin"]
    visualizer = chosen.visualizer.parse(_given(chosen.visualizer, flags))

    from kerascnn.files import output_folder

    with output_folder(Path(flags["out"] or _default_folder(model, chosen.name))) as folder:
        run, paths = _run(chosen, visualizer, model, folder, flags, registry)
    for note in run.result.notes:
        say(one_line(note))
    if flags["as_json"]:
        _print_json(
            {
                "plugin": chosen.name,
                "model": model,
                "files": {kind: str(path) for kind, path in paths.items()},
                "predictions": run.predictions(),
                "notes": list(run.result.notes),
                "facts": run.result.facts,
                "warnings": list(run.network.warnings),
            }
        )
        return
    for path in paths.values():
        click.echo(str(path))


def _run(
    chosen: Plugin,
    visualizer: Visualizer,
    model: str,
    folder: Path,
    flags: Mapping[str, Any],
    registry: Registry,
) -> tuple[Run, dict[str, Path]]:
    """Load, ask, and write; return the answer and the paths of its files."""
    network = _open(registry, model, flags)
    from kerascnn.running import visualize as run_it

    _say_assumptions(network, visualizer)
    run = run_it(visualizer, network, flags["images"], flags["target"], resume=folder)
    if visualizer.reads_images and not visualizer.streams and not flags["images"]:
        more = f" and {len(run.pictures) - 1} more" if len(run.pictures) > 1 else ""
        say(f"no --image given: took {run.pictures[0].source}{more}")
    origin = {"distribution": chosen.distribution, "distribution_version": chosen.version}
    return run, run.save(folder, **origin)


def _say_assumptions(network: Network, visualizer: Visualizer) -> None:
    for warning in network.warnings:
        say(f"warning: {warning}")
    if visualizer.reads_images and network.input.source == "assumed":
        say(
            "the model does not say what values it takes; pictures are scaled to [0, 1] "
            "(--preprocess changes that)"
        )


def _default_folder(model: str, plugin: str) -> Path:
    stem = Path(model.rpartition(":")[2] if model.startswith("builtin:") else model).stem
    return Path("kerascnn-out") / (stem or "model") / plugin


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


def _flag_of(option: Option) -> click.Option:
    # Values are left as text: the visualizer's own declaration converts and checks them.
    if option.is_switch:
        return click.Option([f"{option.flag}/--no-{option.flag[2:]}", option.name], default=None)
    return click.Option([option.flag, option.name], default=None, multiple=option.is_list)


def _help_line(option: Option) -> tuple[str, str]:
    left = option.flag if option.is_switch else f"{option.flag} VALUE"
    if option.is_switch and option.default is True:
        left = f"--no-{option.flag[2:]}"
    takes = "" if option.is_switch else f" ({option.takes}; default: {default_text(option)})"
    return left, option.help + takes


def default_text(option: Option) -> str:
    """Return an option's default as the terminal and the pages show it."""
    if option.default is None:
        return "–"
    if isinstance(option.default, tuple):
        return ",".join(str(item) for item in option.default) or "–"
    if isinstance(option.default, bool):
        return "on" if option.default else "off"
    return str(option.default)


def _given(visualizer: type[Visualizer], flags: dict[str, Any]) -> dict[str, Any]:
    """Return the plugin's own flags that were given, lists split at commas."""
    given = {}
    for option in options(visualizer):
        value = flags.get(option.name)
        if value is None or value == ():
            continue
        if option.is_list:
            value = tuple(item.strip() for text in value for item in text.split(","))
        given[option.name] = value
    return given


def _reserved() -> frozenset[str]:
    return frozenset(
        text for parameter in visualize.params for text in parameter.opts if text.startswith("--")
    ) | {"--help"}


# --- plugins ------------------------------------------------------------------------------------


@cli.group(cls=_Commands, invoke_without_command=True)
@_PLUGIN_FILES
@_JSON
@_DEBUG_UNUSED
@click.pass_context
def plugins(ctx: click.Context, plugin_files: tuple[str, ...], as_json: bool) -> None:
    """List the visualizers at hand, and plugins that could not be taken."""
    registry = _registry(plugin_files)
    ctx.obj = registry
    if ctx.invoked_subcommand is not None:
        return
    found = list(registry.plugins.values())
    if as_json:
        _print_json(
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
    _print_columns([("plugin", "what it shows", "from"), *rows])
    for problem in registry.problems:
        click.echo(f"not taken: {problem}")


@plugins.command()
@click.argument("name")
@_PLUGIN_FILES
@_JSON
@_DEBUG_UNUSED
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
        _print_json(
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
    rows = [(o.flag, o.takes, default_text(o), o.help) for o in declared]
    _print_columns([("option", "takes", "default", "what it does"), *rows])
    click.echo()
    click.echo(f"kerascnn visualize --plugin {plugin.name} model.h5")


def _print_columns(rows: Sequence[Sequence[str]]) -> None:
    """Print a table: the first row is its head; the widest cells make the columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())
        if number == 0:
            click.echo("  ".join("─" * width for width in widths))


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))


# --- inspect ------------------------------------------------------------------------------------


@cli.command()
@click.argument("model")
@_PLUGIN_FILES
@_model_flags
@_JSON
@_DEBUG
def inspect(model: str, plugin_files: tuple[str, ...], as_json: bool, **flags: Any) -> None:
    """Tell what a saved model is: its layers, shapes, receptive fields, head and input."""
    network = _open(_registry(plugin_files), model, flags)
    from kerascnn.summary import describe, shape_trace

    found = describe(network)
    found["shape_trace"] = shape_trace(network)
    if as_json:
        _print_json(found)
        return
    _print_summary(found)


def _print_summary(found: Mapping[str, Any]) -> None:
    head, chosen = found["head"], found["preprocessing"]
    rows = [("layer", "class", "output", "parameters", "a filter", "receptive field")]
    for layer in found["layers"]:
        size, stride = layer["receptive_field"], layer["receptive_field_stride"]
        rows.append(
            (
                layer["path"],
                layer["class"],
                _times(layer["output_shape"]),
                f"{layer['parameters']:,}",
                "" if layer["weights_per_filter"] is None else f"{layer['weights_per_filter']:,}",
                "" if size is None else f"{_times(size)} every {_times(stride)}",
            )
        )
    click.echo(
        f"{one_line(found['path'])}: {found['format']}, Keras {found['keras_version'] or '?'} "
        f"({found['family']}), {found['parameters']:,} parameters"
    )
    click.echo(
        f"input {found['input']['name']!r}: {_times(found['input']['shape'])}, "
        f"{chosen['name']} ({chosen['source']})"
    )
    click.echo(f"shapes: {found['shape_trace']}")
    click.echo()
    _print_columns(rows)
    click.echo()
    click.echo(f"head: {head['kind']}, {head['classes'] or '?'} outputs; {head['why']}")
    for warning in found["warnings"]:
        click.echo(f"warning: {warning}")


def _times(sizes: Sequence[int | None]) -> str:
    return "×".join("?" if n is None else str(n) for n in sizes)


# --- lecture ------------------------------------------------------------------------------------


@cli.command()
@click.option("--out", default="lecture", show_default=True, metavar="DIR", help="Where to write.")
@click.option("--seeds", default=1, show_default=True, help="Repeat each training with N seeds.")
@click.option("--epochs", default=20, show_default=True, help="Passes over the training digits.")
@click.option(
    "--examples", default=10_000, show_default=True, help="Training digits; over 10,000: all."
)
@click.option("--data", metavar="PATH", help="Another data set in the layout of mnist.npz.")
@_JSON
@_DEBUG
def lecture(
    out: str, seeds: int, epochs: int, examples: int, data: str | None, as_json: bool, debug: bool
) -> None:
    """Reproduce the lecture: train, measure, and hold its claims against the numbers."""
    from kerascnn.quiet import hush

    if not debug:
        hush()
    from kerascnn.lecture import reproduce

    results = reproduce(
        Path(out),
        seeds=seeds,
        epochs=epochs,
        examples=examples,
        data=None if data is None else Path(data),
    )
    if as_json:
        _print_json(results.to_dict())
        return
    click.echo(results.table())
    click.echo(f"written to {one_line(out)}")
