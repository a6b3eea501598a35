"""Which examples are for training, for validation and for the test: one table of names, one rule.

What a person has split already is known by its name, see `split_named`. What is not split is
assigned by a hash, see `assign`, so that it stays where it is when more comes.
"""

import hashlib
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice, product
from pathlib import Path
from typing import TypeVar

from tasks.common.folds import set_apart
from zoo.errors import UserError
from zoo.task import is_whole

SPLITS = ("train", "validation", "test")

RULE = "hash"
"""The rule of `assign`, as a run records it."""

_NAMES = {
    "train": "train training trn trainset restval",
    "validation": "validation valid validate val dev devel development eval evaluation testa "
    "validset valset devset evalset newsdev",
    "test": "test testing tst testb testset devtest newstest",
}
_KNOWN = {name: split for split, names in _NAMES.items() for name in names.split()}
# Turkish, too: `tr_boun-ud-dev.conllu`.
_WEAK = {"tr": "train"}
# Letters in a row; `devImages` is two words, `testA` is one.
_WORD = re.compile(r"[^\W\d_]+?(?:(?<=[a-z])(?=[A-Z][a-z])|(?![^\W\d_]))")

_SHARE = 0.1
# Where on the line of hashes each split lies: those that are held out at its ends.
_PLACES = {"train": 0.5, "validation": 0.0, "test": 1.0}
_FEW = 10

Example = TypeVar("Example")


def split_named(name: str) -> str | None:
    """Return the split that the name of a file, a folder, or a cell of a table speaks of.

    Args:
        name: in any case; words are set apart by anything but letters, or by capital letters.

    Returns:
        "train", "validation" or "test"; None where the name speaks of none.

    Raises:
        UserError: it speaks of two.

    Example:
        >>> names = ["eng.testa", "Flickr_8k.devImages.txt", "val2017", "captions", "latest.txt"]
        >>> [split_named(name) for name in names]
        ['validation', 'validation', 'validation', None, None]
    """
    splits = {(_KNOWN | _WEAK)[word] for word in split_words(name)}
    if len(splits) > 1:
        raise UserError(
            f"the name {name} speaks of {' and of '.join(sorted(splits))}: rename it after one"
        )
    return splits.pop() if splits else None


def split_written(cell: str, place: str) -> str:
    """Return the split that a cell of a table names, "" for none.

    Raises:
        UserError: it names another thing.
    """
    split = split_named(cell) or ""
    if cell and not split:
        raise UserError(f"{place} has the split {cell!r}: use train, validation or test")
    return split


def by_split_named(paths: Iterable[Path]) -> dict[str, Path]:
    """Return files or folders by the split that their names speak of.

    Raises:
        UserError: two speak of one.
    """
    parts: dict[str, Path] = {}
    for path in sorted(paths):
        split = split_named(path.name)
        if split and parts.setdefault(split, path) != path:
            raise UserError(
                f"{path.parent} has {parts[split].name} and {path.name} for {split}: keep one"
            )
    return parts


def split_words(name: str) -> list[str]:
    """Return the words of a name that speak of a split, in lower case.

    Example:
        >>> split_words("en_ewt-ud-Train.conllu"), split_words("contest.csv")
        (['train'], [])
    """
    words = [word.lower() for word in _WORD.findall(name)]
    return [word for word in words if word in _KNOWN] or [word for word in words if word in _WEAK]


def name_without_split(name: str) -> str:
    """Return a name in lower case with `*` for what speaks of a split: equal for the parts of one
    data set.

    Example:
        >>> name_without_split("ptb.train.txt"), name_without_split("ptb.valid.txt")
        ('ptb.*.txt', 'ptb.*.txt')
    """
    words = set(split_words(name))
    return _WORD.sub(lambda word: "*" if word[0].lower() in words else word[0], name).lower()


def side(key: str, lacking: Sequence[str] = SPLITS[1:]) -> str:
    """Return the split that the hash of a key alone decides: a tenth for each one of `lacking`.

    Example:
        >>> side("a.txt"), side("b.txt"), side("b.txt", lacking=["validation"])
        ('validation', 'test', 'train')
    """
    return _side(_number(key), lacking)


