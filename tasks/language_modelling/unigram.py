"""What a text costs if each token is as likely everywhere as it is often."""

from typing import Any

import numpy as np


def unigram_costs(train: Any, size: int) -> np.ndarray:
    """Return -log p of each id of a vocabulary in nats, `[size]`.

    p = (k + 1) / (n + size), for k of the n tokens of a text.

    Args:
        train: the text, as `tasks.language_modelling.corpus.Text`.
        size: how many ids there are.

    Example:
        >>> from tasks.language_modelling.corpus import Corpus
        >>> text = Corpus([("aab", True)], unit="character").text(["a", "b"])
        >>> np.exp(-unigram_costs(text, 6)).round(3).tolist()
        [0.111, 0.111, 0.111, 0.111, 0.333, 0.222]

    Source: D. Jurafsky and J. H. Martin, Speech and Language Processing, "Laplace smoothing".
    """
    counts = np.ones(size)
    for ids in _blocks(train, 1 << 18):
        counts += np.bincount(ids, minlength=size)
    return np.log(counts.sum()) - np.log(counts)


def unigram_sums(text: Any, costs: np.ndarray, window: int) -> np.ndarray:
    """Return the sums of `CrossEntropy` of each part of a text, `[N, 3]`.

    They are the nats of its tokens, how many there are, and how many are the likeliest.

    Args:
        text: as `tasks.language_modelling.corpus.Text`.
        costs: as `unigram_costs` gives them.
        window: tokens of a part; one that ends a document has fewer.

    Example:
        >>> from tasks.language_modelling.corpus import Corpus
        >>> text = Corpus([("aab", True)], unit="character").text(["a", "b"])
        >>> unigram_sums(text, np.array([9.0, 9.0, 9.0, 9.0, 0.5, 2.0]), window=2).tolist()
        [[1.0, 2.0, 2.0], [2.0, 1.0, 0.0]]
    """
    likeliest = costs.argmin()
    return np.array(
        [(costs[ids].sum(), len(ids), (ids == likeliest).sum()) for ids in _blocks(text, window)]
    )


def _blocks(text: Any, size: int) -> Any:
    """Yield the ids of a text to be predicted, so many at a time."""
    for index, length in enumerate(text.lengths.tolist()):
        for begin in range(0, length, size):
            yield text.read(index, begin, min(begin + size, length))[1]
