"""How like the captions of people those of a model are."""

import importlib.util
from collections.abc import Sequence
from itertools import cycle, islice
from typing import Any

import tensorflow as tf
from sacrebleu.metrics import BLEU

from tasks.text import split_tokens

WORD = r"[\p{L}\p{N}']+"
"""RE2: a word of a caption; punctuation is left out."""

EXTRA = 'rouge_l and cider are left out: pip install "sequence-zoo[captioning]" brings them'


def words(captions: Sequence[str]) -> list[str]:
    """Captions in lower case, their words set apart by one space.

    Example:
        >>> words(["Two dogs, running."])
        ['two dogs running']
    """
    lower = tf.constant([caption.lower() for caption in captions])
    joined = tf.strings.reduce_join(split_tokens(lower, WORD), axis=1, separator=" ")
    return [caption.decode() for caption in joined.numpy()]


def bleu(written: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, Any]:
    """`bleu1` to `bleu4` in 0..100 and `bleu_signature`, which says how sacrebleu counted.

    Of the whole corpus, against all captions of each image, the closest of which in length counts
    for the brevity (Papineni et al. 2002). Both sides are cut into words here, as `words` does.

    Args:
        written: a caption of each image.
        references: those that people gave it, at least one.

    Example:
        >>> told = bleu(["a red cat sits"], [["A red cat sleeps.", "a cat"]])
        >>> round(told["bleu1"]), round(told["bleu2"])
        (75, 71)
    """
    hypotheses, known = words(written), [words(captions) for captions in references]
    most = max(map(len, known))
    columns = [list(column) for column in zip(*(islice(cycle(k), most) for k in known))]
    figures: dict[str, Any] = {}
    for order in (1, 2, 3, 4):
        # Spaces are all that there is to cut at; it warns of text that ends in " ." otherwise.
        metric = BLEU(max_ngram_order=order, tokenize="none", force=True)
        figures[f"bleu{order}"] = metric.corpus_score(hypotheses, columns).score
    return {**figures, "bleu_signature": str(metric.get_signature())}


def has_extra() -> bool:
    """Whether pycocoevalcap is installed."""
    return importlib.util.find_spec("pycocoevalcap") is not None


def rouge_and_cider(
    written: Sequence[str], references: Sequence[Sequence[str]]
) -> dict[str, float]:
    """`rouge_l` in 0..1 (Lin 2004) and `cider` in 0..10 (Vedantam et al. 2015, arXiv:1411.5726).

    As pycocoevalcap computes them, which is to be installed; of words as `words` cuts them. CIDEr
    weighs each n-gram by the number of images whose captions have it, and so it depends on the
    split, and is 0 for one image.

    Args:
        written: a caption of each image.
        references: those that people gave it, at least one.
    """
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    said = {index: [caption] for index, caption in enumerate(words(written))}
    known = {index: words(captions) for index, captions in enumerate(references)}
    return {
        "rouge_l": float(Rouge().compute_score(known, said)[0]),
        "cider": float(Cider().compute_score(known, said)[0]),
    }
