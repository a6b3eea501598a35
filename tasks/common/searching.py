"""How a task that writes looks for its answer, and what is wrong with the answers it found."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tasks.common.text import split_tokens
from tasks.common.words import NEWEST, normal, word_pattern
from zoo.decoding.generation import WIDEST
from zoo.errors import UserError
from zoo.evaluation.bootstrap import Evaluation, MetricSums

RARE = 0.01
"""The share of training texts that may hold a run twice which answers must not."""

_LONGEST = 40


@dataclass(frozen=True)
class Search:
    """How the answer of `serve` is looked for, see `zoo.decoding.generate`.

    Attributes:
        beam_width: hypotheses of the beam search; 1 takes the likeliest token each time.
        length_penalty: the exponent by which longer answers are favoured, 0 or more.
        no_repeat_ngram: a run of so many tokens comes once in an answer at most; 0 for any number
            of times.

    Raises:
        UserError: one of them is out of its range.

    Example:
        >>> Search(1, 1.0, 3).sentence("words")
        'At each step the likeliest token was taken. No 3 words in a row come twice.'
    """

    beam_width: int
    length_penalty: float
    no_repeat_ngram: int

    def __post_init__(self) -> None:
        for name, right, needed in (
            ("beam_width", 1 <= self.beam_width <= WIDEST, f"1 to {WIDEST}"),
            ("length_penalty", 0 <= self.length_penalty <= 10, "0 to 10"),
            ("no_repeat_ngram", 0 <= self.no_repeat_ngram < 2**31, "0 or more"),
        ):
            if not right:
                raise UserError(f"{name} is {getattr(self, name)}, but {needed} is needed")

    def rules(self) -> dict[str, Any]:
        """Return what holds for every answer, however it is looked for."""
        return {"length_penalty": self.length_penalty, "no_repeat_ngram": self.no_repeat_ngram}

    def sentence(self, units: str) -> str:
        """Say how answers were looked for, for the card.

        Args:
            units: what a token is, in the plural.
        """
        if self.beam_width == 1:
            how = "At each step the likeliest token was taken."
        else:
            how = f"Answers were found by a beam search of width {self.beam_width}"
            plain = self.length_penalty == 1
            how += "." if plain else f", with a length penalty of {self.length_penalty:g}."
        if self.no_repeat_ngram:
            how += f" No {self.no_repeat_ngram} {units} in a row come twice."
        return how


def shortest_run(texts: Iterable[Sequence[int]], least: int) -> int:
    """Return how long a run of tokens is that an answer should hold once, as texts do.

    It is the shortest that at most `RARE` of the texts hold twice; 0 where there is none.

    Args:
        texts: the tokens of each text that a model learns to write.
        least: tokens of the shortest that may be barred.

    Example:
        >>> shortest_run([[5, 6, 7, 8, 9], [4, 4, 4]], 3)
        3
        >>> shortest_run([[5, 6, 7, 8, 5, 6, 7]], 3)
        4
    """
    left = [list(text) for text in texts]
    most = RARE * len(left)
    for length in range(least, _LONGEST + 1):
        # A text that holds no run of a length twice holds no longer one twice.
        left = [text for text in left if _repeats(text, length)]
        if len(left) <= most:
            return length
    return 0


def faults(texts: Sequence[str], ended: Sequence[bool], rule: int = NEWEST) -> Evaluation:
    """Return `repeating` and `unended`, the shares of answers that are wrong by themselves.

    An answer repeats itself when three words in a row come twice in it, and is unended when it was
    cut off at the greatest length. People's own texts may do the first, too.

    Args:
        texts: the answers.
        ended: whether the model ended each of them itself.
        rule: which one words are cut by, see `tasks.common.words.word_pattern`.

    Example:
        >>> faults(["A red cat.", "on a red cat, on a red"], [True, False]).metrics()
        {'repeating': 0.5, 'unended': 0.5}
    """
    lower = tf.constant([normal(text.lower()) for text in texts], tf.string)
    cut = split_tokens(lower, word_pattern("words", rule)).to_list()
    rows = [(_repeats(words, 3), not end, 1) for words, end in zip(cut, ended)]

    def shares(sums: np.ndarray) -> dict[str, float]:
        return {"repeating": float(sums[0] / sums[2]), "unended": float(sums[1] / sums[2])}

    return Evaluation([MetricSums(np.array(rows, "float64"), shares)])


def _repeats(tokens: Sequence[Any], length: int) -> bool:
    """Return whether a run of a length comes twice."""
    runs = [tuple(tokens[at : at + length]) for at in range(len(tokens) - length + 1)]
    return len({*runs}) < len(runs)
