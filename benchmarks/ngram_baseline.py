"""The perplexity of an interpolated modified Kneser-Ney n-gram model: what a network has to beat.

Chen and Goodman, "An Empirical Study of Smoothing Techniques for Language Modeling" (1998).
"""

import argparse
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tasks.common.words import NEWEST, SPECIAL, UNKNOWN, commonest
from tasks.language_modelling.text import MINIMUM_COUNT, tokens_of

START, UNSEEN = "<s>", SPECIAL[UNKNOWN]
FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)
EXAMPLES = """\
Every token of the test split is predicted. Training tokens outside the vocabulary count as
<unk>: words that occur once, none of the characters. A word is one of any script, a sign, or a
line break, see tasks.common.words.

examples:
  python benchmarks/ngram_baseline.py
  python benchmarks/ngram_baseline.py --unit word
  python benchmarks/ngram_baseline.py --order 8 --json
"""


@dataclass
class Followers:
    """What was counted after one context."""

    discounted: dict[str, float] = field(default_factory=dict)
    freed: float = 0.0
    total: int = 0


class KneserNey:
    """An interpolated modified Kneser-Ney model over a closed vocabulary.

    With c(hw) the count of token w after context h, and h' = h without its first token,

        p(w | h) = (c(hw) - D(c(hw))) / c(h) + freed(h) / c(h) * p(w | h')

    The count is the number of occurrences at the highest order, and the number of distinct tokens
    that precede hw at the lower ones. D is one of three discounts per order, for counts of 1, of
    2, and of 3 or more; freed(h) is what D took away after h. Below the unigrams is the uniform
    distribution. After a context that was never seen, p(w | h) = p(w | h').

    Args:
        documents: the training data, each document a sequence of tokens of the vocabulary.
        vocabulary: all tokens that can be predicted.
        order: the length of the longest n-gram, at least 1.

    Example:
        >>> model = KneserNey(["abab"], vocabulary="ab", order=2)
        >>> round(model.probability("a", "b") + model.probability("b", "b"), 6)
        1.0
    """

    def __init__(self, documents: Iterable[Sequence[str]], vocabulary: Sequence[str], order: int):
        self.order = order
        self.uniform = 1 / len(vocabulary)
        self.levels: list[dict[tuple[str, ...], Followers]] = []
        counts = Counter(gram for tokens in documents for gram in _grams(tokens, order))
        for _ in range(order):
            self.levels.insert(0, _group_by_context(counts))
            counts = Counter(gram[1:] for gram in counts)

    def probability(self, token: str, context: Sequence[str]) -> float:
        """p(token | context). Only the last `order - 1` tokens of the context matter."""
        p = self.uniform
        for length, level in enumerate(self.levels[: len(context) + 1]):
            after = level.get(tuple(context[len(context) - length :]))
            if after is None:
                break
            p = (after.discounted.get(token, 0.0) + after.freed * p) / after.total
        return p

    def negative_log_likelihood(self, tokens: Sequence[str]) -> float:
        """-log p of a document in nats: the sum over all its tokens, each after those before."""
        grams = _grams(tokens, self.order)
        return -sum(math.log(self.probability(gram[-1], gram[:-1])) for gram in grams)


def estimate_discounts(counts: Iterable[int]) -> tuple[float, float, float]:
    """D1, D2, D3+ of Chen and Goodman, from how many n-grams have a count of 1, 2, 3 and 4.

    Where there is too little data for the estimate, `FALLBACK_DISCOUNTS`.
    """
    having = Counter(counts)
    n1, n2, n3, n4 = (having[count] for count in (1, 2, 3, 4))
    if not (n1 and n2 and n3):
        return FALLBACK_DISCOUNTS
    y = n1 / (n1 + 2 * n2)
    discounts = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    return discounts if min(discounts) > 0 else FALLBACK_DISCOUNTS


def _grams(tokens: Sequence[str], order: int) -> list[tuple[str, ...]]:
    """One n-gram per token: the token after the `order - 1` before it, or `START` symbols."""
    padded = (START,) * (order - 1) + tuple(tokens)
    return [padded[i : i + order] for i in range(len(tokens))]


