"""``kerascnn visualize``: questions to one saved model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kerascnn.commands.flags import DEBUG, JSON, PLUGIN_FILES, model_flags, open_network
from kerascnn.commands.output import print_json
from kerascnn.commands.plugin_flags import PluginCommand, make_visualizers
from kerascnn.errors import KerascnnError, UsageError, nearest, one_line
from kerascnn.plugin.registry import Plugin, Registry
from kerascnn.plugin.visualizer import Visualizer
from kerascnn.terminal.progress import say

if TYPE_CHECKING:
    from kerascnn.network.network import Network
    from kerascnn.run.run import Run

Asked = tuple[Plugin, Visualizer]


@click.command(cls=PluginCommand)
@click.argument("model")
@click.option(
    "--plugin",
    multiple=True,
    metavar="NAME",
    help="Which question to ask, or several: a,b,c; see kerascnn plugins.",
)
@PLUGIN_FILES
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
    "-o",
    "--out",
    metavar="DIR",
    help="Where to write; default: kerascnn-out/<model>/<plugin>/. Several plugins: DIR/<plugin>/.",
)
@model_flags
@JSON
@DEBUG
@click.pass_context
def visualize(ctx: click.Context, model: str, plugin: Sequence[str], **flags: Any) -> None:
    """Ask questions of a saved model: kerascnn visualize --plugin saliency model.h5.

    MODEL is a file or folder of any Keras format, or builtin:NAME.
    """
    registry: Registry = ctx.meta["registry"]
    if not plugin:
        raise UsageError(f"--plugin is missing{nearest('', registry.plugins)}")
    # Every value is checked before anything slow begins.
    asked = make_visualizers(ctx.meta["plugins"], flags)
    _check_target(asked, flags["target"])
    if len(asked) == 1:
        run, paths = _first(asked[0], model, flags, registry)
        _tell([(asked[0], run, paths)], model, flags["as_json"])
        return
    _several(asked, model, flags, registry)


def _first(
    asked: Asked, model: str, flags: Mapping[str, Any], registry: Registry
) -> tuple[Run, dict[str, Path]]:
    """Load, ask one question, and write."""
    from kerascnn.storage.files import output_folder

    with output_folder(Path(flags["out"] or _default_folder(model) / asked[0].name)) as folder:
        network = open_network(registry, model, flags)
        _say_assumptions(network, [asked[1]])
        return _ask(asked, network, folder, flags, set())


def _several(
    asked: Sequence[Asked], model: str, flags: Mapping[str, Any], registry: Registry
) -> None:
    """Load once and ask all; one that fails does not keep the others from their answers.

    Raises:
        KerascnnError: those that failed, in one line, when the others are written.
    """
    from kerascnn.storage.files import output_folder

    out = Path(flags["out"] or _default_folder(model))
    done, failures = [], []
    said: set[str] = set()
    with output_folder(out):
        network = open_network(registry, model, flags)
        _say_assumptions(network, [visualizer for _, visualizer in asked])
        for plugin, visualizer in asked:
            try:
                with output_folder(out / plugin.name) as folder:
                    run, paths = _ask((plugin, visualizer), network, folder, flags, said)
            except KerascnnError as error:
                failures.append((plugin.name, error))
            else:
                done.append(((plugin, visualizer), run, paths))
        if not done:
            raise _together(failures, len(asked))
    _tell(done, model, flags["as_json"], many=True)
    if failures:
        raise _together(failures, len(asked))


def _together(failures: Sequence[tuple[str, KerascnnError]], count: int) -> KerascnnError:
    told = "; ".join(f"{name}: {error}" for name, error in failures)
    return type(failures[0][1])(f"{len(failures)} of {count} plugins failed: {told}")


def _ask(
    asked: Asked, network: Network, folder: Path, flags: Mapping[str, Any], said: set[str]
) -> tuple[Run, dict[str, Path]]:
    """Ask and write; return the answer and the paths of its files. Nothing is said twice."""
    from kerascnn.run.run import visualize as run_it

    plugin, visualizer = asked
    target = flags["target"] if _takes_target(visualizer) else "predicted"
    run = run_it(visualizer, network, flags["images"], target, resume=folder)
    if visualizer.reads_images and not visualizer.streams and not flags["images"]:
        more = f" and {len(run.pictures) - 1} more" if len(run.pictures) > 1 else ""
        line = f"no --image given: took {run.pictures[0].source}{more}"
        if line not in said:
            say(line)
        said.add(line)
    origin = {"distribution": plugin.distribution, "distribution_version": plugin.version}
    paths = run.save(folder, **origin)
    for note in run.result.notes:
        say(one_line(note))
    return run, paths


def _tell(
    done: Sequence[tuple[Asked, Run, dict[str, Path]]],
    model: str,
    as_json: bool,
    many: bool = False,
) -> None:
    if not as_json:
        for _, _, paths in done:
            for path in paths.values():
                click.echo(str(path))
        return
    runs = [_record(asked[0].name, model, run, paths) for asked, run, paths in done]
    print_json({"model": model, "runs": runs} if many else runs[0])


def _record(name: str, model: str, run: Run, paths: Mapping[str, Path]) -> dict[str, Any]:
    return {
        "plugin": name,
        "model": model,
        "files": {kind: str(path) for kind, path in paths.items()},
        "predictions": run.predictions(),
        "notes": list(run.result.notes),
        "facts": run.result.facts,
        "warnings": list(run.network.warnings),
    }


def _check_target(asked: Sequence[Asked], target: str) -> None:
    """See that a target is for one of the plugins at least."""
    if target != "predicted" and not any(_takes_target(visualizer) for _, visualizer in asked):
        names = ", ".join(plugin.name for plugin, _ in asked)
        raise UsageError(f"{names} explains no class, so it takes no --target")


def _takes_target(visualizer: Visualizer) -> bool:
    return visualizer.reads_images and not visualizer.streams and not visualizer.any_size


def _say_assumptions(network: Network, visualizers: Sequence[Visualizer]) -> None:
    for warning in network.warnings:
        say(f"warning: {warning}")
    if any(v.reads_images for v in visualizers) and network.input.source == "assumed":
        say(
            "the model does not say what values it takes; pictures are scaled to [0, 1] "
            "(--preprocess changes that)"
        )


def _default_folder(model: str) -> Path:
    stem = Path(model.rpartition(":")[2] if model.startswith("builtin:") else model).stem
    return Path("kerascnn-out") / (stem or "model")
