"""Entities in a row of tags: which words, and of what kind."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

ENTITY = re.compile(r"O|[BIESLU]-.+")


class Span(NamedTuple):
    """An entity of a kind: the words from `begin` to before `end`."""

    kind: str
    begin: int
    end: int


def are_entities(tags: Iterable[str]) -> bool:
    """Return whether tags are those of entities, each `O`, or a letter, a hyphen and a kind.

    Example:
        >>> are_entities(["O", "B-LOC"]), are_entities(["NOUN", "-LRB-"]), are_entities(["O"])
        (True, False, False)
    """
    tags = set(tags)
    return all(map(ENTITY.fullmatch, tags)) and not tags <= {"O"}


def spans(tags: Sequence[str]) -> list[Span]:
    """Return the entities in a sentence's tags, as conlleval finds them.

    `B-`, or `S-` or `U-`, starts one. So does any other letter after `O`, after another kind, or
    after an end, `E-`, `L-`, `S-` or `U-`: no tag is passed over.

    Example:
        >>> spans(["B-LOC", "I-LOC", "I-PER", "O"])
        [Span(kind='LOC', begin=0, end=2), Span(kind='PER', begin=2, end=3)]

    Source: E. Tjong Kim Sang and F. De Meulder, "Introduction to the CoNLL-2003 shared task",
    2003, section 2.3, and its script's rules.
    """
    entities, kind, begin, ended = [], "", 0, True
    for place, tag in enumerate([*tags, "O"]):
        letter, _, new = tag.partition("-")
        starts = bool(new) and (letter in "BSU" or ended or new != kind)
        if kind and (starts or not new):
            entities.append(Span(kind, begin, place))
        if starts:
            begin = place
        kind, ended = new, not new or letter in "ELSU"
    return entities


def to_bio(tags: Sequence[str]) -> list[str]:
    """Return tags of entities in the scheme BIO, from IOB1, IOBES, BILOU or BIO; others unchanged.

    In BIO an entity is `B-kind`, then `I-kind` for each further word.

    Example:
        >>> to_bio(["I-LOC", "I-LOC", "B-LOC", "O", "S-PER", "B-ORG", "E-ORG"])
        ['B-LOC', 'I-LOC', 'B-LOC', 'O', 'B-PER', 'B-ORG', 'I-ORG']
    """
    if not are_entities(tags):
        return list(tags)
    written = ["O"] * len(tags)
    for kind, begin, end in spans(tags):
        written[begin:end] = [f"B-{kind}"] + [f"I-{kind}"] * (end - begin - 1)
    return written


def entity_metrics(
    true: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]]
) -> dict[str, float]:
    """Compute `f1`, `precision` and `recall` of entities, and `f1/kind` of each kind.

    An entity is right if its kind and all its words are.

    Example:
        >>> entity_metrics([["B-A", "I-A", "B-C"]], [["B-A", "O", "B-C"]])["f1"]
        0.5
    """
    rows = list(zip(true, predicted, strict=True))
    kinds = kinds_in(tag for pair in rows for row in pair for tag in row)
    return count_metrics(kinds, np.sum([span_counts(kinds, *pair) for pair in rows], axis=0))


def kinds_in(tags: Iterable[str]) -> list[str]:
    """Return the kinds of entities that tags name, sorted."""
    return sorted({tag.partition("-")[2] for tag in tags} - {""})


def span_counts(kinds: Sequence[str], true: Sequence[str], predicted: Sequence[str]) -> np.ndarray:
    """Count the entities of each kind in a sentence: right, predicted, and true, `[3 kinds]`."""
    one, other = set(spans(true)), set(spans(predicted))
    counts = (Counter(span.kind for span in members) for members in (one & other, other, one))
    return np.array([count[kind] for count in counts for kind in kinds])


def count_metrics(kinds: Sequence[str], counts: np.ndarray) -> dict[str, float]:
    """Compute the metrics of `entity_metrics` from summed `span_counts`."""
    right, answered, real = (part.tolist() for part in np.reshape(counts, (3, len(kinds))))
    metrics = {
        "f1": _f1(sum(right), sum(answered), sum(real)),
        "precision": sum(right) / max(1, sum(answered)),
        "recall": sum(right) / max(1, sum(real)),
    }
    each = {
        f"f1/{k}": _f1(*counts) for k, *counts in zip(kinds, right, answered, real) if counts[2]
    }
    return {**metrics, **each}


def _f1(right: float, answered: float, real: float) -> float:
    return 2 * right / max(1, answered + real)