def _group_by_context(counts: Counter[tuple[str, ...]]) -> dict[tuple[str, ...], Followers]:
    discounts = estimate_discounts(counts.values())
    level: dict[tuple[str, ...], Followers] = {}
    for (*context, token), count in counts.items():
        after = level.setdefault(tuple(context), Followers())
        discount = discounts[min(count, 3) - 1]
        after.discounted[token] = count - discount
        after.freed += discount
        after.total += count
    return level


def measure(
    train: list[str], test: list[str], unit: str, order: int, rule: int = NEWEST
) -> dict[str, float]:
    """Train on the texts of `train` and measure the perplexity of those of `test`.

    Returns:
        `vocabulary` (tokens, `UNSEEN` included), `train_tokens`, `tokens` (of test),
        `unknown` (share of the test tokens that are not in the vocabulary), `perplexity` and
        `bits` (per token).
    """
    documents = [tokens_of(text, unit, rule) for text in train]
    known = set(commonest((t for d in documents for t in d), MINIMUM_COUNT[unit]))

    def replace_unknown(document: list[str]) -> list[str]:
        return [token if token in known else UNSEEN for token in document]

    model = KneserNey(map(replace_unknown, documents), [*known, UNSEEN], order)
    tests = [replace_unknown(tokens_of(text, unit, rule)) for text in test]
    count = sum(map(len, tests))
    nats = sum(map(model.negative_log_likelihood, tests)) / count
    return {
        "vocabulary": len(known) + 1,
        "train_tokens": sum(map(len, documents)),
        "tokens": count,
        "unknown": sum(document.count(UNSEEN) for document in tests) / count,
        "perplexity": math.exp(nats),
        "bits": nats / math.log(2),
    }


def load_texts(dataset: str, split: str, data_dir: str | None) -> list[str]:
    """The `text` of every example of a tensorflow-datasets split.

    Raises:
        ValueError: there is no such data set, or its examples have no `text`.
    """
    import tensorflow_datasets as tfds

    import tasks.language_modelling.dataset  # noqa: F401  (registers python_docs)

    try:
        builder = tfds.builder(dataset, data_dir=data_dir)
    except tfds.core.registered.DatasetNotFoundError:
        raise ValueError(
            f"no data set is named {dataset}; pass a tensorflow-datasets name such as python_docs"
        ) from None
    if "text" not in builder.info.features:
        raise ValueError(
            f"{dataset} has the features {', '.join(builder.info.features)}; "
            "pass a data set with a feature named text"
        )
    builder.download_and_prepare()
    return [example["text"].decode() for example in tfds.as_numpy(builder.as_dataset(split))]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--unit", choices=MINIMUM_COUNT, default="character", help="what a token is"
    )
    parser.add_argument(
        "--tokenizer", type=int, choices=(1, NEWEST), default=NEWEST, help="how words are cut"
    )
    parser.add_argument("--order", type=int, default=5, help="longest n-gram (default: 5)")
    parser.add_argument(
        "--dataset",
        default="python_docs",
        help="a tensorflow-datasets name with a `text` feature (default: python_docs)",
    )
    parser.add_argument("--data-dir", help="where tensorflow-datasets keeps its data")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if options.order < 1:
        parser.error(f"--order is {options.order}; pass 1 or more")

    try:
        train, test = (load_texts(options.dataset, s, options.data_dir) for s in ("train", "test"))
    except ValueError as error:
        parser.error(str(error))
    result = measure(train, test, options.unit, options.order, options.tokenizer)
    if options.json:
        keys = ("dataset", "unit", "order")
        print(json.dumps({key: getattr(options, key) for key in keys} | result))
        return
    print(
        f"{options.dataset}, {options.order}-grams of {options.unit}s: "
        f"perplexity {result['perplexity']:.2f}, {result['bits']:.3f} bits per {options.unit} "
        f"({result['tokens']:,} test tokens, {result['unknown']:.1%} unknown; "
        f"trained on {result['train_tokens']:,}; vocabulary {result['vocabulary']:,})"
    )


if __name__ == "__main__":
    main()
