"""How right sequences of labels are, beside what they would be without a look at any picture."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from tasks.transcription.sequences import counted


def metrics(sums: np.ndarray) -> dict[str, float]:
    """Return the metrics of sums of rows of `scored`.

    - `exact_match`: the share of pictures all of whose labels are right, and no more are named.
    - `accuracy`: the share of places that are right, the end of a sequence among them.
    - `edit_distance`: labels that were to be added, left out or changed, for each label.

    Those of `naive/` are of answers that are the same for all pictures.

    Example:
        >>> values = metrics(np.array([4.0, 10.0, 8.0, 2.0, 9.0, 2.0, 1.0, 3.0, 7.0]))
        >>> values["exact_match"], values["accuracy"], values["naive/exact_match"]
        (0.5, 0.9, 0.25)
    """
    count, places, labels, *values = (float(part) for part in sums)
    names = ("exact_match", "accuracy", "edit_distance")
    each = dict(zip(names, (max(count, 1.0), max(places, 1.0), max(labels, 1.0))))
    return {
        f"{prefix}{name}": value / each[name]
        for prefix, own in (("", values[:3]), ("naive/", values[3:]))
        for name, value in zip(names, own)
    }


def drawn_metrics(sums: np.ndarray) -> dict[str, float]:
    """Return the same metrics of answers from drawn paths, by names of their own.

    Example:
        >>> drawn_metrics(np.array([4.0, 10.0, 8.0, 2.0, 9.0, 2.0, 1.0, 3.0, 7.0]))
        {'drawn/exact_match': 0.5, 'drawn/accuracy': 0.9, 'drawn/edit_distance': 0.25}
    """
    own = metrics(sums)
    return {f"drawn/{name}": value for name, value in own.items() if "/" not in name}


def scored(true: np.ndarray, answers: np.ndarray, train: np.ndarray, end: int) -> np.ndarray:
    """Return what each picture adds to the sums of `metrics`, `[N, 9]`.

    Args:
        true: labels `[N, S]`, padded with their end.
        answers: those of a model, `[N, S]`.
        train: labels for training `[M, S]`, of which the commonest sequence, and at each place the
            commonest label, are the naive answers.
        end: the class that ends a sequence.

    Example:
        >>> true = np.array([[1, 2, 9], [3, 9, 9]])
        >>> scored(true, np.array([[1, 2, 9], [3, 3, 9]]), true[:1], 9)[:, :6].tolist()
        [[1.0, 3.0, 2.0, 1.0, 3.0, 0.0], [1.0, 2.0, 1.0, 0.0, 1.0, 1.0]]
    """
    weights = counted(true, end)
    sequence = list(Counter(map(tuple, train.tolist())).most_common(1)[0][0])
    of_place = [
        Counter(column[used > 0].tolist()).most_common(1)[0][0]
        for column, used in zip(train.T, counted(train, end).T)
    ]
    rows = []
    for row, answer, used in zip(true, answers, weights):
        labels = before_end(row, end)
        own = _compared(labels, before_end(answer, end))
        right = float(((row == answer) * used).sum())
        naive = _compared(labels, before_end(sequence, end))
        by_place = float(((row == of_place) * used).sum())
        counts = [1.0, float(used.sum()), float(len(labels))]
        rows.append([*counts, own[0], right, own[1], naive[0], by_place, naive[1]])
    return np.array(rows)


def before_end(labels: Sequence[int], end: int) -> list[int]:
    """Return the labels of a sequence, without its end and what is after it.

    Example:
        >>> before_end([4, 2, 9, 1], 9)
        [4, 2]
    """
    labels = [int(label) for label in labels]
    return labels[: labels.index(end)] if end in labels else labels


def _compared(true: list[int], answer: list[int]) -> tuple[float, float]:
    """Return whether two sequences are the same, and how many edits apart they are."""
    return float(true == answer), float(edit_distance(true, answer))


def edit_distance(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many labels have to be added, left out or changed to make one the other.

    Example:
        >>> edit_distance([1, 2, 3], [2, 3, 4]), edit_distance([], [5])
        (2, 1)

    Source: V. Levenshtein 1966, Binary codes capable of correcting deletions, insertions, and
    reversals.
    """
    row = list(range(len(other) + 1))
    for n, label in enumerate(one, start=1):
        before, row = row, [n]
        for m, candidate in enumerate(other):
            row.append(min(before[m] + (label != candidate), before[m + 1] + 1, row[m] + 1))
    return row[-1]