def file_keys(files: Sequence[Path], names: Sequence[str], where: object) -> list[str]:
    """Return a key for `assign` of each file: its name, or that of the first one that is equal.

    So copies are never in two splits, whatever they are called, and a file that is mended keeps
    its key. Where most files are copies of others, only names tell them apart, which is told on
    standard error.

    Args:
        files: files, or folders of the frames of a clip.
        names: of each file, in the data set.
        where: what they are of, for the message.
    """
    sizes = [_sizes(file) for file in files]
    several = Counter(sizes)
    first: dict[tuple[tuple[int, ...], str], str] = {}
    keys = []
    for file, name, size in zip(files, names, sizes, strict=True):
        alone = several[size] == 1 or not any(size)
        keys.append(name if alone else first.setdefault((size, _content(file)), name))
    copies = sum(key != name for key, name in zip(keys, names))
    if not keys or 2 * copies < len(keys):
        return keys
    print(
        f"{where}: {copies} of its {len(keys)} files are copies of others: they are told apart by "
        "name, so that the same may be learned and tested",
        file=sys.stderr,
    )
    return [*names]


def _sizes(path: Path) -> tuple[int, ...]:
    return tuple(file.stat().st_size if file.is_file() else 0 for file in _inside(path))


def _content(path: Path) -> str:
    """Return a hash of what a file holds, or the files of a folder; their names, if unreadable."""
    digest = hashlib.sha256()
    for file in _inside(path):
        try:
            with file.open("rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
        except OSError:
            digest.update(str(file).encode())
    return digest.hexdigest()


def _inside(path: Path) -> list[Path]:
    return sorted(file for file in path.iterdir()) if path.is_dir() else [path]


def assign(
    keys: Sequence[str],
    lacking: Sequence[str] = SPLITS[1:],
    labels: Sequence[str] | None = None,
) -> list[str]:
    """Return the split of each example, by a hash of its key.

    Each split of `lacking` gets a tenth of all keys: those whose hash falls into its part of the
    line, validation at its beginning and the test at its end. Examples of one key stay together.

    Few examples may all miss a part. Then a key is lent to it: one that the other held-out split
    can spare, else the nearest of train. So of three keys or more each split has one, and these
    hold for as long as examples are only added:

    - what is in train stays there, so that nothing that was learned is ever tested;
    - what is held out by its own hash never comes to train; between validation and test it may
      move while one of them has no key of its own;
    - a key that train has lent goes back as soon as the part has a key of its own.

    Only if all keys (of a label) miss train, a chance of 0.8% with three and of one in ten million
    with ten, or if there are but two, may one that is lent to train leave it again.

    Args:
        keys: what each example is told apart by: its text, or the source, the speaker or the
            document that it was taken from; of files see `file_keys`.
        lacking: the splits that have no examples of their own yet; train gives up some for each.
        labels: a class of each example, to lend keys for each label by itself, so that it is in
            all splits if it has three keys. A label of two keys is not in the last of `lacking`, a
            label of one is in train alone.

    Example:
        >>> assign(["b", "a", "c", "b"])
        ['train', 'test', 'validation', 'train']
    """
    of_key: dict[str, set[str]] = defaultdict(set)
    keys_of: dict[str, set[str]] = defaultdict(set)
    for key, label in zip(keys, labels or [""] * len(keys), strict=True):
        of_key[key].add(label)
        keys_of[label].add(key)
    place = {key: _number(key) for key in of_key}
    sides = {key: _side(number, lacking) for key, number in place.items()}

    def spare(key: str) -> bool:
        """Return whether each of its labels has another key in the same split."""
        return all(
            any(sides[other] == sides[key] for other in keys_of[label] - {key})
            for label in of_key[key]
        )

    order = ["train", *lacking]
    for split, label in product(order, sorted(keys_of)):
        if any(sides[key] == split for key in keys_of[label]):
            continue

        def order_of_lending(key: str, split: str = split) -> tuple[bool, float]:
            # What is held out already is lent first: train, once it grows, gives up nothing of
            # what it had.
            held_out = sides[key] in lacking and spare(key)
            return not held_out, abs(place[key] - _PLACES[split])

        nearest = sorted(keys_of[label], key=order_of_lending)
        # What a later split loses it makes up for when its turn comes.
        free = (k for k in nearest if order.index(sides[k]) > order.index(split) or spare(k))
        sides.update(dict.fromkeys(islice(free, 1), split))
    return [sides[key] for key in keys]


def fill(
    parts: Mapping[str, Sequence[Example]],
    key: Callable[[Example], str],
    name: str,
    counted: str = "texts",
    label: Callable[[Example], str] | None = None,
    rule: str = RULE,
    fold: str = "",
) -> dict[str, list[Example]]:
    """Return all three splits: for each that is lacking, train gives up a tenth, see `assign`.

    With a fold the test is that one; with "all/5" nothing is given up, and splits that are
    lacking are empty.

    On standard error it is told where this leaves few examples to judge by.

    Args:
        parts: the examples of each split, of "train" at least.
        key: what examples are told apart by.
        name: of the data set, for messages.
        counted: what the examples are, in the plural.
        label: the class of an example, if each is to be in all splits.
        rule: that of the run that asks, see `tell_rule`.
        fold: see `tasks.common.folds.set_apart`; it needs a label.

    Raises:
        UserError: there are too few for three splits.
    """
    if fold and label:
        parts = set_apart(parts, fold, key, label, name, counted)
    whole = {split: list(parts.get(split, ())) for split in SPLITS}
    lacking = [split for split in SPLITS[1:] if not whole[split]]
    if not lacking or is_whole(fold):
        return whole
    keys = [key(each) for each in whole["train"]]
    needed = 1 + len(lacking)
    if len(set(keys)) < needed:
        raise UserError(
            f"{name} has {len(set(keys))} different {counted} and no {' and '.join(lacking)} of "
            f"its own: at least {needed} are needed to take some from those for training"
        )
    labels = None if label is None else [label(each) for each in whole["train"]]
    pool, whole["train"] = whole["train"], []
    for each, split in zip(pool, assign(keys, lacking, labels)):
        whole[split].append(each)
    if empty := [split for split in lacking if not whole[split]]:
        raise UserError(
            f"{name} has no {counted} for {' and '.join(empty)}, and too few to take some from "
            f"those for training: one label at least needs {needed} different ones"
        )
    tell_rule(rule, name)
    tell_few(whole, lacking, name, counted)
    return whole


def tell_few(
    parts: Mapping[str, Sequence[object]], lacking: Iterable[str], name: str, counted: str
) -> None:
    """Print on standard error how many examples each split has, if those taken from train are few.

    Args:
        parts: the examples of each split.
        lacking: the splits that were taken from train.
        name: of the data set.
        counted: what the examples are, in the plural.
    """
    if any(len(parts[split]) < _FEW for split in lacking):
        sizes = ", ".join(f"{len(parts[split])} for {split}" for split in SPLITS)
        print(
            f"{name}: its {counted} were split by a hash of each, {sizes}: so few say little of "
            "how good a model is",
            file=sys.stderr,
        )


def tell_rule(rule: str, name: str) -> None:
    """Print on standard error that a run of before had other splits, if its rule was another."""
    if rule != RULE:
        print(
            f"{name}: the model was trained when splits were made by another rule; what is "
            "validation and test now may have been for training then",
            file=sys.stderr,
        )


def by_split(rows: Iterable[tuple[Example, str, str]]) -> dict[str, list[Example]]:
    """Return examples by what they say of their split; those that say nothing are for training.

    Args:
        rows: of each example itself, what it says, such as "dev", and where it stands.

    Raises:
        UserError: what one says is no split.

    Example:
        >>> by_split([("a", "", "line 1"), ("b", "dev", "line 2")])
        {'train': ['a'], 'validation': ['b']}
    """
    parts: dict[str, list[Example]] = {"train": []}
    for each, text, place in rows:
        split = split_named(text) if text else "train"
        if split is None:
            raise UserError(
                f"{place} has the split {text!r}, but train, validation or test is needed"
            )
        parts.setdefault(split, []).append(each)
    return parts


def _side(number: float, lacking: Sequence[str]) -> str:
    near = (split for split in lacking if abs(number - _PLACES[split]) < _SHARE)
    return next(near, "train")


def _number(key: str) -> float:
    """Return the hash of a key, 0..1."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return int(digest[:12], 16) / 16**12
