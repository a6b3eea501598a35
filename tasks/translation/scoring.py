"""How good translations are: BLEU, chrF, and exact matches."""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from sacrebleu.metrics import BLEU, CHRF

from tasks.translation.pairs import Pair

_KANA = re.compile(r"[\u3040-\u30ff]")
_HAN = re.compile(r"[\u4e00-\u9fff]")


def translation_figures(
    texts: Sequence[str], pairs: Sequence[Pair], lowercase: bool = False
) -> dict[str, Any]:
    """What translations are worth beside the references.

    Args:
        texts: the translations.
        pairs: of each its source, its reference, and its kind.
        lowercase: also tell `bleu_lowercase`, that of both in lower case.

    Returns:
        `bleu` and `chrf` in 0..100, with the signatures that say how they were measured, and
        `exact_match`, the share of translations that are their reference, also of each kind.

    Example:
        >>> figures = translation_figures(["a big cat sat"], [Pair("un chat", "a big cat sat")])
        >>> figures["exact_match"], round(figures["bleu"]), figures["bleu_signature"][:20]
        (1.0, 100, 'nrefs:1|case:mixed|e')

    Source: M. Post 2018, arXiv:1804.08771; M. Popović 2015, aclanthology.org/W15-3049.
    """
    references = [[pair.target for pair in pairs]]
    tokenize = _tokenizer("".join(references[0]))
    metrics = {"bleu": BLEU(tokenize=tokenize), "chrf": CHRF()}
    if lowercase:
        metrics["bleu_lowercase"] = BLEU(tokenize=tokenize, lowercase=True)
    figures: dict[str, Any] = {}
    for name, metric in metrics.items():
        figures[name] = metric.corpus_score(list(texts), references).score
        figures[f"{name}_signature"] = str(metric.get_signature())
    right: dict[str, list[bool]] = defaultdict(list)
    for text, pair in zip(texts, pairs):
        for key in ["exact_match", *([f"exact_match/{pair.kind}"] if pair.kind else [])]:
            right[key].append(text == pair.target)
    return figures | {key: float(np.mean(right[key])) for key in sorted(right)}


def _tokenizer(text: str) -> str:
    """What sacrebleu is to take for a word: in Japanese and Chinese no spaces tell."""
    if len(_KANA.findall(text)) > len(text) / 10:
        return "char"
    return "zh" if len(_HAN.findall(text)) > len(text) / 10 else "13a"
