import pytest
import tensorflow_datasets as tfds

from tasks.translation.addition import SIZES, Addition, sums


@pytest.fixture(scope="module")
def found():
    return sums(2)


def test_every_target_is_the_sum_of_its_source(found):
    for members in found.values():
        for source, target in members:
            a, b = source.split("+")
            assert str(int(a) + int(b)) == target and max(len(a), len(b)) <= 2


def test_no_two_numbers_are_added_twice_in_either_order(found):
    pairs = [
        tuple(sorted(map(int, source.split("+"))))
        for members in found.values()
        for source, _ in members
    ]
    assert len(set(pairs)) == len(pairs) == SIZES[2]


def test_short_numbers_are_not_rare_in_any_split():
    for members in sums(3).values():
        lengths = [len(number) for source, _ in members for number in source.split("+")]
        # Numbers drawn evenly from 0..999 have one digit in 1 % of all cases.
        assert lengths.count(1) / len(lengths) > 0.05 < lengths.count(2) / len(lengths)


def test_a_config_is_loaded_by_name_and_prepared_alike_twice(tmp_path):
    rows = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        builder = tfds.builder("addition/1", data_dir=folder)
        assert isinstance(builder, Addition)
        builder.download_and_prepare()
        rows.append([row["source"] for row in tfds.as_numpy(builder.as_dataset("train"))])
    assert rows[0] == rows[1]
    assert {source.decode() for source in rows[0]} == {source for source, _ in sums(1)["train"]}
