from itertools import chain

import pytest

from tasks.common.sources import is_path, open_source, own_path, whole_path
from zoo.errors import UserError


@pytest.mark.parametrize(
    ("dataset", "path"),
    [
        ("imdb_reviews", False),
        ("glue/sst2", False),
        ("mnist:3.0.1", False),
        ("./imdb_reviews", True),
        ("../reviews", True),
        (".", True),
        ("~/reviews", True),
        ("~nobody", True),
        ("/data/reviews", True),
        ("reviews.csv", True),
        ("Reviews.TSV.GZ", True),
        ("train.conllu", True),
        ("there", True),
        ("bundled", False),
        ("./bundled", True),
    ],
)
def test_a_name_and_a_path_are_told_apart(tmp_path, monkeypatch, dataset, path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "bundled").mkdir()
    assert is_path(dataset, "bundled") is path
    whole = whole_path(dataset, "bundled")
    assert whole == dataset if not path else whole.startswith(("/", "~"))


@pytest.mark.parametrize("dataset", ["", " "])
def test_an_empty_name_is_refused(dataset):
    with pytest.raises(UserError, match="the name of the data set is empty"):
        whole_path(dataset)


@pytest.mark.parametrize("dataset", ["./gone", "~nobody/x", "gone.csv", "/gone/a"])
def test_a_path_where_nothing_is_is_refused_and_not_taken_for_a_name(dataset):
    with pytest.raises(UserError, match=f"there is no file or folder {dataset}"):
        own_path(dataset)


def test_a_source_gives_three_splits_of_a_path_or_a_name(tmp_path):
    words = [f"word {n}" for n in range(100)]
    path = tmp_path / "words.txt"
    path.write_text("\n".join(words))

    def from_path(path):
        return {"train": path.read_text().split("\n")}

    def from_name(split):
        return [f"{split} {n}" for n in range(2)]

    own = open_source(str(path), from_path, from_name, str, "words")
    assert sorted(chain(*own.values())) == sorted(words) and all(own.values())
    named = open_source("words", from_path, from_name, str, "words")
    assert named["test"] == ["test 0", "test 1"]
