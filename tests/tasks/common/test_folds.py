"""Each example is held out once, with all that belongs to it."""

from collections import Counter
from itertools import chain

import numpy as np
import pytest

from tasks.common.folds import check_fold, held_out
from tasks.common.images import encode_png
from tasks.image_classification.pictures import read_pictures
from tasks.text_classification.sources import read_texts
from tasks.video_classification.clip import Clip
from tasks.video_classification.splits import assign
from zoo.errors import UserError

FOLDS = [f"{number}/3" for number in (1, 2, 3)]


def places(keys, labels, fold):
    return set(np.flatnonzero(held_out(keys, labels, fold, "data", "people")))


def test_folds_part_the_data_by_groups_each_with_every_class():
    keys = [f"person {n % 9}" for n in range(90)]
    labels = ["common" if n % 10 else "rare" for n in range(90)]
    folds = [places(keys, labels, fold) for fold in FOLDS]
    assert sorted(chain(*folds)) == list(range(90))
    people = [{keys[place] for place in fold} for fold in folds]
    assert sum(map(len, people)) == 9
    for fold in folds:
        count = Counter(labels[place] for place in fold)
        assert len(fold) == 30 and 2 <= count["rare"] <= 4


def test_folds_do_not_depend_on_the_order_of_the_data():
    keys, labels = [f"k{n}" for n in range(20)], ["a", "b"] * 10
    turned = list(reversed(range(20)))
    for fold in FOLDS:
        others = places([keys[n] for n in turned], [labels[n] for n in turned], fold)
        assert places(keys, labels, fold) == {turned[place] for place in others}


def test_what_cannot_be_parted_is_refused():
    with pytest.raises(UserError, match="2 different people, too few for 3 folds"):
        held_out(["a", "b"], ["x", "x"], "1/3", "data", "people")
    with pytest.raises(UserError, match="one of the people only with the class rare"):
        held_out(["a", "b", "c"], ["x", "x", "rare"], "1/2", "data", "people")
    for wrong in ("0/3", "4/3", "1/1", "all", "all/1", "half", "1/3 "):
        with pytest.raises(UserError, match="such as 2/5"):
            check_fold(wrong)


def text_file(folder):
    path = folder / "notes.csv"
    rows = [f"note {n} of {label},{label},p{n % 6},{'test' if n == 11 else ''}"
            for n in range(12) for label in ("good", "bad")]  # fmt: skip
    path.write_text("\n".join(["text,label,group,split", *rows]))
    return path


def texts(path, fold):
    parts = read_texts(str(path), None, fold=fold)
    return {split: {each.text for each in those} for split, those in parts.items()}


def test_texts_of_a_test_of_their_own_are_in_no_fold(tmp_path):
    path = text_file(tmp_path)
    own = {"note 11 of good", "note 11 of bad"}
    tested = [texts(path, fold)["test"] for fold in FOLDS]
    everything = texts(path, "all/3")
    assert everything["test"] == own and not everything["validation"]
    assert set().union(*tested) == everything["train"] and len(everything["train"]) == 22
    for fold in FOLDS:
        parts = texts(path, fold)
        assert sum(map(len, parts.values())) == 22 and parts["validation"]
        assert not own & set().union(*parts.values())


def test_pictures_and_clips_have_folds(tmp_path):
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for number in range(6):
            pixels = np.random.default_rng(number).integers(0, 255, [4, 4, 3], "uint8")
            png = encode_png(pixels + (label == "dog"))
            (tmp_path / label / f"{number}.png").write_bytes(png)
    folds = [read_pictures(tmp_path, fold=fold) for fold in FOLDS]
    tested = [each.source for parts in folds for each in parts["test"]]
    assert len(tested) == len({*tested}) == 12
    everything = read_pictures(tmp_path, fold="all/3")
    assert [len(part) for part in everything.values()] == [12, 0, 0]

    clips = [Clip(tmp_path / str(n), "ab"[n % 2], "", f"g{n // 2}") for n in range(12)]
    splits = [assign(clips, "clips", fold) for fold in FOLDS]
    assert [sum(each[n] == "test" for each in splits) for n in range(12)] == [1] * 12
    assert all("validation" in each for each in splits)
    assert {*assign(clips, "clips", "all/3")} == {"train"}
