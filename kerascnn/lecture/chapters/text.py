"""Text (L7): filters that move along the sentence, or along the words' embeddings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerascnn.lecture.book.chapter import Chapter

if TYPE_CHECKING:
    from kerascnn.lecture.book.builder import ChapterBuilder
    from kerascnn.lecture.datasets import Reviews
    from kerascnn.lecture.experiments.runner import Trial, Trials

_DNN, _SENTENCE, _EMBEDDING = "text-dnn", "text-sentence", "text-embedding"
# Seeds without --quick, if fewer are asked for.
SEEDS = 3
_SHOWN = 8


def make(work: ChapterBuilder) -> None:
    """Train the three networks, and colour sentences by what their words say."""
    from kerascnn.lecture.datasets import load_reviews
    from kerascnn.lecture.experiments import text

    file = work.option("tsv")
    reviews = load_reviews(None if file is None else Path(file))
    seeds = work.settings.seeds if work.quick else max(SEEDS, work.settings.seeds)
    trials = text.trials(reviews, work.keep, seeds=seeds, quick=work.quick)
    for name in trials.of:
        trials.save(name, work.out / f"{name}.h5")
    positive = float(trials.task.y_test.mean())
    work.text(
        "data",
        source={"word": "packaged"} if file is None else reviews.source,
        train=len(trials.task.y_train),
        test=len(reviews.test),
        words=reviews.vocabulary.size,
        most=f"{max(positive, 1 - positive):.1%}",
    )
    _table(work, trials, seeds)
    _claims(work, trials, max(positive, 1 - positive))
    work.text("words")
    _sentences(work, reviews, trials)
    _words(work, reviews, trials)


def _table(work: ChapterBuilder, trials: Trials, seeds: int) -> None:
    rows = [
        (
            {"word": name},
            f"{trials.model(name).count_params():,}",
            trials.spread(name, _measure(trials)).percent(),
            round(trials.spread(name, lambda trial: trial.seconds).mean),
        )
        for name in trials.of
    ]
    work.table("networks", rows, seeds=seeds)


def _measure(trials: Trials) -> Any:
    """Return a measure: the share of sentences told rightly."""
    from kerascnn.lecture.experiments.runner import right

    def measure(trial: Trial) -> float:
        return right(trial, trials.task.y_test)

    return measure


def _claims(work: ChapterBuilder, trials: Trials, guess: float) -> None:
    from kerascnn.lecture.experiments.runner import better

    measure = _measure(trials)
    shown = {
        name.removeprefix("text-"): trials.spread(name, measure).percent() for name in trials.of
    }
    work.claim("sentence", better(trials.gain(_SENTENCE, _DNN, measure)), **shown)
    work.claim("axes", better(trials.gain(_SENTENCE, _EMBEDDING, measure)), **shown)
    work.claim(
        "embedding",
        not better(trials.gain(_EMBEDDING, _DNN, measure)),
        guess=f"{guess:.1%}",
        **shown,
    )


def _sentences(work: ChapterBuilder, reviews: Reviews, trials: Trials) -> None:
    """Show sentences of the test coloured by their words, the network's mistakes among them."""
    import numpy as np

    from kerascnn.lecture.drawing.sentences import draw
    from kerascnn.lecture.experiments.text import POSITIVE, word_saliency

    shares, sides = trials.of[_SENTENCE][0].shares[:, POSITIVE], trials.task.y_test
    lengths = np.array([len(review.sentence) for review in reviews.test])
    is_right = (shares > 0.5) == (sides == POSITIVE)
    order = np.argsort(-np.abs(shares - 0.5), kind="stable")
    chosen: list[int] = []
    for side in (1, 0):
        for wanted in (True, False):
            fit = (sides == side) & (is_right == wanted) & (lengths > 40) & (lengths < 130)
            chosen += [int(index) for index in order if fit[index]][: 3 if wanted else 1]
    chosen = chosen or [int(index) for index in order[:_SHOWN]]
    sentences = [reviews.test[index].sentence for index in chosen]
    found = word_saliency(trials.model(_SENTENCE), reviews.vocabulary, sentences)
    marks = [_mark(reviews.test[index].rating, float(shares[index])) for index in chosen]
    longest = max(len(words) for words, _ in found)
    padded = [[*values, *[0.0] * (longest - len(values))] for _, values in found]
    work.figure(
        "sentences",
        draw(found, marks),
        {"saliency": padded, "sentences": sentences, "shares": shares[chosen]},
        {"count": len(chosen), "wrong": int((~is_right[chosen]).sum())},
    )


def _mark(rating: float, share: float) -> str:
    """Return what people said, and what the network says: ``+1.8 → + 98 %``."""
    sign = "+" if share > 0.5 else "−"
    return f"{rating:+.1f} → {sign} {100 * max(share, 1 - share):.0f} %".replace("-", "−")


def _words(work: ChapterBuilder, reviews: Reviews, trials: Trials) -> None:
    """List the words that say most, averaged over the sentences of the test."""
    import numpy as np

    from kerascnn.lecture.experiments.text import word_saliency

    sums: dict[str, list[float]] = {}
    sentences = [review.sentence for review in reviews.test]
    for words, values in word_saliency(trials.model(_SENTENCE), reviews.vocabulary, sentences):
        for word, value in zip(words, values, strict=True):
            sums.setdefault(word, []).append(float(value))
    known = set(reviews.vocabulary.words)
    means = {
        word: float(np.mean(values))
        for word, values in sums.items()
        if len(values) >= 5 and word in known
    }
    ranked = sorted(means, key=lambda word: means[word])
    kind, unkind = ranked[::-1][:10], ranked[:10]
    rows = [
        (good, f"{means[good]:+.2f}", bad, f"{means[bad]:+.2f}".replace("-", "−"))
        for good, bad in zip(kind, unkind, strict=True)
    ]
    work.table("words", rows)


CHAPTER = Chapter("text", 13, make, uses=("seeds", "tsv"))
