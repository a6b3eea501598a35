"""Metrics of sacrebleu, sentence by sentence."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.evaluation.bootstrap import Evaluation, MetricSums


def measure_corpus(
    name: str, metric: Any, texts: Sequence[str], references: Sequence[Sequence[str]]
) -> Evaluation:
    """Compute a corpus' metric from each text's n-grams, and those that are right.

    As sacrebleu's own bootstrap does, the metric is computed from sums over the texts that are
    drawn; of all texts it is that of `corpus_score`.

    Args:
        name: of the metric.
        metric: of sacrebleu, such as `BLEU()`.
        texts: N of them.
        references: streams of N references each.

    Example:
        >>> from sacrebleu.metrics import CHRF
        >>> texts, references = ["a cat", "dogs"], [["a cat", "two dogs"]]
        >>> chrf = measure_corpus("chrf", CHRF(), texts, references).metrics()["chrf"]
        >>> chrf == CHRF().corpus_score(texts, references).score
        True
    """
    rows = np.array(metric._extract_corpus_statistics(list(texts), references))

    def score(sums: np.ndarray) -> dict[str, float]:
        return {name: metric._compute_score_from_stats(sums.tolist()).score}

    return Evaluation([MetricSums(rows, score)])
