"""Text (L7): should filters move along the sentence, or along the words' embeddings?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kerascnn.lecture.datasets.text import WORDS, Review, Reviews, Vocabulary, split
from kerascnn.lecture.experiments.runner import Builder
from kerascnn.lecture.experiments.task import Array, Labels, Task
from kerascnn.lecture.experiments.training import Tensor
from kerascnn.lecture.networks import Layer, Model
from kerascnn.lecture.networks.text import text_cnn, text_fully_connected

EPOCHS, QUICK_EPOCHS = 4, 3
#: Sentences that the quick version learns from.
QUICK_EXAMPLES = 4000
#: The classes.
NEGATIVE, POSITIVE = 0, 1


def networks(vocabulary: int) -> Mapping[str, Builder]:
    """Return what builds the networks for so many numbers of words, by name."""
    return {
        "text-dnn": lambda seed: text_fully_connected(vocabulary, WORDS, seed=seed),
        "text-sentence": lambda seed: text_cnn(vocabulary, WORDS, "sentence", seed=seed),
        "text-embedding": lambda seed: text_cnn(vocabulary, WORDS, "embedding", seed=seed),
    }


def task(reviews: Reviews, quick: bool) -> Task:
    """Return sentences as a task: N×40 numbers of words; quick, with fewer to learn from."""
    # Not the first ones: tables are often sorted, positive sentences first.
    step = -(-len(reviews.train) // QUICK_EXAMPLES) if quick else 1
    train, test = (
        (reviews.vocabulary.encode([review.sentence for review in part]), sides(part))
        for part in (reviews.train[::step], reviews.test)
    )
    return Task(*train, *test)


def sides(reviews: Sequence[Review]) -> Labels:
    """Return the class of each sentence: `POSITIVE` or `NEGATIVE`."""
    return np.array([POSITIVE if review.rating > 0 else NEGATIVE for review in reviews])


def word_saliency(
    model: Model, vocabulary: Vocabulary, sentences: Sequence[str]
) -> list[tuple[list[str], Array]]:
    """Return what each word adds to the score for "positive".

    A word's number has no gradient, but its embedding has: the gradient of the score (before the
    softmax, positive less negative) with respect to the embedding, times the embedding less that
    of no word, summed over the embedding.

    Args:
        model: one of the text networks: its first layer is the embedding.
        vocabulary: of the words.
        sentences: any.

    Returns:
        For each sentence its words (of those that are read), and a number for each: above 0 speaks
        for positive.
    """
    import tensorflow as tf

    numbers = vocabulary.encode(sentences)
    embedding, rest = model.layers[0], model.layers[1:]
    values = tf.convert_to_tensor(embedding(numbers))
    with tf.GradientTape() as tape:
        tape.watch(values)
        score = _score(rest, values)
    gradients = tape.gradient(score, values).numpy()
    nothing = embedding(np.zeros((1, 1), np.int32)).numpy()
    added = (gradients * (values.numpy() - nothing)).sum(axis=-1).astype(np.float64)
    found = []
    for row, sentence in enumerate(sentences):
        words = split(sentence)[: numbers.shape[1]]
        found.append((words, added[row, : len(words)]))
    return found


def _score(layers: Sequence[Layer], values: Tensor) -> Tensor:
    """Return positive less negative, before the softmax of the last layer."""
    for layer in layers[:-1]:
        values = layer(values)
    logits = values @ layers[-1].kernel + layers[-1].bias
    return logits[:, POSITIVE] - logits[:, NEGATIVE]
