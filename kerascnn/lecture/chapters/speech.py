"""Speech (L7): filters that move along frequency, along time, or along both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerascnn.lecture.book.chapter import Chapter
from kerascnn.sizes import size_text

if TYPE_CHECKING:
    from kerascnn.lecture.book.builder import ChapterBuilder
    from kerascnn.lecture.datasets import Spoken
    from kerascnn.lecture.experiments.runner import Trial, Trials

_DNN, _FREQUENCY, _TIME, _BOTH = "speech-dnn", "speech-frequency", "speech-time", "speech-both"
# "Does not help much": less than so many points of accuracy.
_LITTLE = 0.02
# Seeds without --quick, if fewer are asked for.
SEEDS = 3
_SHOWN = 4
_SHIFTS = (-6, -4, -2, 0, 2, 4, 6)


def make(work: ChapterBuilder) -> None:
    """Train the four networks, and look at what they listen to."""
    from kerascnn.lecture.datasets import load_speech
    from kerascnn.lecture.experiments import speech

    folder = work.option("wav")
    spoken = load_speech(None if folder is None else Path(folder))
    seeds = work.settings.seeds if work.quick else max(SEEDS, work.settings.seeds)
    trials = speech.trials(spoken, work.keep, seeds=seeds, quick=work.quick)
    for name in trials.of:
        trials.save(name, work.out / f"{name}.h5")
    work.text(
        "data",
        source={"word": "packaged"} if folder is None else spoken.source,
        train=len(trials.task.y_train),
        test=len(spoken.y_test),
        words=len(spoken.words),
    )
    _table(work, trials, seeds)
    _claims(work, trials)
    work.text("moved")
    _moved(work, trials)
    work.text("saliency")
    _saliency(work, spoken, trials)
    work.text("filters")
    work.ask("filters", "filters", _FREQUENCY)


def _table(work: ChapterBuilder, trials: Trials, seeds: int) -> None:
    rows = []
    for name in trials.of:
        model = trials.model(name)
        kernel = next((layer.kernel_size for layer in model.layers if "conv" in layer.name), ())
        rows.append(
            (
                {"word": name},
                size_text(kernel) or "–",
                f"{model.count_params():,}",
                trials.spread(name, _measure(trials)).percent(),
                round(trials.spread(name, lambda trial: trial.seconds).mean),
            )
        )
    work.table("networks", rows, seeds=seeds)


def _measure(trials: Trials) -> Any:
    """Return a measure: the share of words heard rightly."""
    from kerascnn.lecture.experiments.runner import right

    def measure(trial: Trial) -> float:
        return right(trial, trials.task.y_test)

    return measure


def _claims(work: ChapterBuilder, trials: Trials) -> None:
    from kerascnn.lecture.experiments.runner import better

    measure = _measure(trials)
    shown = {
        name.removeprefix("speech-"): trials.spread(name, measure).percent() for name in trials.of
    }
    work.claim("frequency", better(trials.gain(_FREQUENCY, _DNN, measure)), **shown)
    work.claim("not-time", better(trials.gain(_FREQUENCY, _TIME, measure)), **shown)
    gained = trials.gain(_BOTH, _FREQUENCY, measure)
    work.claim(
        "little", gained.mean < _LITTLE, gained=gained.percent("+", ""), limit=_LITTLE, **shown
    )


def _moved(work: ChapterBuilder, trials: Trials) -> None:
    """Show how well words are heard that come higher or lower, sooner or later."""
    import numpy as np

    from kerascnn.lecture.experiments.speech import moved
    from kerascnn.lecture.experiments.training import answers
    from kerascnn.render import new_figure

    task = trials.task
    step = max(1, len(task.y_test) // (200 if work.quick else 800))
    pictures, labels = task.x_test[::step], task.y_test[::step]
    found: dict[str, Any] = {}
    for name in trials.of:
        model = trials.model(name)
        for axis in ("frequency", "time"):
            shares = []
            for shift in _SHIFTS:
                bands, moments = (shift, 0) if axis == "frequency" else (0, shift)
                told = answers(model, moved(pictures, bands, moments)).argmax(axis=1)
                shares.append(float(np.mean(told == labels)))
            found[f"{name}_{axis}"] = shares
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
    work.figure("moved", figure, {"shifts": _SHIFTS, **found})


def _saliency(work: ChapterBuilder, spoken: Spoken, trials: Trials) -> None:
    """Show some words with what two networks attend to."""
    import numpy as np

    from kerascnn.lecture.drawing.spectra import draw

    task = trials.task
    told = {name: trials.of[name][0].shares.argmax(axis=1) for name in (_FREQUENCY, _BOTH)}
    fine = np.all([guess == task.y_test for guess in told.values()], axis=0)
    chosen: list[int] = []
    for label in range(len(spoken.words)):
        found = np.flatnonzero(fine & (task.y_test == label))
        if len(found) and len(chosen) < _SHOWN:
            chosen.append(int(found[len(found) // 2]))
    if not chosen:  # a quick training may hear none rightly
        chosen = list(range(min(_SHOWN, len(task.y_test))))
    pictures, labels = task.x_test[chosen], task.y_test[chosen]
    maps = {}
    for name in (_FREQUENCY, _BOTH):
        gradients = work.network(name).gradients(pictures, labels.astype(int))
        gradients = gradients[1] if isinstance(gradients, tuple) else gradients
        maps[name] = np.abs(gradients).max(axis=-1)
    names = [spoken.words[int(label)] for label in labels]
    work.figure(
        "saliency",
        draw(pictures[..., 0], names, list(maps.values())),
        {"spectrograms": pictures[..., 0], **maps},
        {"words": ", ".join(names)},
    )


CHAPTER = Chapter("speech", 12, make, uses=("seeds", "wav"))
