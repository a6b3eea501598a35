"""Pictures inside of Parquet, as the Hugging Face hub has them."""

import numpy as np
import pytest

from tasks.common.images import encode_png
from tasks.image_classification.pictures import read_pictures
from tasks.image_classification.sources import OwnPictures
from zoo.errors import UserError

CLASSES = ("dark", "light")
LABEL = {"label": {"names": [*CLASSES], "_type": "ClassLabel"}}
SHAPE = [3, 4, 1]


def pixels_of(number):
    noise = np.random.default_rng(number).integers(0, 60, (*SHAPE[:2], 1))
    return (noise + 150 * (number % 2)).astype("uint8")


def columns(*numbers):
    return {
        "image": [{"bytes": encode_png(pixels_of(n)), "path": None} for n in numbers],
        "label": [n % 2 for n in numbers],
    }


def all_pictures(source, split):
    images, labels = source.read(split, SHAPE, source.classes)
    return {image.tobytes(): source.classes[label] for image, label in zip(images, labels)}


def expected(*numbers):
    return {pixels_of(n).tobytes(): CLASSES[n % 2] for n in numbers}


def test_a_repository_of_the_hub_is_read(tmp_path, write_shards):
    write_shards(tmp_path / "hub/data", "train", columns(*range(30)), LABEL)
    write_shards(tmp_path / "hub/data", "test", columns(*range(30, 40)), LABEL, count=2)
    (tmp_path / "hub/README.md").write_text("# Pictures")
    source = OwnPictures(tmp_path / "hub", str(tmp_path))
    assert source.classes == [*CLASSES] and source.image_shape() == SHAPE
    assert all_pictures(source, "test") == expected(*range(30, 40))
    parts = [all_pictures(source, split) for split in ("train", "validation")]
    assert all(parts) and parts[0] | parts[1] == expected(*range(30))


def test_a_table_alone_is_split_by_its_column_or_by_what_pictures_show(tmp_path, write_parquet):
    table = columns(*range(20), *range(20))
    path = write_parquet(tmp_path / "a.parquet", table, LABEL)
    parts = read_pictures(path)
    sides = [{each.source.digest for each in part} for part in parts.values()]
    assert sum(map(len, parts.values())) == 40 and len(set.union(*sides)) == 20
    assert sum(map(len, sides)) == 20 and all(sides)
    table["split"] = ["train"] * 20 + ["val"] * 10 + ["test"] * 10
    parts = read_pictures(write_parquet(tmp_path / "b.parquet", table, LABEL))
    assert [len(part) for part in parts.values()] == [20, 10, 10]


def test_the_column_of_labels_may_have_another_usual_name(tmp_path, write_parquet):
    table = columns(*range(20))
    table["labels"] = table.pop("label")
    path = write_parquet(tmp_path / "a.parquet", table, {"labels": LABEL["label"]})
    assert {each.label for each in read_pictures(path)["train"]} == {*CLASSES}


def test_splits_do_not_change_when_rows_move(tmp_path, write_parquet):
    def sides(name, numbers):
        parts = read_pictures(write_parquet(tmp_path / name, columns(*numbers), LABEL))
        return {each.source.digest: split for split, part in parts.items() for each in part}

    assert sides("a.parquet", range(30)) == sides("b.parquet", reversed(range(30)))


def test_damaged_pictures_are_left_out_and_named(tmp_path, write_parquet, capsys):
    table = columns(*range(12)) | {"split": ["train"] * 8 + ["val"] * 2 + ["test"] * 2}
    table["image"][10]["bytes"] = b"no picture"
    path = write_parquet(tmp_path / "a.parquet", table, LABEL)
    source = OwnPictures(path, str(tmp_path))
    assert all_pictures(source, "test") == expected(11)
    assert f"left out 1 picture that cannot be read: {path}, row 11" in capsys.readouterr().err


def test_what_lacks_labels_is_refused(tmp_path, write_parquet):
    table = columns(*range(6))
    table["label"][5] = -1
    with pytest.raises(UserError, match=r"a\.parquet, row 6 has no label"):
        read_pictures(write_parquet(tmp_path / "a.parquet", table, LABEL))
    lists = table | {"label": [[0, 1]] * 6, "id": [*range(6)]}
    with pytest.raises(UserError, match="label holds lists, but one value a row is needed"):
        read_pictures(write_parquet(tmp_path / "c.parquet", lists, LABEL))
    table["fine"] = table.pop("label")
    with pytest.raises(UserError, match="has, beside pictures, fine, but label is needed: call"):
        read_pictures(write_parquet(tmp_path / "b.parquet", table))
