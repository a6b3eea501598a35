"""Folds: each part of the data is held out once, so that all of it says how good a model is."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from sklearn.model_selection import StratifiedGroupKFold

from zoo.errors import UserError
from zoo.task import is_whole

_FORM = re.compile(r"(all|[1-9]\d*)/([1-9]\d*)")
_SEED = 1

Example = TypeVar("Example")


def check_fold(fold: str) -> str:
    """Return a fold, if it is one: "2/5", "all/5", or "" for the usual splits.

    Raises:
        UserError: it is none.

    Example:
        >>> check_fold("2/5"), check_fold("all/5"), check_fold("")
        ('2/5', 'all/5', '')
    """
    if fold:
        parts = _FORM.fullmatch(fold)
        last = int(parts[2]) if parts else 0
        if last < 2 or not (is_whole(fold) or int(fold.split("/")[0]) <= last):
            raise UserError(f"fold is {fold!r}, but such as 2/5, the second of five, is needed")
    return fold


def held_out(
    keys: Sequence[str], labels: Sequence[str], fold: str, name: object, counted: str
) -> list[bool]:
    """Return whether each example is in a fold.

    Folds are about as large as one another, hold each class about as often, and none holds a part
    of the examples of one key. They do not depend on the order of the examples, but may on the
    version of scikit-learn.

    Args:
        keys: what each is told apart by, such as the person it is from, `[N]`.
        labels: the class of each, `[N]`.
        fold: such as "2/5".
        name: of the data set, for messages.
        counted: what keys are, in the plural.

    Raises:
        UserError: there are fewer keys than folds, or a class has a single one, so that it cannot
            be both learned and tested.

    Example:
        >>> people = ["ann", "ann", "bob", "bob", "cas", "cas", "dan", "dan"]
        >>> held = held_out(people, ["sit", "run"] * 4, "1/2", "moves.csv", "people")
        >>> sum(held), held[::2] == held[1::2]
        (4, True)
    """
    number, count = map(int, fold.split("/"))
    keys_of: dict[str, set[str]] = defaultdict(set)
    for key, label in zip(keys, labels, strict=True):
        keys_of[label].add(key)
    different = len(set(keys))
    if different < count:
        raise UserError(f"{name} has {different} different {counted}, too few for {count} folds")
    for label, those in keys_of.items():
        if len(those) < 2:
            raise UserError(
                f"{name} has one of the {counted} only with the class {label}, but folds need two: "
                "one to learn it and one to test it"
            )
    order = sorted(range(len(keys)), key=lambda place: (keys[place], labels[place]))
    rule = StratifiedGroupKFold(count, shuffle=True, random_state=_SEED)
    sorted_keys, sorted_labels = ([all_of[n] for n in order] for all_of in (keys, labels))
    parts = [part for _, part in rule.split(sorted_keys, sorted_labels, sorted_keys)]
    inside = {order[place] for place in parts[number - 1]}
    return [place in inside for place in range(len(keys))]


def set_apart(
    parts: Mapping[str, Sequence[Example]],
    fold: str,
    key: Callable[[Example], str],
    label: Callable[[Example], str],
    name: object,
    counted: str,
) -> dict[str, list[Example]]:
    """Return examples for training and for the test, which is a fold.

    What was for validation is pooled with what is for training. A test of the data's own is in no
    fold; it is that of a model that learns from all others.

    Args:
        parts: the examples of each split that there is, of "train" at least.
        fold: such as "2/5", or "all/5".
        key: see `held_out`.
        label: likewise.
        name: likewise.
        counted: likewise.

    Raises:
        UserError: as `held_out`.
    """
    pool = [*parts["train"], *parts.get("validation", ())]
    if is_whole(fold):
        return {"train": pool, "test": list(parts.get("test", ()))}
    out = held_out(
        [key(each) for each in pool], [label(each) for each in pool], fold, name, counted
    )
    return {
        "train": [each for each, is_out in zip(pool, out) if not is_out],
        "test": [each for each, is_out in zip(pool, out) if is_out],
    }


def check_own(fold: str, name: str) -> None:
    """Refuse folds of a data set by name, which is split already.

    Raises:
        UserError: there is a fold.
    """
    if fold:
        raise UserError(
            f"{name} is split already: folds are for data of one's own, a file or a folder"
        )


def check_part(fold: str, split: str, name: object) -> None:
    """Refuse an empty split of a model that learned from all examples.

    Raises:
        UserError: it is such a model.
    """
    if is_whole(fold):
        raise UserError(
            f"{name} has nothing for {split}: the model was trained on all of it, and is judged by "
            "its folds, see `zoo evaluate` of its run"
        )
