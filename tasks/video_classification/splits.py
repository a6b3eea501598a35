"""Shares clips out into train, validation and test, whole groups at a time."""

import hashlib
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tasks.video_classification.sources import SPLITS, Clip
from zoo.errors import UserError

_SHARE = 0.1
_MANY = 30


def assign(clips: Sequence[Clip], name: str) -> list[str]:
    """The split of each clip: its own, or one that is chosen.

    Each split that has no clips of its own gets a tenth of every class, as near as whole groups
    let it, and at least one group where the class has three. A class of two groups has none in
    test, one of a single group is in train alone. The same clips are always shared out alike, and
    not by the order of their names.

    Args:
        clips: all that can be read.
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
    members: dict[str, Counter[str]] = defaultdict(Counter)
    for clip in pool:
        members[clip.group][clip.label] += 1
    wanted = _wanted(members, lacking)
    filled: Counter[tuple[str, str]] = Counter()
    chosen = {}

    def need(group: str, split: str) -> float:
        """How much of what the group's classes are to have in a split they lack there."""
        return sum(
            count * (1 - filled[label, split] / wanted[label, split])
            if wanted[label, split]
            else -float("inf")
            for label, count in members[group].items()
        )

    # Large groups first, as small ones even out what those leave.
    for group in sorted(members, key=lambda g: (-members[g].total(), _number(g))):
        split = max(["train", *lacking], key=lambda split: need(group, split))
        chosen[group] = split
        for label, count in members[group].items():
            filled[label, split] += count
    return chosen


def _wanted(
    members: dict[str, Counter[str]], lacking: Sequence[str]
) -> dict[tuple[str, str], float]:
    """How many clips of each class each split is to have."""
    groups: Counter[str] = Counter()
    clips: Counter[str] = Counter()
    for counts in members.values():
        groups.update(counts.keys())
        clips.update(counts)
    wanted = {}
    for label, total in clips.items():
        left = groups[label] - 1
        for split in lacking:
            wanted[label, split] = max(1.0, _SHARE * total) if left > 0 else 0.0
            left -= 1
        taken = sum(wanted[label, split] for split in lacking)
        wanted[label, "train"] = max(total - taken, 1.0)
    return wanted


def _number(group: str) -> str:
    """What to order groups by: as good as random, but always the same."""
    return hashlib.sha256(group.encode()).hexdigest()


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
