"""Shares clips out into train, validation and test, whole groups at a time."""

import hashlib
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import islice, product

from rich.console import Console
from rich.table import Table

from tasks.video_classification.sources import SPLITS, Clip
from zoo.errors import UserError

_SHARE = 0.1
# Where on the line of hashes each split lies: those held out at its ends.
_PLACES = {"train": 0.5, "validation": 0.0, "test": 1.0}
_MANY = 30


def assign(clips: Sequence[Clip], name: str) -> list[str]:
    """The split of each clip: its own, or one that is chosen.

    Each split that has no clips of its own gets a tenth of the groups: those whose hash falls into
    its part. A class that has none there gives its group of the nearest hash, so that it is in all
    splits if it has three groups of its own. A class of two groups has none in test, one of a
    single group is in train alone.

    So a group stays where it is when others are added, and a run is never tested on what it was
    trained with. Only in a class that had fewer than three groups, or whose hashes by a rare chance
    (a percent with three groups) are all in the parts held out, may one leave train.

    Args:
        clips: all that there are, also those that cannot be read, so that mending one moves none.
        name: of the data set, for messages.

    Raises:
        UserError: there are clips for the test alone; or too few groups for a validation.
    """
    lacking = [s for s in SPLITS if s != "train" and s not in {clip.split for clip in clips}]
    given = [clip.split or "train" for clip in clips]
    pool = [clip for clip, split in zip(clips, given) if split == "train"]
    if not pool:
        raise UserError(f"{name} has no clips to train with, only {', '.join(sorted({*given}))}")
    chosen = _share_out(pool, lacking)
    # A group is in the pool as a whole, or not at all.
    splits = [chosen[c.group] if s == "train" else s for c, s in zip(clips, given)]
    if "validation" not in splits:
        raise UserError(
            f"{name} has too few clips of different sources for a validation split: a class of at "
            "least two is needed"
        )
    return splits


def _share_out(pool: Sequence[Clip], lacking: Sequence[str]) -> dict[str, str]:
    """The split of each group."""
    classes: dict[str, set[str]] = defaultdict(set)
    groups: dict[str, set[str]] = defaultdict(set)
    for clip in pool:
        classes[clip.group].add(clip.label)
        groups[clip.label].add(clip.group)
    at = {group: _number(group) for group in classes}
    chosen = {group: _part(number, lacking) for group, number in at.items()}

    def spare(group: str) -> bool:
        """Whether each of its classes has another in the same split."""
        return all(
            any(chosen[other] == chosen[group] for other in groups[label] - {group})
            for label in classes[group]
        )

    order = ["train", *lacking]
    for split, label in product(order, sorted(groups)):
        own = sorted(groups[label], key=lambda group: abs(at[group] - _PLACES[split]))
        if any(chosen[group] == split for group in own):
            continue
        # What a later split loses it makes up for when its turn comes.
        free = (g for g in own if order.index(chosen[g]) > order.index(split) or spare(g))
        chosen.update(dict.fromkeys(islice(free, 1), split))
    return chosen


def _part(number: float, lacking: Sequence[str]) -> str:
    near = (split for split in lacking if abs(number - _PLACES[split]) < _SHARE)
    return next(near, "train")


def _number(group: str) -> float:
    """Its hash, 0..1."""
    return int(hashlib.sha256(group.encode()).hexdigest()[:12], 16) / 16**12


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
    for label in sorted(counts):
        if absent := [split for split in SPLITS if not counts[label][split]]:
            print(
                f"{name}: no clip of {label} is in {' or '.join(absent)}: it has "
                f"{counts[label].total()} of {len(groups[label])} sources",
                file=sys.stderr,
            )


def _range(counts: dict[str, Counter[str]], split: str) -> str:
    numbers = [c[split] for c in counts.values()]
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low} to {high}"
