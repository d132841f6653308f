"""Networks that tell kind sentences from unkind ones (section "More applications"), in Keras 2."""

from __future__ import annotations

from typing import Literal

from kerascnn.lecture.networks import Model
from kerascnn.models.layer_factory import LayerFactory

#: Numbers in a word's embedding.
EMBEDDING = 32
#: How far a filter reaches along the axis that it moves on.
REACH = 3

Axis = Literal["sentence", "embedding"]


def text_cnn(
    vocabulary: int,
    words: int,
    along: Axis = "sentence",
    seed: int | None = None,
) -> Model:
    """Build a network with one convolution over the words' embeddings, and the maximum of each map.

    Along the sentence, a filter is as high as the embedding and 3 words wide, as in the lecture.
    Along the embedding it is as wide as the sentence and takes 3 of the embedding's numbers.

    Args:
        vocabulary: how many words are known; 0 stands for none, 1 for an unknown one.
        words: in a sentence; shorter ones end in 0.
        along: ``sentence`` or ``embedding``.
        seed: of the initial weights, 0 or more; None for others each time.

    Returns:
        A Keras 2 model: N×words (numbers of words) → N×2, negative and positive.
    """
    make = LayerFactory(seed)
    stack = [make("Embedding", vocabulary, EMBEDDING, input_length=words)]
    if along == "embedding":
        stack.append(make("Permute", (2, 1)))
    stack += [
        make("Conv1D", 32, REACH, activation="relu"),
        make("GlobalMaxPooling1D"),
        make("Dense", 16, activation="relu"),
        make("Dense", 2, activation="softmax"),
    ]
    return make.sequential(f"text_{along}", stack)


def text_fully_connected(vocabulary: int, words: int, seed: int | None = None) -> Model:
    """Build a fully connected network: all embeddings of the sentence as one vector.

    Args:
        vocabulary: how many words are known.
        words: in a sentence.
        seed: of the initial weights, 0 or more; None for others each time.

    Returns:
        A Keras 2 model: N×words (numbers of words) → N×2, negative and positive.
    """
    make = LayerFactory(seed)
    stack = [
        make("Embedding", vocabulary, EMBEDDING, input_length=words),
        make("Flatten"),
        make("Dense", 32, activation="relu"),
        make("Dense", 16, activation="relu"),
        make("Dense", 2, activation="softmax"),
    ]
    return make.sequential("text_dnn", stack)
