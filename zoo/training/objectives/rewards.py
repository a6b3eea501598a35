"""How good a sequence of tokens is beside references: what self-critical training makes larger."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sacrebleu.metrics import BLEU

Tokens = Sequence[int]
"""Token ids, the end among them: what breaks off is worse than what ends."""

_ORDERS = (1, 2, 3, 4)
_SIGMA = 6.0


class Bleu:
    """BLEU-4 of single sentences, smoothed, in 0..1 (Papineni et al. 2002; Chen and Cherry 2014).

    Example:
        >>> [round(float(reward), 2) for reward in Bleu()([[5, 6, 3], [7, 3]], [[[5, 6, 3]]] * 2)]
        [1.0, 0.3]
    """

    def __init__(self) -> None:
        self.metric = BLEU(tokenize="none", effective_order=True, force=True)

    def __call__(self, written: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> Any:
        """Return the reward of each, `[N]`, float32."""
        pairs = zip(written, references, strict=True)
        scores = [
            self.metric.sentence_score(_text(tokens), [_text(r) for r in truths]).score
            for tokens, truths in pairs
        ]
        return np.array(scores, "float32") / 100


class Cider:
    """CIDEr-D (Vedantam et al. 2015, arXiv:1411.5726, section 6), in 0..10.

    n-grams count by how rare they are, which is learnt once, from the references of all training
    examples.

    Args:
        references: of each example, its references.

    Example:
        >>> cider = Cider([[[5, 6, 3]], [[7, 6, 3]], [[8, 9, 3]]])
        >>> [round(float(reward), 2) for reward in cider([[5, 6, 3], [7, 6, 3]], [[[5, 6, 3]]] * 2)]
        [7.5, 0.6]
    """

    def __init__(self, references: Iterable[Sequence[Tokens]]) -> None:
        self.frequencies: Counter[Tokens] = Counter()
        examples = 0
        for truths in references:
            examples += 1
            self.frequencies.update({gram for tokens in truths for gram in _grams(tokens)})
        self.examples = math.log(max(examples, 1))

    def __call__(self, written: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> Any:
        """Return the reward of each, `[N]`, float32."""
        pairs = zip(written, references, strict=True)
        return np.array([self._one(tokens, truths) for tokens, truths in pairs], "float32")

    def _one(self, tokens: Tokens, truths: Sequence[Tokens]) -> float:
        mine, norms = self._vector(tokens)
        total = 0.0
        for truth in truths:
            theirs, others = self._vector(truth)
            short = math.exp(-((len(tokens) - len(truth)) ** 2) / (2 * _SIGMA**2))
            for gram, value in mine.items():
                n = len(gram) - 1
                if norms[n] and others[n]:
                    common = min(value, theirs.get(gram, 0.0)) * theirs.get(gram, 0.0)
                    total += short * common / (norms[n] * others[n])
        return 10 * total / (len(_ORDERS) * max(1, len(truths)))

    def _vector(self, tokens: Tokens) -> tuple[dict[Tokens, float], list[float]]:
        """Return the counts times the rareness of each n-gram, and the norms for each n."""
        values = {
            gram: count * (self.examples - math.log(max(1, self.frequencies[gram])))
            for gram, count in _grams(tokens).items()
        }
        squares = [0.0] * len(_ORDERS)
        for gram, value in values.items():
            squares[len(gram) - 1] += value**2
        return values, [math.sqrt(square) for square in squares]


def _grams(tokens: Tokens) -> Counter[Tokens]:
    tokens = tuple(tokens)
    return Counter(tokens[i : i + n] for n in _ORDERS for i in range(len(tokens) - n + 1))


def _text(tokens: Tokens) -> str:
    return " ".join(map(str, tokens))
