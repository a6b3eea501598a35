"""The answer of a model that reads first and then writes, one token after the other."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from tasks.common.text import END, START
from tasks.common.tokenizers import Tokenizer
from zoo.decoding import Decoded
from zoo.task import Written
from zoo.topologies.base import SequenceModel

_LIKELY = 8


def written_answer(
    model: SequenceModel, condition: Any, answers: Decoded, vocabulary: Tokenizer
) -> Iterator[Written]:
    """Yield the tokens of an answer, and its end where the model ended it itself.

    The answer is given, so that a search for it changes nothing of what is told: what the model
    held for likely after the tokens before.

    Args:
        model: a conditional model.
        condition: what its `encode` takes, of one row.
        answers: what was decoded for that row.
        vocabulary: of the tokens.
    """
    length, longest = int(answers.lengths[0]), int(answers.tokens.shape[1])
    ids = [*answers.tokens[0, :length].numpy(), *([END] if length < longest else [])]

    @tf.function(autograph=False)
    def step(last: Any, state: Any) -> Any:
        logits, after = model.step(last, state)
        shares = tf.nn.softmax(tf.cast(logits, tf.float32))[0]
        best, likeliest = tf.math.top_k(shares, min(_LIKELY, shares.shape[0]))
        return vocabulary.words(likeliest), best, after

    state, last = model.encode(condition), tf.constant([START])
    for token in ids:
        words, shares, state = step(last, state)
        last = tf.constant([token], tf.int32)
        yield Written(
            vocabulary.words(last)[0].numpy().decode(errors="replace"),
            True,
            [(word.decode(errors="replace"), float(p)) for word, p in zip(words.numpy(), shares)],
            [np.asarray(part)[0] for part in tf.nest.flatten(state)],
        )
