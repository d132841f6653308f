"""Speech (L7): filters that move along frequency, along time, or along both."""

from __future__ import annotations

import numpy as np

from kerascnn.lecture.book.builder import Chapter, ChapterBuilder
from kerascnn.lecture.datasets.speech import Spoken, load_speech
from kerascnn.lecture.drawing.spectra import draw
from kerascnn.lecture.experiments import speech
from kerascnn.lecture.experiments.runner import Trials
from kerascnn.lecture.experiments.training import accuracy
from kerascnn.render import new_figure
from kerascnn.sizes import size_text

_DNN, _FREQUENCY, _TIME, _BOTH = "speech-dnn", "speech-frequency", "speech-time", "speech-both"
# "Does not help much": less than so many points of accuracy.
_LITTLE = 0.02
_SHOWN = 4
_SHIFTS = (-6, -4, -2, 0, 2, 4, 6)


def make(chapter: ChapterBuilder) -> None:
    """Train the four networks, and look at what they listen to."""
    folder = chapter.option("wav")
    spoken = load_speech(folder)
    networks, task = speech.networks(len(spoken.words)), speech.task(spoken, chapter.quick)
    epochs = speech.QUICK_EPOCHS if chapter.quick else speech.EPOCHS
    trials = chapter.train(networks, task, epochs=epochs, batch=32)
    chapter.text(
        "data",
        source={"word": "packaged"} if folder is None else spoken.source,
        train=len(task.y_train),
        test=len(spoken.y_test),
        words=len(spoken.words),
    )
    chapter.table("networks", [_row(trials, name) for name in trials.of], seeds=chapter.seeds)
    _claims(chapter, trials)
    chapter.text("moved")
    _moved(chapter, trials)
    chapter.text("saliency")
    _saliency(chapter, spoken, trials)
    chapter.text("filters")
    chapter.ask("filters", "filters", _FREQUENCY)


def _row(trials: Trials, name: str) -> tuple[object, ...]:
    run = trials.first(name)
    kernel = next((layer.kernel_size for layer in run.model.layers if "conv" in layer.name), ())
    return (
        {"word": name},
        size_text(kernel) or "–",
        f"{run.parameters:,}",
        str(trials.spread(name, trials.right())),
        round(trials.spread(name, lambda run: run.history.seconds).mean),
    )


def _claims(chapter: ChapterBuilder, trials: Trials) -> None:
    measure = trials.right()
    shown = {name.removeprefix("speech-"): trials.spread(name, measure) for name in trials.of}
    chapter.claim("frequency", trials.gain(_FREQUENCY, _DNN, measure).is_gain, **shown)
    chapter.claim("not-time", trials.gain(_FREQUENCY, _TIME, measure).is_gain, **shown)
    gained = trials.gain(_BOTH, _FREQUENCY, measure)
    chapter.claim("little", gained.mean < _LITTLE, gained=gained, limit=_LITTLE, **shown)


def _moved(chapter: ChapterBuilder, trials: Trials) -> None:
    """Show how many words are classified correctly that are moved up or down, sooner or later."""
    task = trials.task
    step = max(1, len(task.y_test) // (200 if chapter.quick else 800))
    pictures, labels = task.x_test[::step], task.y_test[::step]
    found: dict[str, list[float]] = {}
    for name in trials.of:
        model = trials.first(name).model
        for axis in ("frequency", "time"):
            moves = [(by, 0) if axis == "frequency" else (0, by) for by in _SHIFTS]
            found[f"{name}_{axis}"] = [
                accuracy(model, speech.moved(pictures, *move), labels) for move in moves
            ]
    figure = new_figure(9, 3.6)
    panels = figure.subplots(1, 2, sharey=True)
    signs = {_DNN: "–", _FREQUENCY: "↕", _TIME: "↔", _BOTH: "↕↔"}
    for axes, axis in zip(panels, ("frequency", "time"), strict=True):
        for name, sign in signs.items():
            values = [100 * share for share in found[f"{name}_{axis}"]]
            axes.plot(_SHIFTS, values, "o-", label=sign, linewidth=1.6, markersize=4)
        axes.set_xlabel("Δf (mel / 40)" if axis == "frequency" else "Δt (25 ms)")
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("%")
    panels[1].legend(frameon=False, fontsize=11)
    chapter.figure("moved", figure, {"shifts": _SHIFTS, **found})


def _saliency(chapter: ChapterBuilder, spoken: Spoken, trials: Trials) -> None:
    """Show some words with what two networks attend to."""
    task = trials.task
    both = [trials.first(name).answers.argmax(axis=1) for name in (_FREQUENCY, _BOTH)]
    fine = np.all([heard == task.y_test for heard in both], axis=0)
    chosen: list[int] = []
    for label in range(len(spoken.words)):
        found = np.flatnonzero(fine & (task.y_test == label))
        if len(found) and len(chosen) < _SHOWN:
            chosen.append(int(found[len(found) // 2]))
    if not chosen:  # a quick training may get none right
        chosen = list(range(min(_SHOWN, len(task.y_test))))
    pictures, labels = task.x_test[chosen], task.y_test[chosen]
    maps = {}
    for name in (_FREQUENCY, _BOTH):
        gradients = chapter.network(name).gradients(pictures, labels.astype(int))
        maps[name] = np.abs(gradients).max(axis=-1)
    names = [spoken.words[int(label)] for label in labels]
    chapter.figure(
        "saliency",
        draw(pictures[..., 0], names, list(maps.values())),
        {"spectrograms": pictures[..., 0], **maps},
        {"words": ", ".join(names)},
    )


CHAPTER = Chapter("speech", 12, make, uses=("seeds", "wav"))
