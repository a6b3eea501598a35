"""Metrics of translations: BLEU, chrF, and exact matches."""

import re
from collections.abc import Sequence

import numpy as np
from sacrebleu.metrics import BLEU, CHRF

from tasks.common.ngrams import measure_corpus
from tasks.common.words import normal
from tasks.translation.pairs import Pair
from zoo.evaluation.bootstrap import Evaluation, MetricSums

_LETTERS = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff]")
"""Of Thai, Lao, Myanmar, Khmer and Japanese."""

_HAN = re.compile(r"[\u4e00-\u9fff]")


def translation_metrics(
    texts: Sequence[str], pairs: Sequence[Pair], lowercase: bool = False
) -> Evaluation:
    """Compute the metrics of translations against their references.

    Args:
        texts: the translations.
        pairs: of each its source, its reference, and its kind.
        lowercase: also tell `bleu_lowercase`, that of both in lower case.

    Returns:
        `bleu` and `chrf` in 0..100, with the signatures that say how they were measured, and
        `exact_match`, the share of translations that are their reference, also of each kind.

    Example:
        >>> pairs = [Pair("un chat", "a big cat sat")]
        >>> metrics = translation_metrics(["a big cat sat"], pairs).metrics()
        >>> metrics["exact_match"], round(metrics["bleu"]), metrics["bleu_signature"][:20]
        (1.0, 100, 'nrefs:1|case:mixed|e')

    Source: M. Post 2018, arXiv:1804.08771; M. Popović 2015, aclanthology.org/W15-3049.
    """
    # Accents that are written as characters of their own make no difference.
    texts = [normal(text) for text in texts]
    pairs = [pair._replace(target=normal(pair.target)) for pair in pairs]
    references = [[pair.target for pair in pairs]]
    tokenize = _tokenizer("".join(references[0]))
    metrics = {"bleu": BLEU(tokenize=tokenize), "chrf": CHRF()}
    if lowercase:
        metrics["bleu_lowercase"] = BLEU(tokenize=tokenize, lowercase=True)
    scores, signatures = Evaluation([]), {}
    for name, metric in metrics.items():
        scores += measure_corpus(name, metric, texts, references)
        signatures[f"{name}_signature"] = str(metric.get_signature())
    return scores + _exact(texts, pairs) + Evaluation([], signatures)


def _exact(texts: Sequence[str], pairs: Sequence[Pair]) -> Evaluation:
    """Return whether each translation is its reference, for all and for those of its kind."""
    names = sorted({"exact_match", *(f"exact_match/{pair.kind}" for pair in pairs if pair.kind)})
    rows = np.zeros((len(texts), 2, len(names)))
    for row, text, pair in zip(rows, texts, pairs):
        for name in {"exact_match", f"exact_match/{pair.kind}"} & {*names}:
            row[:, names.index(name)] = text == pair.target, 1

    def shares(sums: np.ndarray) -> dict[str, float]:
        right, all_ = sums.reshape(2, -1)
        return {name: float(r / n) for name, r, n in zip(names, right, all_) if n}

    return Evaluation([MetricSums(rows.reshape(len(rows), -1), shares)])


def _tokenizer(text: str) -> str:
    """Return sacrebleu's tokenizer for a text: Chinese, Japanese, Thai and others set no spaces."""
    if len(_LETTERS.findall(text)) > len(text) / 10:
        return "char"
    return "zh" if len(_HAN.findall(text)) > len(text) / 10 else "13a"
