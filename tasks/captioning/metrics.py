"""Metrics of captions: BLEU, ROUGE-L, CIDEr, the truth rate and the gap between images."""

import importlib.util
import math
from collections import Counter
from collections.abc import Sequence
from itertools import chain, cycle, islice
from typing import Any

import numpy as np
import tensorflow as tf
from sacrebleu.metrics import BLEU

from tasks.captioning.checking import truth_rate
from tasks.captioning.scenes import Object, has_test_only_pair
from tasks.captioning.sources import Captioned
from tasks.common.ngrams import measure_corpus
from tasks.common.text import split_tokens
from tasks.common.words import NEWEST, normal, word_pattern
from zoo.errors import UserError
from zoo.evaluation.bootstrap import Evaluation, MetricSums
from zoo.training.objectives import CrossEntropy

EXTRA = 'rouge_l and cider are left out: pip install "sequence-zoo[captioning]" brings them'


def words(captions: Sequence[str], rule: int = NEWEST) -> list[str]:
    """Return captions in lower case, a space between two words, without punctuation.

    Args:
        captions: to be cut.
        rule: which one words are cut by, see `word_pattern`.

    Example:
        >>> words(["Two dogs, running.", "两只狗。"])
        ['two dogs running', '两 只 狗']
    """
    lower = tf.constant([normal(caption.lower()) for caption in captions], tf.string)
    tokens = split_tokens(lower, word_pattern("words", rule))
    joined = tf.strings.reduce_join(tokens, axis=1, separator=" ")
    return [caption.decode() for caption in joined.numpy()]


def _words_of_each(captions: Sequence[Sequence[str]], rule: int) -> list[list[str]]:
    """Return what `words` does of the captions of each image, all cut at once."""
    flat = iter(words(list(chain.from_iterable(captions)), rule))
    return [[next(flat) for _ in own] for own in captions]


def usual_caption(captions: Sequence[str], rule: int = NEWEST) -> str:
    """Return the caption that comes most often.

    Of those that come equally often, it is one as long as most captions are; and of these, that
    whose words are the commonest.

    Args:
        captions: of any images.
        rule: which one words are cut by.

    Raises:
        UserError: there are none.

    Example:
        >>> usual_caption(["A red cat.", "a dog", "a black dog", "a dog sits", "the red sun"])
        'a black dog'
        >>> usual_caption(["A dog.", "a black cat", "a dog", "a black sun"])
        'a dog'
    """
    if not captions:
        raise UserError("there are no captions to learn it from")
    texts = words(captions, rule)
    times, counts = Counter(texts), Counter(word for text in texts for word in text.split())
    (length, _), *_ = Counter(len(text.split()) for text in texts).most_common(1)

    def usual(text: str) -> tuple[int, bool, float]:
        parts = text.split()
        return times[text], len(parts) == length, sum(math.log(counts[word]) for word in parts)

    return max(times, key=usual)


def caption_metrics(written: Sequence[str], data: Captioned, rule: int = NEWEST) -> Evaluation:
    """Compute the metrics of `bleu`, `truth` and, where it is installed, of `rouge_and_cider`.

    Args:
        written: a caption of each image.
        data: the images with what people said of them.
        rule: which one words are cut by.
    """
    metrics = bleu(written, data.captions, rule)
    if has_extra():
        metrics += rouge_and_cider(written, data.captions, rule)
    unseen = [scene is not None and has_test_only_pair(scene) for scene in data.scenes]
    return metrics + truth(written, data.scenes, unseen)


