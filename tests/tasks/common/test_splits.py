from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.common.splits import SPLITS, assign, fill, name_without_split, side, split_named
from zoo.errors import UserError

KEYS = st.lists(st.text(max_size=6), min_size=3, max_size=40, unique=True)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.csv", "train"),
        ("TRAINING.tsv.gz", "train"),
        ("en_ewt-ud-train.conllu", "train"),
        ("Flickr_8k.trainImages.txt", "train"),
        ("tr.txt", "train"),
        ("tr_boun-ud-dev.conllu", "validation"),
        ("eng.testa", "validation"),
        ("testA.txt", "validation"),
        ("val2017", "validation"),
        ("Flickr_8k.devImages.txt", "validation"),
        ("devel", "validation"),
        ("eval", "validation"),
        ("eng.testb", "test"),
        ("tst2013.en", "test"),
        ("test_2016_flickr.de", "test"),
        ("flores.devtest", "test"),
        ("testing", "test"),
        ("latest.csv", None),
        ("contest", None),
        ("trains", None),
        ("validated.tsv", None),
        ("испытание.txt", None),
        ("", None),
    ],
)
def test_a_split_is_known_by_any_of_its_names(name, split):
    assert split_named(name) == split


def test_a_name_of_two_splits_is_refused():
    with pytest.raises(UserError, match=r"train_dev\.csv speaks of train and of validation"):
        split_named("train_dev.csv")


def test_parts_of_one_data_set_are_named_alike_without_their_split():
    parts = ("wiki.Train.tokens", "wiki.valid.tokens", "wiki.test.tokens", "wiki.tests.tokens")
    names = [name_without_split(name) for name in parts]
    assert names[:3] == ["wiki.*.tokens"] * 3 and names[3] == "wiki.tests.tokens"


@settings(max_examples=200, deadline=None)
@given(KEYS, st.data())
def test_what_was_learned_is_never_tested_when_examples_are_added(keys, data):
    """What its own hash put into train or held out stays so; only what was lent may go back."""
    before = dict(zip(keys, assign(keys)))
    more = data.draw(st.lists(st.text(max_size=6), max_size=20))
    mixed = data.draw(st.permutations([*keys, *more]))
    after = dict(zip(mixed, assign(mixed)))
    for key in keys:
        if before[key] == side(key):
            assert (after[key] == "train") == (before[key] == "train")


@settings(max_examples=200, deadline=None)
@given(KEYS, st.randoms())
def test_each_split_has_something_and_the_order_decides_nothing(keys, random):
    splits = dict(zip(keys, assign(keys)))
    assert set(splits.values()) == set(SPLITS)
    random.shuffle(keys)
    assert dict(zip(keys, assign(keys))) == splits


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("xy")), min_size=3))
def test_examples_of_one_key_are_never_on_two_sides(pairs):
    keys, labels = zip(*pairs)
    sides = {(key, split) for key, split in zip(keys, assign(keys, labels=labels))}
    assert len(sides) == len(set(keys))


def test_of_many_examples_a_tenth_is_held_out_for_each():
    counts = Counter(assign([str(n) for n in range(2000)]))
    assert 160 < counts["validation"] < 240 and 160 < counts["test"] < 240
    assert set(assign([str(n) for n in range(2000)], ["test"])) == {"train", "test"}


@pytest.mark.parametrize("count", range(1, 6))
def test_a_label_is_in_as_many_splits_as_it_has_keys(count):
    for number in range(100):
        keys = [f"{number} {n}" for n in range(count)]
        others = [f"other {number} {n}" for n in range(9)]
        splits = assign([*keys, *others], labels=["a"] * count + ["b"] * 9)
        assert [s for s in SPLITS if s in splits[:count]] == list(SPLITS[:count])


def test_only_what_is_lacking_is_taken_and_few_are_told(capsys):
    parts = {"train": [f"text {n}" for n in range(12)], "test": ["mine"]}
    filled = fill(parts, str, "reviews.tsv")
    assert filled["test"] == ["mine"] and filled["validation"]
    assert sorted(filled["train"] + filled["validation"]) == sorted(parts["train"])
    sizes = f"{len(filled['train'])} for train, {len(filled['validation'])} for validation"
    assert (
        f"reviews.tsv: its texts were split by a hash of each, {sizes}" in capsys.readouterr().err
    )
    assert fill(filled, str, "reviews.tsv") == filled and not capsys.readouterr().err


def test_too_few_examples_for_three_splits_are_refused_and_an_older_rule_is_told(capsys):
    with pytest.raises(UserError, match="a has 2 different texts and no validation and test"):
        fill({"train": ["x", "y", "x"]}, str, "a")
    fill({"train": [str(n) for n in range(200)]}, str, "a", rule="")
    assert "a: the model was trained when splits were made by another" in capsys.readouterr().err
