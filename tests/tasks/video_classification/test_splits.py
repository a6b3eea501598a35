from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tasks.video_classification.clip import Clip
from tasks.video_classification.splits import assign, tell_counts
from zoo import UserError


def clips_of(label, groups, split=""):
    """Clips of a class, as many of each group as is told."""
    return [
        Clip(Path(f"{label}{group}_{n}"), label, split, f"{label}{group}")
        for group, count in enumerate(groups)
        for n in range(count)
    ]


def counts(clips, splits):
    return Counter(zip((clip.label for clip in clips), splits))


def test_a_tenth_of_each_class_is_held_out_and_a_clip_of_three():
    clips = clips_of("a", [1] * 400) + clips_of("b", [1] * 200) + clips_of("c", [1] * 3)
    found = counts(clips, assign(clips, "x"))
    for split in ("validation", "test"):
        assert 28 <= found["a", split] <= 52 and 12 <= found["b", split] <= 28
        assert found["c", split] == found["c", "train"] == 1


def test_a_clip_that_was_trained_with_stays_in_train_when_others_come():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        clips = clips_of(f"a{seed}", [1] * 60) + clips_of(f"b{seed}", [2] * 20)
        clips = [clips[index] for index in rng.permutation(len(clips))]
        before = {}
        for count in range(30, len(clips) + 1, 3):
            splits = assign(clips[:count], "x")
            for clip, split in zip(clips, splits):
                assert not (before.get(clip.group) == "train" and split != "train")
                before[clip.group] = split


@pytest.mark.parametrize("count", range(1, 7))
def test_a_small_class_is_in_as_many_splits_as_it_has_groups(count):
    for number in range(200):
        label = f"{number} "
        clips = clips_of("more", [1] * 9) + clips_of(label, [1] * count)
        found = counts(clips, assign(clips, "x"))
        given = [split for split in ("train", "validation", "test") if found[label, split]]
        assert given == ["train", "validation", "test"][:count]


@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_in_two_splits_and_classes_keep_their_shares(seed):
    rng = np.random.default_rng(seed)
    clips = [c for label in "abcd" for c in clips_of(label, rng.integers(4, 8, 100))]
    # People who do several things: their clips of all classes stay together.
    clips += [Clip(Path(f"{p}{c}"), c, "", f"person{p}") for p in range(80) for c in "abcd"]
    splits = assign(clips, "x")
    sides = {clip.group: set() for clip in clips}
    for clip, split in zip(clips, splits):
        sides[clip.group].add(split)
    assert all(len(side) == 1 for side in sides.values())
    for (_, split), count in counts(clips, splits).items():
        share = count / (len(clips) / 4)
        assert 0.03 < share < 0.2 or (split == "train" and 0.7 < share < 0.9)


def test_the_order_of_the_files_decides_nothing():
    clips = clips_of("a", [2] * 20) + clips_of("b", [1] * 30)
    splits = dict(zip(clips, assign(clips, "x")))
    turned = clips[::-1]
    assert dict(zip(turned, assign(turned, "x"))) == splits
    assert [splits[clip] for clip in clips] != sorted(splits.values())


def test_only_splits_that_are_lacking_are_taken_from_train():
    clips = clips_of("a", [1] * 20, "train") + clips_of("b", [1] * 20, "train")
    clips += clips_of("a2", [1], "test")
    splits = assign(clips, "x")
    assert 1 <= counts(clips, splits)["a", "validation"] <= 5
    assert splits.count("test") == 1 and splits[-1] == "test"


def test_a_class_with_one_clip_is_trained_and_told(capsys):
    clips = clips_of("a", [1] * 10) + clips_of("rare", [1]) + clips_of("two", [1, 1])
    splits = assign(clips, "my_folder")
    assert [splits[10], *sorted(splits[11:])] == ["train", "train", "validation"]
    tell_counts(clips, splits, "my_folder")
    said = capsys.readouterr().err
    assert "my_folder: no clip of rare is in validation or test: it has 1 of 1 sources" in said
    assert "my_folder: no clip of two is in test: it has 2 of 2 sources" in said
    last = next(line for line in said.splitlines() if "│ all" in line)
    numbers = [str(splits.count(split)) for split in ("train", "validation", "test")]
    assert [cell.strip() for cell in last.split("│")[1:5]] == ["all", *numbers]


def test_clips_of_single_sources_alone_cannot_be_shared_out():
    clips = clips_of("a", [9]) + clips_of("b", [3])
    with pytest.raises(UserError, match="my_folder has too few clips of different sources"):
        assign(clips, "my_folder")
    with pytest.raises(UserError, match="no clips to train with, only test"):
        assign(clips_of("a", [1, 1], "test"), "x")