def bleu(
    written: Sequence[str], references: Sequence[Sequence[str]], rule: int = NEWEST
) -> Evaluation:
    """Compute `bleu1` to `bleu4` in 0..100 and `bleu_signature`, which says how sacrebleu counted.

    Of the whole corpus, against all captions of each image, the closest of which in length counts
    for the brevity (Papineni et al. 2002). Both sides are cut into words here, as `words` does.

    Args:
        written: a caption of each image.
        references: those that people gave it, at least one.
        rule: which one words are cut by.

    Example:
        >>> scores = bleu(["a red cat sits"], [["A red cat sleeps.", "a cat"]]).metrics()
        >>> round(scores["bleu1"]), round(scores["bleu2"])
        (75, 71)
    """
    hypotheses = words(written, rule)
    known = _words_of_each(references, rule)
    most = max(map(len, known))
    columns = [list(column) for column in zip(*(islice(cycle(k), most) for k in known))]
    scores = Evaluation([])
    for order in (1, 2, 3, 4):
        # Spaces are all that there is to cut at; it warns of text that ends in " ." otherwise.
        metric = BLEU(max_ngram_order=order, tokenize="none", force=True)
        scores += measure_corpus(f"bleu{order}", metric, hypotheses, columns)
    return scores + Evaluation([], {"bleu_signature": str(metric.get_signature())})


def has_extra() -> bool:
    """Return whether pycocoevalcap is installed."""
    return importlib.util.find_spec("pycocoevalcap") is not None


def rouge_and_cider(
    written: Sequence[str], references: Sequence[Sequence[str]], rule: int = NEWEST
) -> Evaluation:
    """Compute `rouge_l`, 0..1 (Lin 2004), and `cider`, 0..10 (Vedantam et al., arXiv:1411.5726).

    As pycocoevalcap computes them, which is to be installed; of words as `words` cuts them. CIDEr
    weighs each n-gram by the number of images whose captions have it, and so it depends on the
    split, and is 0 for one image; its interval takes those numbers as they are.

    Args:
        written: a caption of each image.
        references: those that people gave it, at least one.
        rule: which one words are cut by.
    """
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    hypotheses = {index: [caption] for index, caption in enumerate(words(written, rule))}
    known = dict(enumerate(_words_of_each(references, rule)))
    _, rouge = Rouge().compute_score(known, hypotheses)
    _, cider = Cider().compute_score(known, hypotheses)
    return mean_of("rouge_l", rouge) + mean_of("cider", cider)


def mean_of(name: str, values: Any) -> Evaluation:
    """Return a metric that is the mean of one number an image."""
    rows = np.stack([np.asarray(values, "float64"), np.ones(len(values))], axis=1)
    return Evaluation([MetricSums(rows, lambda sums: {name: float(sums[0] / sums[1])})])


def truth(
    written: Sequence[str], scenes: Sequence[list[Object] | None], unseen: Sequence[bool]
) -> Evaluation:
    """Compute `truth_rate`, the share of right captions, and `truth_rate/unseen_pairs`.

    Args:
        written: a caption of each image.
        scenes: what each image shows, where that is known.
        unseen: whether an image counts for the second.
    """
    scores = Evaluation([])
    for name, counts in (
        ("truth_rate", [True] * len(written)),
        ("truth_rate/unseen_pairs", unseen),
    ):
        right = [
            truth_rate([text], [scene])
            for text, scene, count in zip(written, scenes, counts)
            if count and scene is not None
        ]
        if right:
            scores += mean_of(name, right)
    return scores


def picture_gap(own: np.ndarray, other: np.ndarray) -> Evaluation:
    """Return `picture_gap`, how much larger the loss is under other images than under their own.

    Args:
        own: the sums of `CrossEntropy` of each image, `[N, 3]`.
        other: the same with each image in the place of another.
    """

    def gap(sums: np.ndarray) -> dict[str, float]:
        own_loss, other_loss = (
            CrossEntropy().results(part)["loss"] for part in (sums[:3], sums[3:])
        )
        return {"picture_gap": other_loss - own_loss}

    return Evaluation([MetricSums(np.concatenate([own, other], axis=1), gap)])


class NextImages:
    """Images, each in the place of the one before it."""

    def __init__(self, images: np.ndarray) -> None:
        self._images = images
        self.shape, self.dtype = images.shape, images.dtype

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, places: Any) -> np.ndarray:
        rows = np.arange(len(self._images))[places]
        return self._images[(rows + 1) % len(self._images)]
