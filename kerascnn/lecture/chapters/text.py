"""Text (L7): filters that move along the sentence, or along the words' embeddings."""

from __future__ import annotations

import numpy as np

from kerascnn.lecture.book.builder import Chapter, ChapterBuilder
from kerascnn.lecture.datasets.text import Reviews, load_reviews
from kerascnn.lecture.drawing.sentences import draw
from kerascnn.lecture.experiments import text
from kerascnn.lecture.experiments.runner import Trials
from kerascnn.lecture.experiments.text import POSITIVE, word_saliency

_DNN, _SENTENCE, _EMBEDDING = "text-dnn", "text-sentence", "text-embedding"
_SHOWN = 8


def make(chapter: ChapterBuilder) -> None:
    """Train the three networks, and colour sentences by what their words say."""
    file = chapter.option("tsv")
    reviews = load_reviews(file)
    networks, task = text.networks(reviews.vocabulary.size), text.task(reviews, chapter.quick)
    epochs = text.QUICK_EPOCHS if chapter.quick else text.EPOCHS
    trials = chapter.train(networks, task, epochs=epochs, batch=32)
    positive = float(task.y_test.mean())
    guess = max(positive, 1 - positive)
    chapter.text(
        "data",
        source={"word": "packaged"} if file is None else reviews.source,
        train=len(task.y_train),
        test=len(reviews.test),
        words=reviews.vocabulary.size,
        most=f"{guess:.1%}",
    )
    chapter.table("networks", [_row(trials, name) for name in trials.of], seeds=chapter.seeds)
    _claims(chapter, trials, guess)
    chapter.text("words")
    _sentences(chapter, reviews, trials)
    _words(chapter, reviews, trials)


def _row(trials: Trials, name: str) -> tuple[object, ...]:
    return (
        {"word": name},
        f"{trials.first(name).parameters:,}",
        str(trials.spread(name, trials.right())),
        round(trials.spread(name, lambda run: run.history.seconds).mean),
    )


def _claims(chapter: ChapterBuilder, trials: Trials, guess: float) -> None:
    measure = trials.right()
    shown = {name.removeprefix("text-"): trials.spread(name, measure) for name in trials.of}
    chapter.claim("sentence", trials.gain(_SENTENCE, _DNN, measure).is_gain, **shown)
    chapter.claim("axes", trials.gain(_SENTENCE, _EMBEDDING, measure).is_gain, **shown)
    worse = not trials.gain(_EMBEDDING, _DNN, measure).is_gain
    chapter.claim("embedding", worse, guess=guess, **shown)


def _sentences(chapter: ChapterBuilder, reviews: Reviews, trials: Trials) -> None:
    """Show sentences of the test coloured by their words, the network's mistakes among them."""
    first = trials.first(_SENTENCE)
    shares, sides = first.answers[:, POSITIVE], trials.task.y_test
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
    found = word_saliency(first.model, reviews.vocabulary, sentences)
    marks = [_mark(reviews.test[index].rating, float(shares[index])) for index in chosen]
    longest = max(len(words) for words, _ in found)
    padded = [[*values, *[0.0] * (longest - len(values))] for _, values in found]
    chapter.figure(
        "sentences",
        draw(found, marks),
        {"saliency": padded, "sentences": sentences, "shares": shares[chosen]},
        {"count": len(chosen), "wrong": int((~is_right[chosen]).sum())},
    )


def _mark(rating: float, share: float) -> str:
    """Return what people said, and what the network says: ``+1.8 → + 98 %``."""
    sign = "+" if share > 0.5 else "−"
    return f"{rating:+.1f} → {sign} {100 * max(share, 1 - share):.0f} %".replace("-", "−")


def _words(chapter: ChapterBuilder, reviews: Reviews, trials: Trials) -> None:
    """List the words that say most, averaged over the sentences of the test."""
    sums: dict[str, list[float]] = {}
    sentences = [review.sentence for review in reviews.test]
    model = trials.first(_SENTENCE).model
    for words, values in word_saliency(model, reviews.vocabulary, sentences):
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
    chapter.table("words", rows)


CHAPTER = Chapter("text", 13, make, uses=("seeds", "tsv"))
