"""Shares clips out into train, validation and test, whole groups at a time."""

import sys
from collections import Counter, defaultdict
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tasks.common import splits as common
from tasks.common.folds import held_out
from tasks.common.splits import SPLITS
from tasks.video_classification.clip import Clip
from zoo.errors import UserError
from zoo.task import is_whole

_MANY = 30


def assign(clips: Sequence[Clip], name: str, fold: str = "") -> list[str]:
    """Return the split of each clip: its own, or one that is chosen.

    Each split that has no clips of its own gets a tenth of the groups, by a hash of each, see
    `tasks.common.splits.assign`. A class that has three groups of its own is in all splits, one of
    two groups has none in test, one of a single group is in train alone.

    Args:
        clips: all that there are, also those that cannot be read, so that mending one moves none.
        name: of the data set, for messages.
        fold: see `tasks.common.folds.set_apart`. A clip for the test by itself is in no split then,
            "", but where all others are for training.

    Raises:
        UserError: there are clips for the test alone; or too few groups for a validation.
    """
    own = [clip.split or "train" for clip in clips]
    if fold:
        own = ["train" if split == "validation" else split for split in own]
    if "train" not in own:
        raise UserError(f"{name} has no clips to train with, only {', '.join(sorted({*own}))}")
    if is_whole(fold):
        return own
    if fold:
        own = _with_fold(clips, own, fold, name)
    lacking = [split for split in SPLITS[1:] if split not in own]
    pool = [clip for clip, split in zip(clips, own) if split == "train"]
    sides = common.assign([c.group for c in pool], lacking, [c.label for c in pool])
    # A group is in the pool as a whole, or not at all.
    chosen = {clip.group: side for clip, side in zip(pool, sides)}
    splits = [chosen[c.group] if s == "train" else s for c, s in zip(clips, own)]
    if "validation" not in splits:
        raise UserError(
            f"{name} has too few clips of different sources for a validation split: a class of at "
            "least two is needed"
        )
    return splits


def _with_fold(clips: Sequence[Clip], own: Sequence[str], fold: str, name: str) -> list[str]:
    """Return the split of each clip, those of the fold for the test."""
    places = [place for place, split in enumerate(own) if split == "train"]
    groups, labels = ([getattr(clips[n], what) for n in places] for what in ("group", "label"))
    splits = ["train" if split == "train" else "" for split in own]
    for place, is_out in zip(places, held_out(groups, labels, fold, name, "sources")):
        if is_out:
            splits[place] = "test"
    return splits


def tell_counts(clips: Sequence[Clip], splits: Sequence[str], name: str) -> None:
    """Say on standard error how many clips of each class are in each split."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    groups: dict[str, set[str]] = defaultdict(set)
    for clip, split in zip(clips, splits):
        counts[clip.label][split] += 1
        groups[clip.label].add(clip.group)
    table = Table("class", *SPLITS, title=f"clips of {name}", title_justify="left")
    if len(counts) <= _MANY:
        for label in sorted(counts):
            table.add_row(label, *(str(counts[label][split]) for split in SPLITS))
    else:
        table.add_row(f"each of {len(counts)}", *(_range(counts, split) for split in SPLITS))
    table.add_row("all", *(str(sum(c[split] for c in counts.values())) for split in SPLITS))
    Console(stderr=True).print(table)
    taken = {*splits}
    if empty := [split for split in SPLITS if split not in taken]:
        print(
            f"{name}: no clips in {' and '.join(empty)}, where nothing can be measured then: a "
            "class of three sources or more has one in each split",
            file=sys.stderr,
        )
    for label in sorted(counts):
        if absent := [split for split in SPLITS if split in taken and not counts[label][split]]:
            print(
                f"{name}: no clip of {label} is in {' or '.join(absent)}: it has "
                f"{counts[label].total()} of {len(groups[label])} sources",
                file=sys.stderr,
            )


def _range(counts: dict[str, Counter[str]], split: str) -> str:
    numbers = [c[split] for c in counts.values()]
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low} to {high}"
