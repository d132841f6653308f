"""``kerascnn visualize``: questions to one saved model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kerascnn.commands.flags import (
    JSON,
    model_flags,
    open_network,
    question_flags,
    registry_of,
    say_warnings,
)
from kerascnn.commands.output import print_json
from kerascnn.commands.plugin_flags import PluginCommand
from kerascnn.errors import KerascnnError, UsageError, nearest, one_line
from kerascnn.plugin.visualizer import Visualizer
from kerascnn.run.model_options import ModelOptions
from kerascnn.run.question import PREDICTED, Question, question_for
from kerascnn.storage.output_layout import RESULTS, result_folders
from kerascnn.terminal.progress import say

if TYPE_CHECKING:
    from kerascnn.network.network import Network
    from kerascnn.run.run import Run


@click.command(cls=PluginCommand)
@click.argument("model")
@question_flags
@click.option(
    "-o",
    "--out",
    type=Path,
    metavar="DIR",
    help=f"Where to write; default: {RESULTS.as_posix()}/. Several plugins: DIR/<plugin>/.",
)
@model_flags
@JSON
def visualize(
    model: str,
    visualizers: list[Visualizer],
    images: tuple[str, ...],
    target: str,
    out: Path | None,
    model_options: ModelOptions,
    as_json: bool,
) -> None:
    """Ask questions of a saved model: kerascnn visualize --plugin saliency model.h5.

    MODEL is a file or folder of any Keras format, or builtin:NAME.
    """
    if not visualizers:
        plugins = registry_of(click.get_current_context()).plugins
        raise UsageError(f"--plugin is missing{nearest('', plugins)}")
    names = [visualizer.name for visualizer in visualizers]
    if target != PREDICTED and not any(each.takes_target() for each in visualizers):
        raise UsageError(f"{', '.join(names)} explains no class, so it takes no --target")
    from kerascnn.storage.files import output_folder

    questions = [question_for(visualizer, images, target) for visualizer in visualizers]
    folders = result_folders(model, names, out)
    with output_folder(folders[0] if len(folders) == 1 else folders[0].parent):
        network = open_network(model, model_options)
        _say_assumptions(network, questions)
        done, failures = _answer(network, questions, folders)
        if not done:
            raise _together(failures, len(questions))
    _tell(done, model, as_json, many=len(questions) > 1)
    if failures:
        raise _together(failures, len(questions))


Answer = tuple["Run", dict[str, Path]]
"""The result of a question, and the paths of its files."""


def _answer(
    network: Network, questions: Sequence[Question], folders: Sequence[Path]
) -> tuple[list[Answer], list[tuple[str, KerascnnError]]]:
    """Ask all questions and write the results; one that fails does not stop the others."""
    from kerascnn.run.run import ask
    from kerascnn.storage.files import output_folder

    registry = registry_of(click.get_current_context())
    done: list[Answer] = []
    failures = []
    samples: set[str] = set()
    for question, folder in zip(questions, folders, strict=True):
        plugin = registry.get(question.visualizer.name)
        origin = {"distribution": plugin.distribution, "distribution_version": plugin.version}
        try:
            with output_folder(folder):
                run = ask(question, network, resume=folder)
                _say_sample(run, samples)
                done.append((run, run.save(folder, **origin)))
        except KerascnnError as error:
            failures.append((plugin.name, error))
            continue
        for note in run.result.notes:
            say(one_line(note))
    return done, failures


def _say_sample(run: Run, said: set[str]) -> None:
    """Print once which packaged picture is used where the user named none."""
    visualizer = run.visualizer
    if run.question.images or not visualizer.reads_images or visualizer.streams:
        return
    more = f" and {len(run.pictures) - 1} more" if len(run.pictures) > 1 else ""
    line = f"no --image given: took {run.pictures[0].source}{more}"
    if line not in said:
        say(line)
    said.add(line)


def _together(failures: Sequence[tuple[str, KerascnnError]], count: int) -> KerascnnError:
    first = failures[0][1]
    if count == 1:
        return first
    told = "; ".join(f"{name}: {error}" for name, error in failures)
    return type(first)(f"{len(failures)} of {count} plugins failed: {told}")


def _tell(done: Sequence[Answer], model: str, as_json: bool, many: bool) -> None:
    if not as_json:
        for _, paths in done:
            for path in paths.values():
                click.echo(str(path))
        return
    runs = [_record(model, run, paths) for run, paths in done]
    print_json({"model": model, "runs": runs} if many else runs[0])


def _record(model: str, run: Run, paths: Mapping[str, Path]) -> dict[str, object]:
    return {
        "plugin": run.visualizer.name,
        "model": model,
        "files": {kind: str(path) for kind, path in paths.items()},
        "predictions": run.predictions(),
        "notes": list(run.result.notes),
        "facts": run.result.facts,
        "warnings": list(run.network.warnings),
    }


def _say_assumptions(network: Network, questions: Sequence[Question]) -> None:
    say_warnings(network)
    reads = any(question.visualizer.reads_images for question in questions)
    if reads and network.input.source == "assumed":
        say(
            "the model does not say what values it takes; pictures are scaled to [0, 1] "
            "(--preprocess changes that)"
        )
